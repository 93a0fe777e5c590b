"""Numbers in texts, and the cells that they come from.

`claims.csv` has a line for each phrase that states what was measured:

- `document`: the text, Markdown or a notebook, whose markdown cells are read;
- `text`: the phrase, which stands there once, with `{}` for each number claimed and `#` for any other number;
- `source`: a table of `results/`, or `_notebooks/NAME.ipynb#CELL` for the saved output of a cell, or `recaptcha/labels`, whose figures
  are counted anew. `given` is for numbers that nothing here measured, such as the size of a challenge;
- `cells`: one for each `{}`, with ` | ` between them.

A cell is named by its row and its column: what stands in the row's key, then the column, with ` > ` between them. `mean:`, `sd:`,
`count:`, `min:` or `max:` before it and `*` in it take several rows together; `#2` behind it is the second number of the cell, `× 100` a
factor, and ` − ` or ` ÷ ` stands between two cells. In the output of a cell, a phrase with `{}` finds a number in text that is no table.
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
KEYS = {"results/runs.csv": 6, "results/looking.csv": 2, "results/checked_quality.csv": 1, "results/posts/report.csv": 1,
        "results/posts/sgd.csv": 3, "results/posts/dataloaders.csv": 3, "results/posts/convnets.csv": 5}  # leading columns that name a row
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
        return [Claim(row["document"], row["text"], row["source"], tuple(re.split(r"\s\|\s", row["cells"])) if row["cells"] else ())
                for row in csv.DictReader(file)]


@functools.cache
def document_text(name: str) -> str:
    """A text on one line; of a notebook its markdown cells."""
    content = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".ipynb"):
        content = "\n".join("".join(cell["source"]) for cell in json.loads(content)["cells"] if cell["cell_type"] == "markdown")
    return one_line(content)


@functools.cache
def table_rows(name: str) -> list:
    """The rows of a table of measurements."""
    with open(ROOT / name, newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    header, keys = lines[0], KEYS[name]
    return [Row(tuple(filter(None, line[:keys])), dict(zip(header[keys:], line[keys:]))) for line in lines[1:]]


def html_rows(html: str) -> list:
    """The rows of a data frame that a notebook shows, its index as their key."""
    soup = BeautifulSoup(html, "html.parser")
    if not soup.table:
        return []
    heads = [[th.get_text(strip=True) for th in line("th") for _ in range(int(th.get("colspan", 1)))] for line in soup.thead("tr")]
    rows, key = [], []
    for line in soup.tbody("tr"):
        own = [th.get_text(strip=True) for th in line("th")]
        key = [*key[:len(key) - len(own)], *own] if key else own  # an index of several levels names the outer ones once
        values = [td.get_text(strip=True) for td in line("td")]
        columns = [" ".join(filter(None, names)) for names in zip(*(head[-len(values):] for head in heads))]
        rows.append(Row(tuple(key), dict(zip(columns, values))))
    return rows


@functools.cache
def output(name: str):
    """What a cell of a notebook shows: (rows of its tables, its text)."""
    path, cell_id = name.split("#")
    cells = json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"]
    [cell] = [cell for cell in cells if cell.get("id") == cell_id]
    rows, texts = [], []
    for shown in cell["outputs"]:
        data = shown.get("data", {})
        rows += html_rows("".join(data.get("text/html", "")))
        texts += ["".join(shown.get("text", "")), "".join(data.get("text/plain", ""))]
    return rows, one_line(" ".join(texts))


@functools.cache
def label_rows() -> list:
    """The figures of the label files, counted anew."""
    from label_facts import facts
    return [Row((name,), {key: str(value) for key, value in values.items()}) for name, values in facts().items()]


def rows_of(source: str) -> list:
    if source == "recaptcha/labels":
        return label_rows()
    return output(source)[0] if "#" in source else table_rows(source)


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def numbers_in(cell: str) -> list:
    """The numbers of a cell, as "0.769 ± 0.004" has two."""
    return [number(text) for text in re.findall(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?", cell)]


def cell_value(source: str, name: str) -> float:
    """The number that a cell holds; `LookupError` where the name fits no cell, or several."""
    name, _, factor = name.partition(" × ")
    for sign, operate in OPERATIONS.items():
        if sign in name:
            return operate(*(cell_value(source, part) for part in name.split(sign))) * float(factor or 1)
    if "{}" in name:
        return number(find(name, output(source)[1], source)[1]) * float(factor or 1)
    name, _, place = name.partition(" #")
    take, _, path = name.rpartition(": ") if name.split(": ")[0] in TAKE else ("", "", name)
    *key, column = path.split(" > ")
    fitting = [row.cells[column] for row in rows_of(source)
               if column in row.cells and len(row.key) == len(key) and all(want in ("*", have) for want, have in zip(key, row.key))]
    if not fitting or (len(fitting) > 1 and not take):
        raise LookupError(f"{source}: {len(fitting)} cells are called {name!r}")
    found = [numbers_in(cell)[int(place or 1) - 1] for cell in fitting]
    return (TAKE[take](found) if take else found[0]) * float(factor or 1)


def agrees(written: str, value: float) -> bool:
    """Is a number the value, rounded to as many places as are written?"""
    places = len(written.partition(".")[2])
    return abs(number(written) - value) <= 0.5 * 10 ** -places + 1e-9 * abs(value)


def neighbours(written: str) -> list:
    """A number with its last digit one more, and one less."""
    exact = Decimal(written.replace(",", "").replace("−", "-"))
    unit = Decimal(1).scaleb(exact.as_tuple().exponent)
    return [str(exact + unit), str(exact - unit)]


NOT_PROSE = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<[^>]*>|arXiv:[\d.]+|https?://\S+|Apache-2.0")
STATED = re.compile(r"(?<![\d.,\w])(\d+(?:,\d{3})*\.\d+|\d{1,3}(?:,\d{3})+|\d+(?= %))(?![\w.]\w)")  # decimals, thousands and percentages


def blank(match: re.Match) -> str:
    return " " * len(match[0])


def table_spans(name: str) -> list:
    """Where the rows of a text's tables stand in its one line."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    spans, text, at = [], document_text(name), 0
    for line in lines:
        if line.startswith("|"):
            at = text.index(one_line(line), at)
            spans.append((at, at + len(one_line(line))))
    return spans


def unclaimed(name: str, claims: list, tables_alone=False) -> list:
    """Numbers of a text that no claim speaks of, each with the words before it."""
    text = document_text(name)
    claimed = [find(claim.text, text, name).span(group + 1) for claim in claims if claim.document == name
               for group in range(phrase(claim.text).groups)]
    spans = table_spans(name) if tables_alone else [(0, len(text))]
    numbers = [match for match in STATED.finditer(NOT_PROSE.sub(blank, text)) if any(low <= match.start() < high for low, high in spans)]
    return [text[max(0, match.start() - 40):match.end()] for match in numbers if not any(low <= match.start() < high for low, high in claimed)]
