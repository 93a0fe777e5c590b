"""However a command ends, that is one line and an exit code: bad data, a full disk, a closed output, Ctrl-C."""

import errno
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_kit import ended
from notebook_kit import ROOT

from recaptcha import cli
from recaptcha.cli import Complaints, Parser, complain, guard, one_line, printable, say
from recaptcha.files import DataError

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


def python(code, *args, shell="", **variables):
    """A process of its own, a light one: nothing heavy is imported. `shell` is what a shell adds, such as `>&-`."""
    command = f'exec "$0" "$@" {shell}'
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", **variables}
    return subprocess.run(
        ["bash", "-c", command, sys.executable, "-c", code, *args],
        capture_output=True,
        text=True,
        env=environment,
        timeout=30,
    )


# What is printed


def test_nothing_that_steers_a_terminal_is_printed(capsys):
    name = "a\x1b[31m\x07\x9b\u202e\u061c\udcffb\nc"
    say(name)
    complain("demo", name)
    said, complaints = capsys.readouterr()
    assert said == "a\\x1b[31m\\x07\\u009b\\u202e\\u061c\\udcffb\nc\n"
    assert complaints == "demo: a\\x1b[31m\\x07\\u009b\\u202e\\u061c\\udcffb\\nc\n"
    assert printable("Fahrräder, 自行车") == one_line("Fahrräder, 自行车") == "Fahrräder, 自行车"


def test_json_stays_json(capsys):
    name = "".join(map(chr, range(300))) + "\u2028\udcff"
    say(json.dumps({"picture": name}))
    assert json.loads(capsys.readouterr().out) == {"picture": name}


def test_complaints_end_in_an_exit_code(capsys):
    wrong = Complaints("demo")
    assert wrong.code == 0
    wrong("one")
    wrong(DataError("two\nlines"))
    assert wrong.code == 1 and capsys.readouterr().err == "demo: one\ndemo: two\\nlines\n"


def test_a_complaint_that_nobody_can_read_changes_nothing(monkeypatch):
    class Full:
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    complain("demo", "something")


# How a command ends


@pytest.mark.parametrize(
    "error, code, line",
    [
        (DataError("c.png: no such file"), 1, "demo: c.png: no such file"),
        (PermissionError(errno.EACCES, "Permission denied", "table.csv"), 1, "demo: table.csv: Permission denied"),
        (PermissionError(errno.EACCES, "Permission denied", b"t\xff.csv"), 1, "demo: t\\udcff.csv: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "demo: No space left on device"),
        (MemoryError(), 1, "demo: not enough memory"),
        (KeyboardInterrupt(), 130, "demo: interrupted"),
        (BrokenPipeError(), 1, None),
        (SystemExit(2), 2, None),
    ],
    ids=lambda value: getattr(type(value), "__name__", ""),
)
def test_every_end_is_a_line_and_a_code(capsys, error, code, line):
    def act():
        with guard("demo"):
            raise error

    assert ended(act) == code
    assert capsys.readouterr().err.splitlines() == ([line] if line else [])


def test_a_fault_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), guard("demo"):
        _ = 1 / 0


def test_signals_are_as_they_were_afterwards():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    with guard("demo"):
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    ended(cli.main, ["--help"])
    assert before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]


def test_the_exit_code_of_a_command_is_its_mains(monkeypatch, tmp_path):
    (tmp_path / "fine_command.py").write_text("def main(args): return 1 if args else None")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(cli.COMMANDS, "predict", "fine_command")
    assert ended(cli.predict, []) == 0 and ended(cli.predict, ["x"]) == 1


def test_what_is_not_installed_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "large_command.py").write_text("import a_package_that_nobody_has")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(cli.COMMANDS, "train", "large_command")
    assert ended(cli.train, []) == 1
    assert (
        capsys.readouterr().err
        == "recaptcha-train: needs a_package_that_nobody_has, which is not installed: "
        "run pip install '.[train]' in this project's folder\n"
    )


def test_options(capsys):
    parser = Parser("demo", epilog="examples:\n  demo --seed 1")
    parser.add_argument("--seed", type=int)
    assert ended(parser.parse_args, ["--seed", "\x1b[31m"]) == 2
    complaints = capsys.readouterr().err.splitlines()
    assert len(complaints) == 1 and complaints[0].startswith("demo: argument --seed") and "\x1b" not in complaints[0]
    assert ended(parser.parse_args, ["--help"]) == 0 and "  demo --seed 1\n" in capsys.readouterr().out
    parser.add_argument("--save", type=Path, default="here")
    assert parser.parse_args([]).save == Path("here")
    assert ended(parser.parse_args, ["--save", ""]) == 2 and "an empty name" in capsys.readouterr().err
    for args, code in ((["unicorn"], 2), ([], 2), (["--help"], 0)):
        assert ended(cli.main, args) == code
    assert "collect" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["collect", "train"])
