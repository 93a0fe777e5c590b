"""Numbers in texts, and the cells that they come from.

`claims.csv` has a line for each phrase that states what was measured:

- `document`: the text, Markdown or a notebook, whose markdown cells are read;
- `text`: the phrase, which stands there once, with `{}` for each number claimed and `#` for any other number;
- `source`: a table of `results/`, or `_notebooks/NAME.ipynb#CELL` for the saved output of a cell, or
  `recaptcha/labels`, whose figures are counted anew. `given` is for numbers that nothing here measured, such as a share
  in an example;
- `cells`: one for each `{}`, with ` | ` between them.

A cell is named by its row and its column: what stands in the row's key, then the column, with ` > ` between them.
`mean:`, `sd:`, `count:`, `min:` or `max:` before it and `*` in it take several rows together; ` #2` behind it is the
second number of the cell, ` × 100` a factor, and ` − ` or ` ÷ ` stands between two cells. In the output of a cell, a
phrase with `{}` finds a number in text that is no table.
"""
import csv
import functools
import json
import operator
import re
import statistics
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent
NUMBER = r"(?<![\d.,])[-−]?\d+(?:,\d{3})*(?:\.\d+)?"
KEYS = {  # how many leading columns of a table name its row
    "results/runs.csv": 6,
    "results/annotation_rounds.csv": 2,
    "results/checked_quality.csv": 1,
    "results/detected_cells.csv": 2,
    "results/peer.csv": 6,
    "results/posts/report.csv": 1,
    "results/posts/sgd.csv": 3,
    "results/posts/dataloaders.csv": 3,
    "results/posts/convnets.csv": 5,
}
MORE_KEYS = {
    "results/runs.csv": ["label_source", "hidden", "constants"]
}  # columns that name it as well, where they are not empty
OPERATIONS = {" − ": operator.sub, " ÷ ": operator.truediv}
TAKE = {"mean": statistics.mean, "sd": statistics.stdev, "count": len, "min": min, "max": max}


@dataclass(frozen=True)
class Claim:
    document: str
    text: str
    source: str
    cells: tuple  # names, one for each number of the phrase

    @property
    def is_measured(self) -> bool:
        return self.source != "given"


@dataclass(frozen=True)
class Row:
    key: tuple  # the texts that name it, without empty ones
    cells: dict  # column: text


@dataclass(frozen=True)
class Output:
    rows: list  # of the tables that a cell shows
    text: str  # on one line


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def phrase(text: str) -> re.Pattern:
    """A phrase as a pattern: `{}` is a number that is kept, `#` one that is not."""
    parts = re.split(r"(\{\}|#)", one_line(text))
    return re.compile("".join({"{}": f"({NUMBER})", "#": NUMBER}.get(part, re.escape(part)) for part in parts))


def find(text: str, where: str, what: str) -> re.Match:
    """The one place where a phrase stands."""
    found = list(phrase(text).finditer(where))
    if len(found) != 1:
        raise LookupError(f"{what}: {text!r} stands there {len(found)} times")
    return found[0]


def read_claims() -> list:
    with open(ROOT / "tests/claims.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    return [Claim(**{**line, "cells": tuple(filter(None, line["cells"].split(" | ")))}) for line in lines]


def notebook_cells(name: str) -> list:
    return json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]


@functools.cache
def document_text(name: str) -> str:
    """A text on one line; of a notebook its markdown cells."""
    if not name.endswith(".ipynb"):
        return one_line((ROOT / name).read_text(encoding="utf-8"))
    cells = [cell for cell in notebook_cells(name) if cell["cell_type"] == "markdown"]
    return one_line("\n".join("".join(cell["source"]) for cell in cells))


