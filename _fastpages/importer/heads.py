"""Reads the front matter of fastpages: `# Title`, `> summary` and `- key: value` lines of a notebook, or YAML."""

import datetime
import re
from dataclasses import dataclass, field

from .. import plain_yaml

TITLE = re.compile(r"\s*#(?!#)[ \t]*(?P<title>\S.*?)[ \t]*$", re.M)
SUMMARY = re.compile(r"\s*\n[ \t]*>[ \t]*(?P<summary>[^\n]*(?:\n[ \t]*>[^\n]*)*)")
KEY = re.compile(r"[ \t]*[-*][ \t]*(?P<key>[A-Za-z][\w-]*)[ \t]*:(?P<value>.*)")
# What fastpages says a notebook's front matter may hold; these are read wherever in the cell they stand.
KNOWN = set(
    "title summary description toc badges comments author authors categories category tags image hide search_exclude "
    "sticky_rank permalink layout date branch use_math published hide_binder_badge hide_colab_badge hide_github_badge "
    "hide_deepnote_badge metadata_key1 metadata_key2 keywords nb_path redirect_from redirect_to slug".split()
)
JOINED = re.compile(rf"(?<=\S)[ \t]*-[ \t]+(?=(?:{'|'.join(sorted(KNOWN))})[ \t]*:)")
TIME = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[Tt\s]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::\d\d(?:\.\d+)?)?\s*(?P<zone>[+-]\d\d?(?::?\d\d)?)?)?"
)
LONGEST_SUMMARY = 1000  # characters; the converter takes no more


@dataclass
class Head:
    """The front matter of a document."""

    title: str = ""
    summary: str = ""
    values: dict = field(default_factory=dict)  # of its other keys, as YAML reads them
    rest: str = ""  # what follows it in the same cell
    cell: int | None = None  # which cell of a notebook it is; None where no cell is
    keys_cell: int | None = None  # a cell under it that holds nothing but keys
    remarks: list = field(default_factory=list)  # what had to be guessed

    def category_path(self) -> list:
        """The folders that Jekyll made of the categories."""
        names = [*_words(self.values.get("categories")), *_words(self.values.get("category"), whole=True)]
        return list(dict.fromkeys(name.lower() for name in names))

    def date(self) -> datetime.date | None:
        """The day that the front matter gives, as a build in UTC took it; None where it gives none."""
        match = TIME.match(str(self.values.get("date")))
        try:
            return _day(match) if match else None
        except ValueError:  # the thirtieth of February
            return None


def _day(match) -> datetime.date:
    """The day in UTC of a time that is written with a zone, or of one without."""
    zone = re.sub(r"\D", "", match["zone"] or "0").zfill(2).ljust(4, "0")
    offset = datetime.timedelta(hours=int(zone[:2]), minutes=int(zone[2:4]))
    time = datetime.datetime(*map(int, match["day"].split("-")), int(match["hour"] or 0), int(match["minute"] or 0))
    return (time + offset if (match["zone"] or "").startswith("-") else time - offset).date()


def _words(value, whole: bool = False) -> list:
    """A list of names as Jekyll reads them: a text is one for each word, or with `whole` one name."""
    if isinstance(value, list):
        return [str(item) for item in value if item is not None]
    text = "" if value is None else str(value)
    return [text] if whole and text else text.split()


def names(head: Head) -> list:
    """Categories and tags, each once."""
    get = head.values.get
    found = [*_words(get("categories")), *_words(get("category"), whole=True), *_words(get("tags"))]
    return list(dict.fromkeys(found))


def _unquoted(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1].strip() if quoted else text


def _value(key: str, text: str):
    """What Jekyll read in a notebook's `- key: value`; the text itself where that is no YAML."""
    try:
        return plain_yaml.load(f"{key}: {text}")[key]
    except (ValueError, TypeError, LookupError):
        return _unquoted(text)


def _take_line(line: str, head: Head) -> bool:
    """Takes the keys of a line; False where it holds none."""
    match = KEY.fullmatch(line)
    if not match:
        return False
    pieces = JOINED.split(f"{match['key']}:{match['value']}")
    if len(pieces) > 1:
        head.remarks.append(f"several keys in one line are read apart: {line.strip()}")
    for piece in pieces:
        key, _, text = piece.partition(":")
        head.values.setdefault(key.strip(), _value(key.strip(), text.strip()))
    return True


def _take_keys(source: str, head: Head) -> str:
    """Takes the lines of keys, which may go on under other text; gives what else stands there."""
    rest, in_head = [], True
    for line in source.split("\n"):
        match = KEY.fullmatch(line)
        is_key = match and (in_head or match["key"] in KNOWN)
        if is_key:
            _take_line(line, head)
        elif line.strip() or rest:
            in_head = False
            rest.append(line)
    return "\n".join(rest).strip()


