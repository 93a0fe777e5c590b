"""Reads a post's front matter: the first markdown cell (`# Title`, `> summary`, `- key: value` lines) or YAML."""

import datetime
import re
from dataclasses import dataclass, field

from . import plain_yaml
from .errors import NotebookError
from .keys import read_date, read_values, unquoted

LONGEST_TITLE, LONGEST_SUMMARY = 300, 1000  # characters of what stands on a card
TITLE = re.compile(r"#[ \t]+(?=[^ \t#])")
TEXTS = ("title", "summary", "description", "subtitle", "excerpt")  # the first of the last four is the summary
KEY_LINE = re.compile(r"[-*][ \t]+([A-Za-z][\w-]*):")


@dataclass
class FrontMatter:
    title: str
    summary: str
    values: dict = field(default_factory=dict)
    rest: str = ""  # what follows the front matter in the same cell
    cell: int = 0  # which cell of the document it is
    warnings: list = field(default_factory=list)  # what it asks for in vain

    @property
    def date(self) -> datetime.date:
        return self.values["date"]


def plain(text: str) -> str:
    """Markdown's marks taken off, for a title or a summary that is shown as text."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"(`+|\*{1,3}|(?<!\w)_{1,2}|_{1,2}(?!\w))(\S|\S.*?\S)\1", r"\2", text).strip()


def split_cell(source: str):
    """The first cell as (title, summary, [(key, value)], rest); title and summary are "" where they are missing."""
    lines = source.lstrip("\ufeff").strip("\n").split("\n")
    title, summary, pairs, place = "", [], [], 0
    if match := TITLE.match(lines[0].strip()):
        title = lines[0].strip()[match.end() :].rstrip(" \t#")
        place = 1
    while place < len(lines) and (not lines[place].strip() or lines[place].lstrip().startswith(">")):
        summary.append(lines[place].strip().removeprefix(">").strip())
        place += 1
    while place < len(lines):
        line = lines[place].strip()
        match = KEY_LINE.match(line)
        if line and not match:
            break
        if match:
            pairs.append((match[1], line[match.end() :].strip()))
        place += 1
    return title, " ".join(part for part in summary if part), pairs, "\n".join(lines[place:]).strip()


def _split_yaml(source: str):
    """A raw cell of YAML as (title, summary, [(key, value)], rest)."""
    head = plain_yaml.load(source.strip("\ufeff \t\r\n").strip("-"))
    if not isinstance(head, dict):
        raise ValueError("expected lines of 'key: value'")
    title, *summaries = ("" if (text := head.pop(key, None)) is None else str(text) for key in TEXTS)
    summary = next((text for text in summaries if text), "")
    return title, summary, [(str(key), value) for key, value in head.items()], ""


def is_yaml(cell: dict) -> bool:
    return cell["cell_type"] == "raw" and cell["source"].lstrip("\ufeff \t\r\n").startswith("---")


def _is_head(cell: dict) -> bool:
    return cell["cell_type"] == "markdown" or is_yaml(cell)


def _check_texts(title: str, summary: str, problems: list) -> None:
    """Adds to the problems what is wrong with the title and the summary."""
    if not title:
        problems.append(
            "title: missing; the first markdown cell has to open with '# Title', or the front matter to give a title"
        )
    for what, text, most in (("title", title, LONGEST_TITLE), ("summary", summary, LONGEST_SUMMARY)):
        if len(text) > most:
            problems.append(f"{what}: longer than {most} characters; say it shorter")


def _add_date(values: dict, date: str | None, problems: list) -> None:
    """Has a date stand in where the front matter gives none; where there is none at all, adds that to the problems."""
    if date and "date" not in values:
        try:
            values["date"] = read_date(date)
        except ValueError as error:
            problems.append(f"date: {error} in the file's name")
    if "date" not in values and not any(problem.startswith("date:") for problem in problems):
        problems.append("date: missing; add '- date: YYYY-MM-DD' under the summary")


def read(cells: list, name: str, date=None) -> FrontMatter:
    """The front matter of the notebook or post called `name`; everything wrong with it is told in one NotebookError.

    `date` (YYYY-MM-DD) stands in where the front matter has none: it is the one of the file's name.
    """
    place = next((number for number, cell in enumerate(cells) if _is_head(cell)), None)
    source = cells[place]["source"] if place is not None else ""
    split = _split_yaml if place is not None and is_yaml(cells[place]) else split_cell
    problems, warnings = [], []
    try:
        title, summary, pairs, rest = split(source)
    except ValueError as error:
        raise NotebookError(f"{name}: front matter: {error}") from None
    _check_texts(title, summary, problems)
    values = read_values(pairs, problems, warnings)
    _add_date(values, date, problems)
    if problems:
        raise NotebookError("\n".join(f"{name}: {problem}" for problem in problems))
    return FrontMatter(unquoted(plain(title)), unquoted(plain(summary)), values, rest, place, warnings)