@functools.cache
def table_rows(name: str) -> list:
    """The rows of a table of measurements."""
    with open(ROOT / name, newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    keys, more = KEYS[name], [header.index(column) for column in MORE_KEYS.get(name, ())]

    def key(line):
        return tuple(filter(None, [*line[:keys], *(line[i] for i in more)]))

    return [Row(key(line), dict(zip(header[keys:], line[keys:]))) for line in lines]


def texts_of(line, tag: str) -> list:
    """The texts of a row's cells; one that spans columns stands for each of them."""
    return [cell.get_text(strip=True) for cell in line(tag) for _ in range(int(cell.get("colspan", 1)))]


def html_rows(html: str) -> list:
    """The rows of a data frame that a notebook shows, its index as their key."""
    soup = BeautifulSoup(html, "html.parser")
    if not soup.table:
        return []
    heads = [texts_of(line, "th") for line in soup.thead("tr")]
    rows, key = [], []
    for line in soup.tbody("tr"):
        own, values = texts_of(line, "th"), texts_of(line, "td")
        key = [*key[:len(key) - len(own)], *own]  # an index of several levels names the outer ones once
        columns = [" ".join(filter(None, names)) for names in zip(*(head[-len(values):] for head in heads))]
        rows.append(Row(tuple(key), dict(zip(columns, values))))
    return rows


@functools.cache
def output(name: str) -> Output:
    """What a cell of a notebook shows."""
    path, cell_id = name.split("#")
    [cell] = [cell for cell in notebook_cells(path) if cell.get("id") == cell_id]
    rows, texts = [], []
    for shown in cell["outputs"]:
        data = shown.get("data", {})
        rows += html_rows("".join(data.get("text/html", "")))
        texts += ["".join(shown.get("text", "")), "".join(data.get("text/plain", ""))]
    return Output(rows, one_line(" ".join(texts)))


@functools.cache
def label_rows() -> list:
    """The figures of the label files, counted anew."""
    from label_facts import facts
    return [Row((name,), {key: str(value) for key, value in values.items()}) for name, values in facts().items()]


def rows_of(source: str) -> list:
    if source == "recaptcha/labels":
        return label_rows()
    return output(source).rows if "#" in source else table_rows(source)


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def numbers_in(cell: str) -> list:
    """The numbers of a cell, as "0.769 ± 0.004" has two."""
    return [number(text) for text in re.findall(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?", cell)]


def cells_called(source: str, path: str) -> list:
    """The texts of the cells that a name fits."""
    *key, column = path.split(" > ")

    def fits(row):
        return column in row.cells and len(row.key) == len(key) and all(map(same, key, row.key))

    def same(want, have):
        return want in ("*", have)

    return [row.cells[column] for row in rows_of(source) if fits(row)]


def cell_value(source: str, name: str) -> float:
    """The number that a cell holds; `LookupError` where the name fits no cell, or several."""
    name, _, factor = name.partition(" × ")
    if factor:
        return cell_value(source, name) * float(factor)
    for sign, operate in OPERATIONS.items():
        if sign in name:
            return operate(*(cell_value(source, part) for part in name.split(sign)))
    if "{}" in name:
        return number(find(name, output(source).text, source)[1])
    name, _, place = name.partition(" #")
    first, _, rest = name.partition(": ")
    take, path = (TAKE[first], rest) if first in TAKE else (None, name)
    found = [numbers_in(cell)[int(place or 1) - 1] for cell in cells_called(source, path)]
    if not found or (len(found) > 1 and not take):
        raise LookupError(f"{source}: {len(found)} cells are called {name!r}")
    return take(found) if take else found[0]


def agrees(written: str, value: float) -> bool:
    """Is a number the value, rounded to as many places as are written?"""
    places = len(written.partition(".")[2])
    return abs(number(written) - value) <= 0.5 * 10 ** -places + 1e-9 * abs(value)


def neighbours(written: str) -> list:
    """A number with its last digit one more, and one less."""
    exact = Decimal(written.replace(",", "").replace("−", "-"))
    unit = Decimal(1).scaleb(exact.as_tuple().exponent)
    return [str(exact + unit), str(exact - unit)]


NOT_PROSE = re.compile("|".join([
    r"```.*?```", r"`[^`]*`",  # code
    r"\$\$.*?\$\$", r"\$[^$]*\$",  # formulas
    r"\]\([^)]*\)", r"<[^>]*>", r"https?://\S+", r"arXiv:[\d.]+",  # addresses
    r"Apache-2\.0",
]))
STATED = re.compile(r"(?<![\d.,\w])(\d+(?:,\d{3})*\.\d+|\d{1,3}(?:,\d{3})+|\d+(?= ?%))(?![\w.]\w)")
"""Decimal numbers, numbers of thousands, and percentages."""


def blank(match: re.Match) -> str:
    return " " * len(match[0])


def is_within(place: int, spans: list) -> bool:
    return any(low <= place < high for low, high in spans)


def table_spans(name: str) -> list:
    """Where the rows of a text's tables stand in its one line."""
    spans, text, at = [], document_text(name), 0
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            at = text.index(one_line(line), at)
            spans.append((at, at + len(one_line(line))))
    return spans


def claimed_spans(name: str, claims: list) -> list:
    """Where the numbers stand that claims speak of."""
    found = [find(claim.text, document_text(name), name) for claim in claims if claim.document == name]
    return [match.span(group) for match in found for group in range(1, len(match.groups()) + 1)]


def unclaimed(name: str, claims: list, tables_alone=False) -> list:
    """Numbers of a text that no claim speaks of, each with the words before it."""
    text = document_text(name)
    claimed = claimed_spans(name, claims)
    places = table_spans(name) if tables_alone else [(0, len(text))]
    stated = [match.span() for match in STATED.finditer(NOT_PROSE.sub(blank, text))]
    missing = [span for span in stated if is_within(span[0], places) and not is_within(span[0], claimed)]
    return [text[max(0, start - 40):end] for start, end in missing]
