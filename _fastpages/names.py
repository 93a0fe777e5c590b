"""Which files are documents, told by their names, and what a document is called in addresses and names of files."""

import re
import unicodedata

TOOLKIT = "toolkit"  # the folder, in that of the notebooks, of those that are no part of the series
LESSON = re.compile(r"(\d\d[a-z]?)[_ -](?=[^/]*\w)[^/]+\.ipynb")
TOOL = re.compile(TOOLKIT + r"/(?![_.])[^/]*\w[^/]*\.ipynb")
DATE = r"(\d{4})-(\d\d?)-(\d\d?)"
DATED = re.compile(DATE + r"[-_ ]([^/]+)\.ipynb")  # as fastpages wants it
WRITTEN = re.compile(DATE + r"[-_ ]([^/]+)\.(?:md|markdown)")
WRITTEN_SUFFIXES = {".md", ".markdown"}


def is_lesson(name: str) -> bool:
    """Whether a document is a numbered part of the series."""
    return bool(LESSON.fullmatch(name))


def is_notebook(name: str) -> bool:
    """Whether a file is called as notebooks are that become pages; `name` is its path in the folder of notebooks."""
    return any(pattern.fullmatch(name) for pattern in (LESSON, TOOL, DATED))


def is_document(name: str) -> bool:
    """Whether a file is called as such notebooks or written posts are."""
    return is_notebook(name) or bool(WRITTEN.fullmatch(name))


def _tidy(text: str) -> str:
    """The text with a hyphen for all that does not belong into an address: spaces, dots, question marks."""
    return re.sub(r"[^\w-]+", "-", unicodedata.normalize("NFC", text)).strip("-") or "page"


def slug_of(name: str) -> str:
    """A document's name without its ending, for names of files: `02_baseline`, `toolkit-files`, `2026-11-21-a-post`."""
    return _tidy(name.rpartition(".")[0])


def _dated(name: str):
    return DATED.fullmatch(name) or WRITTEN.fullmatch(name)


def address_of(name: str) -> str:
    """What a document is called in its address, where a date may stand before it: the slug, without a date in it."""
    dated = _dated(name)
    return _tidy(dated[4]) if dated else slug_of(name)


def date_in(name: str) -> str | None:
    """The date that a document's name opens with, as YYYY-MM-DD; None where it has none."""
    dated = _dated(name)
    return f"{dated[1]}-{dated[2]:0>2}-{dated[3]:0>2}" if dated else None


def same(name: str) -> str:
    """The name as names are compared: systems write an é as one character or as two."""
    return unicodedata.normalize("NFC", name)