def test_a_notebook_shows_the_help_that_its_command_gives(name, capsys):
    notebook = json.loads((ROOT / "_notebooks" / "toolkit" / f"{name}.ipynb").read_text(encoding="utf-8"))
    (cell,) = [c for c in notebook["cells"] if "main(['--help'])" in "".join(c["source"])]
    shown = "".join("".join(out["text"]) for out in cell["outputs"])
    assert ended(importlib.import_module(f"recaptcha.{name}").main, ["--help"]) == 0
    assert "".join(shown.split()) == "".join(capsys.readouterr().out.split())  # however wide its lines


# Streams of a process


PRINTS = "from recaptcha.cli import guard, say\nwith guard('demo'): say('\\xe9')"
HELPS = "from recaptcha.cli import main\nmain(['--help'])"
SILENT = "from recaptcha.cli import guard\nwith guard('demo'): open('{}', 'w').write('a table')"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(
    "code",
    [PRINTS, HELPS, "from recaptcha.cli import guard\nwith guard('demo'): print('late')"],
    ids=["answer", "help", "unflushed"],
)
@pytest.mark.parametrize("shell, why", [(">&-", "closed"), ("> /dev/full", "No space left")])
def test_an_answer_that_cannot_be_printed_is_an_error(code, shell, why):
    done = python(code, shell=shell)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "standard output: " in done.stderr and why in done.stderr


def test_who_prints_nothing_needs_no_output_and_files_are_no_streams(tmp_path):
    """A file that is opened while standard output is closed would get its number, and what is printed."""
    done = python(SILENT.format(tmp_path / "out") + "\nprint('an answer')", shell="<&- >&- 2>&-")
    assert (tmp_path / "out").read_text() == "a table"
    assert python(SILENT.format(tmp_path / "out"), shell=">&-").returncode == 0 and not done.stderr


def test_an_ascii_terminal_gets_letters_by_their_numbers():
    done = python(PRINTS, **ASCII)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\\xe9\n", "")
    done = python(
        "from recaptcha.cli import guard\nfrom recaptcha.files import DataError\n"
        "with guard('demo'): raise DataError('\\xe9')",
        **ASCII,
    )
    assert (done.returncode, done.stderr) == (1, "demo: \\xe9\n")


def test_a_reader_that_goes_away_ends_a_command_quietly():
    done = python(
        "from recaptcha.cli import guard, say\nwith guard('demo'):\n  while True: say('more')", shell="| head -1"
    )
    assert done.stdout == "more\n" and done.stderr == ""


# Signals


WRITES = """if True:
    import sys, time
    from recaptcha.cli import guard
    from recaptcha.files import written
    with guard('demo'), written(sys.argv[1]) as file:
        print('begun', flush=True)
        time.sleep(20)
"""
IMPORTS = """if True:
    from recaptcha import cli
    cli.COMMANDS['predict'] = 'slow_command'
    cli.predict([])
"""
SLOW = """if True:
    import time
    print('begun', flush=True)
    try: time.sleep(20)
    except BaseException: print('swallowed') # as NumPy and others do with what goes wrong in an import
"""


def heed_signals():
    """As in a terminal: who runs the tests in the background may have told their children to ignore some signals."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def broken_off(code, *args, signals, before=heed_signals):
    """How a process ends that gets signals once it says that it has begun: exit code, complaints, seconds."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{args[0].parent}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
    )
    assert process.stdout.readline() == "begun\n"
    start = time.monotonic()
    for number in signals:
        process.send_signal(number)
    said, complaints = process.communicate(timeout=30)
    assert said == ""
    return process.returncode, complaints, time.monotonic() - start


@pytest.mark.parametrize(
    "signals, code, line",
    [([signal.SIGINT], 130, "demo: interrupted\n"), ([signal.SIGTERM], 143, ""), ([signal.SIGHUP], 129, "")],
    ids=["Ctrl-C", "terminate", "hang-up"],
)
def test_signals_clean_up_and_leave_the_old_file(tmp_path, signals, code, line):
    (tmp_path / "table.csv").write_text("old")
    got, complaints, seconds = broken_off(WRITES, tmp_path / "table.csv", signals=signals)
    assert (got, complaints) == (code, line) and seconds < 5
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"] and (tmp_path / "table.csv").read_text() == "old"


@pytest.mark.parametrize(
    "number, line",
    [(signal.SIGINT, "recaptcha-predict: interrupted\n"), (signal.SIGTERM, "")],
    ids=["Ctrl-C", "terminate"],
)
def test_signals_end_an_import(tmp_path, number, line):
    (tmp_path / "slow_command.py").write_text(SLOW)
    got, complaints, seconds = broken_off(IMPORTS, tmp_path / "slow_command.py", signals=[number])
    assert (got, complaints) == (128 + number, line) and seconds < 5


def test_a_hang_up_that_nohup_ignores_stays_ignored(tmp_path):
    ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    got, _, _ = broken_off(
        WRITES.replace("sleep(20)", "sleep(.3)"), tmp_path / "table.csv", signals=[signal.SIGHUP], before=ignore
    )
    assert got == 0 and (tmp_path / "table.csv").exists()


def test_nothing_heavy_is_imported_before_the_guard_stands():
    done = python(
        "import sys, recaptcha.cli\nprint({'numpy', 'PIL', 'onnxruntime', 'pandas', 'torch'} & set(sys.modules))"
    )
    assert done.stdout == "set()\n"