def _cell_head(source: str) -> Head | None:
    """The front matter that a markdown cell holds; None where it has no title."""
    title = TITLE.match(source)
    if not title:
        return None
    head, end = Head(_unquoted(title["title"])), title.end()
    if summary := SUMMARY.match(source, end):
        lines = [line.strip().removeprefix(">").strip() for line in summary["summary"].split("\n")]
        head.summary = _unquoted(" ".join(line for line in lines if line))
        end = summary.end()
    head.rest = _take_keys(source[end:], head)
    return head


def _yaml_head(source: str) -> Head:
    """The front matter in YAML; where it is none, read line by line."""
    head = Head()
    try:
        values = plain_yaml.load(source)
        if not isinstance(values, dict):
            raise ValueError("no lines of key: value")
    except ValueError as error:
        if mixed := _cell_head(source):  # the lines of a markdown cell between those of YAML
            mixed.remarks.append("the front matter is no YAML, but lines as in a markdown cell, and is read as these")
            return _with_texts(mixed)
        head.remarks.append(f"the front matter is no YAML ({error}), so it is read line by line")
        pairs = [line.partition(":") for line in source.split("\n") if re.match(r"[A-Za-z][\w-]*[ \t]*:", line)]
        values = {key.strip(): _value(key.strip(), text.strip()) for key, _, text in pairs}
    head.values = {str(key): value for key, value in values.items()}
    return _with_texts(head)


def _with_texts(head: Head) -> Head:
    """Takes title and summary out of the keys. A second summary stays, to be told of."""
    title = head.values.pop("title", None)
    head.title = head.title or ("" if title is None else " ".join(str(title).split()))
    if "tag" in head.values:
        head.values.setdefault("tags", head.values.pop("tag"))
    for key in ("description", "summary", "excerpt"):
        text = head.values.get(key)
        if text and (not head.summary or str(text).strip() == head.summary):
            head.summary = " ".join(str(head.values.pop(key)).split())
        elif not text:
            head.values.pop(key, None)
    return head


def from_name(name: str) -> str:
    """A title for a document that has none, as Jekyll makes it of the file's name."""
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"[-_ ]+", name) if word) or "Untitled"


def _with_title(head: Head, name: str) -> Head:
    if not head.title:
        head.title = from_name(name)
        head.remarks.append(f"it has no title, so that its name stands in: {head.title}")
    return head


def _find_head(cells: list) -> tuple:
    """(which cell the front matter is, the front matter); (None, None) where no cell is."""
    found = []
    for number, cell in enumerate(cells):
        source = cell["source"].lstrip("\ufeff")
        if cell["cell_type"] in {"raw", "markdown"} and re.match(r"\s*---[ \t]*\n.*?\n---", source, re.S):
            text = source.strip()[3:]
            end = text.find("\n---")
            head = _yaml_head(text[:end])
            head.rest = text[end + 4 :].strip()
            return number, head
        if cell["cell_type"] == "markdown" and (head := _cell_head(source)):
            found.append((number, head))
    # fastpages wanted both, and took the first cell that had them.
    full = [each for each in found if each[1].summary]
    return (full or found or [(None, None)])[0]


def read_notebook_head(cells: list, stem: str) -> Head:
    """The front matter of a notebook's cells; `stem` is its file's name, for a title where it has none."""
    place, head = _find_head(cells)
    if head is None:
        return _with_title(Head(), re.sub(r"^[\d\W_]+", "", stem) or stem)
    head.cell = place
    below = cells[place + 1] if place + 1 < len(cells) else {"cell_type": ""}
    if not head.values and not head.rest and below["cell_type"] == "markdown" and _only_keys(below["source"]):
        head.keys_cell = place + 1
        _take_keys(below["source"], head)
        head.remarks.append("its keys stand in a cell of their own, and are read from there")
    return _with_title(_with_texts(head), stem)


def _only_keys(source: str) -> bool:
    lines = [KEY.fullmatch(line) for line in source.split("\n") if line.strip()]
    return bool(lines) and all(line and line["key"] in KNOWN for line in lines)


def read_post_head(yaml: str | None, body: str, name: str) -> Head:
    """The front matter of a post; where it gives no title, the first heading of the text does, and is taken out."""
    head = _yaml_head(yaml) if yaml is not None else Head()
    head.rest = body
    heading = re.match(r"\s*#[ \t]+(\S.*?)[ \t#]*(?:\n|\Z)", body)
    if not head.title and heading:
        head.title = _unquoted(heading[1])
        head.rest = "\n" * heading[0].count("\n") + body[heading.end() :]
    return _with_title(head, name)
