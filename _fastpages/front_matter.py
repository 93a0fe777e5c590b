"""Reads a post's front matter: the first markdown cell (`# Title`, `> summary`, `- key: value` lines) or YAML."""

import datetime
import re
from dataclasses import dataclass, field

from . import plain_yaml
from .addresses import tidy
from .errors import NotebookError, one_line

TRUE, FALSE = {"true", "yes", "on"}, {"false", "no", "off"}
LONGEST_TITLE, LONGEST_SUMMARY = 300, 1000  # characters of what stands on a card


def _shown(value) -> str:
    """A value as a message quotes it."""
    return one_line(repr(value)[:80])


# Each reader below takes what stands in a markdown cell, always text, or what YAML made of it.
def _boolean(text):
    text = str(text)
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError(f"expected true or false, got {_shown(text)}")


def _integer(text):
    text = str(text)
    if re.fullmatch(r"-?\d{1,9}", text):
        return int(text)
    raise ValueError(f"expected a whole number of at most nine digits, got {_shown(text)}")


def _date(text):
    try:
        return datetime.date.fromisoformat(str(text)[:10] if isinstance(text, datetime.datetime) else str(text))
    except ValueError:
        raise ValueError(f"expected YYYY-MM-DD, got {_shown(text)}") from None


def _list(text):
    if isinstance(text, list):
        return [_text(item) for item in text]
    text = _text(text)
    items = [item.strip(" \"'") for item in text.removeprefix("[").removesuffix("]").split(",")]
    if "[" in text.strip("[]") or text.startswith("[") != text.endswith("]"):
        raise ValueError(f"expected [one, two], got {_shown(text)}")
    return [item for item in items if item]


def _text(text):
    if not isinstance(text, str):
        raise ValueError(f"expected text, got {_shown(text)}")
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _permalink(text):
    return tidy(_text(text))


def _permalinks(text):
    return [
        _permalink(path)
        for path in ([text] if isinstance(text, str) and "," not in text and "[" not in text else _list(text))
    ]


def _picture(text):
    if re.match(r"[a-z]+:|//", _text(text), re.I):
        raise ValueError(f"expected a picture of this site, got {_shown(text)}")
    return _text(text)


# Every key that a post may have, and how its value is read. A key that is not here is taken for a slip of the pen.
KEYS = {
    "author": _text,
    "badges": _boolean,
    "branch": _text,
    "categories": _list,
    "comments": _boolean,
    "date": _date,
    "hide": _boolean,
    "image": _picture,
    "permalink": _permalink,
    "redirect_from": _permalinks,
    "search_exclude": _boolean,
    "sticky_rank": _integer,
    "toc": _boolean,
    "trusted": _boolean,
    "use_math": _boolean,
    "skip_exec": _boolean,
    "skip_showdoc": _boolean,  # nbdev's own, of no meaning to a post
}
NBDEV_ONLY = {"skip_exec", "skip_showdoc"}

TITLE = re.compile(r"#[ \t]+(?=[^ \t#])")
KEY_LINE = re.compile(r"[-*][ \t]+([A-Za-z][\w-]*):")


@dataclass
class FrontMatter:
    title: str
    summary: str
    values: dict = field(default_factory=dict)
    rest: str = ""  # what follows the front matter in the same cell
    cell: int = 0  # which cell of the document it is

    @property
    def date(self) -> datetime.date:
        return self.values["date"]


def plain(text: str) -> str:
    """Markdown's marks taken off, for a title or a summary that is shown as text."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"(`+|\*{1,3}|(?<!\w)_{1,2}|_{1,2}(?!\w))(\S|\S.*?\S)\1", r"\2", text).strip()


def split_cell(source: str):
    """The first cell as (title, summary, [(key, value)], rest); title and summary are "" where they are missing."""
    lines = source.strip("\n").split("\n")
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
    head = plain_yaml.load(source.strip().strip("-"))
    if not isinstance(head, dict):
        raise ValueError("expected lines of 'key: value'")
    texts = [head.pop(key, None) for key in ("title", "summary", "description")]
    title, summary, description = ("" if text is None else str(text) for text in texts)
    return title, summary or description, [(str(key), value) for key, value in head.items()], ""


def is_yaml(cell: dict) -> bool:
    return cell["cell_type"] == "raw" and cell["source"].lstrip().startswith("---")


def _is_head(cell: dict) -> bool:
    return cell["cell_type"] == "markdown" or is_yaml(cell)


def _values(pairs: list, problems: list) -> dict:
    """The keys' values as their readers take them; what is wrong with a key is added to the problems."""
    values = {}
    for key, text in pairs:
        try:
            if key not in KEYS:
                known = ", ".join(sorted(KEYS.keys() - NBDEV_ONLY))
                raise ValueError(f"not a key of the front matter; known are {known}")
            if key in values:
                raise ValueError("given twice")
            if text is None or text == "":
                raise ValueError("has no value")
            values[key] = KEYS[key](text)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    return values


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
        values["date"] = _date(date)
    if "date" not in values and not any(problem.startswith("date:") for problem in problems):
        problems.append("date: missing; add '- date: YYYY-MM-DD' under the summary")


def read(cells: list, name: str, date=None) -> FrontMatter:
    """The front matter of the notebook or post called `name`; everything wrong with it is told in one NotebookError.

    `date` (YYYY-MM-DD) stands in where the front matter has none: a written post has it in its file's name.
    """
    place = next((number for number, cell in enumerate(cells) if _is_head(cell)), None)
    source = cells[place]["source"] if place is not None else ""
    split = _split_yaml if place is not None and is_yaml(cells[place]) else split_cell
    problems = []
    try:
        title, summary, pairs, rest = split(source)
    except ValueError as error:
        raise NotebookError(f"{name}: front matter: {error}") from None
    _check_texts(title, summary, problems)
    values = _values(pairs, problems)
    _add_date(values, date, problems)
    if problems:
        raise NotebookError("\n".join(f"{name}: {problem}" for problem in problems))
    values = {key: value for key, value in values.items() if key not in NBDEV_ONLY}
    return FrontMatter(_text(plain(title)), _text(plain(summary)), values, rest, place)
