"""The one exception that an author is meant to read: a line a problem, each naming the file and the way out."""

import traceback
from contextlib import contextmanager
from pathlib import Path

LONGEST = 300  # characters of what another library or a file has to say


class NotebookError(Exception):
    """What is wrong with a notebook or the settings, said in one line (or one line each for several)."""


def one_line(text) -> str:
    """The text in one line that any terminal shows, and no longer than a reader wants it."""
    line = " ".join(str(text).split())
    line = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def _place(error: Exception) -> str:
    """Where in the converter it happened, for whoever has to mend that."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"


def reason(error: Exception) -> str:
    """What went wrong and what to do about it, in one line."""
    if isinstance(error, RecursionError):
        return "something in it is nested too deeply: take out some of the levels"
    if isinstance(error, MemoryError):
        return "it takes more memory than there is: make its outputs and pictures smaller"
    if isinstance(error, TimeoutError):
        return f"it takes longer than {one_line(error)} to convert: make its cells and outputs shorter"
    if isinstance(error, OSError) and error.strerror:
        return one_line(f"{error.strerror}: {error.filename}" if error.filename else error.strerror)
    if isinstance(error, (OSError, ValueError)):
        return one_line(error)
    return f"{type(error).__name__}: {one_line(error)} (in {_place(error)}): save it anew in Jupyter, or report this"


@contextmanager
def naming(name: str, what: str = ""):
    """Whatever goes wrong in the block comes out as a NotebookError of one line that opens with the document's name."""
    try:
        yield
    except NotebookError:
        raise
    except Exception as error:  # whatever a document holds, its name is what the author needs
        raise NotebookError(f"{name}: {what}{reason(error)}") from error
