"""The one exception that an author is meant to read: a line a problem, each naming the file and the key."""


class NotebookError(Exception):
    """What is wrong with a notebook or the settings, said in one line (or one line each for several)."""
