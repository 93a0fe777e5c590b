"""Running the commands in this process, as their entry points do."""
from recaptcha import cli


def ended(act, *args):
    """The exit code with which `act` ends."""
    try:
        act(*args)
    except SystemExit as end:
        return end.code or 0
    return 0


def predict(capsys, *args):
    """`recaptcha-predict`: its exit code, what it says, and the lines in which it complains."""
    capsys.readouterr()
    code = ended(cli.predict, [str(arg) for arg in args])
    said, complaints = capsys.readouterr()
    return code, said, complaints.splitlines()


def one_line(capsys, *args, code=1):
    """The one line in which `recaptcha-predict` complains, ending with `code`."""
    got, said, complaints = predict(capsys, *args)
    assert got == code and len(complaints) == 1 and complaints[0].startswith("recaptcha-predict: "), (
        got,
        said,
        complaints,
    )
    return complaints[0]
