"""Brings notebooks and written posts over: their front matter, the Liquid and the addresses in their text."""

import json
import re
from dataclasses import dataclass

from ..documents import HEAD
from ..errors import NotebookError, naming, one_line
from ..files import read_bytes, read_text
from ..front_matter import read, split_cell
from ..patience import SECONDS, at_most
from ..sanitize import says_something
from .blog import Blog, Source, notebook_of, post_parts
from .fields import as_lines, as_yaml, summary_and_rest, translate
from .kramdown import plain
from .liquid import Liquid
from .numbered import Numbered
from .places import Places
from .report import CHANGED, NOT_TAKEN, Report, Target
from .rewriter import Rewriter

DOLLAR = re.compile(r"(?<!\\)\$")


@dataclass
class Taker:
    """Takes the blog's documents, one by one."""

    blog: Blog
    places: Places
    target: Target
    report: Report

    def take(self, source: Source) -> None:
        """Writes one document; the report tells what became of it, and then of its lines in their order."""
        first = len(self.report.lines)
        self._take(source)
        self.report.lines[first:] = sorted(self.report.lines[first:], key=_line_of)

    def _take(self, source: Source) -> None:
        if source.place in self.places.refused:
            self.report.add(NOT_TAKEN, source.place, self.places.refused[source.place])
            return
        try:
            with naming(source.place), at_most(SECONDS):
                content = self._notebook(source) if source.is_notebook else self._post(source)
        except NotebookError as error:
            self.report.add(NOT_TAKEN, source.place, str(error).removeprefix(f"{source.place}: "))
            return
        if self.target.put(source.new_place, content, source.place) and source.renamed:
            self.report.add(CHANGED, source.place, source.renamed)

    def _values(self, source: Source, texts: str) -> dict:
        def tell(kind, what):
            self.report.add(kind, f"{source.place}, front matter", what)

        values = translate(source, self.blog, self.places, tell)
        if source.is_notebook:
            values |= {key: True for key in self.blog.config.hidden_badges if key not in source.head.values}
        if not self.blog.config.shows_math and DOLLAR.search(texts) and "use_math" not in values:
            values["use_math"] = False
            tell(CHANGED, "use_math: false, since the blog showed no formulas between dollars")
        return values

    def _liquid(self, source: Source, tell) -> Liquid:
        config = self.blog.config
        values = {"page.title": source.head.title, "page.description": source.head.summary}
        values |= {f"site.{key}": config.text(key) for key in ("title", "description") if config.text(key)}

        def place_of(stem):
            document = self.blog.named(stem.rpartition("/")[2])
            return document and f"/{document.place}"

        return Liquid(place_of, values, tell)

    def _rewrite(self, source: Source, numbered: Numbered, where: str, attachments=frozenset()) -> bool:
        """Rewrites a text; whether it had a table of contents written into it."""

        def tell(kind, line, what):
            self.report.add(kind, f"{source.place}, {where}line {line}", what)

        has_contents = False
        self._liquid(source, tell).translate(numbered)
        if not source.is_notebook:
            has_contents = plain(numbered, tell)
        Rewriter(self.places, source, tell, attachments).rewrite(numbered)
        return has_contents

    def _post(self, source: Source) -> bytes:
        _, _, first = post_parts(read_text(source.path))
        numbered = Numbered(source.head.rest, first)
        has_contents = self._rewrite(source, numbered, "")
        values = self._values(source, numbered.text)
        if has_contents:
            values.setdefault("toc", True)
        summary, opening = summary_and_rest(source.head)
        new = f"{as_yaml(source.head.title, summary, values)}{opening}{numbered.text}"
        _check([("raw", HEAD.match(new)[1])], source)
        return new.encode("utf-8", "replace")

    def _notebook(self, source: Source) -> bytes:
        content = notebook_of(read_text(source.path))
        before = json.dumps(content)
        for number, cell in enumerate(content["cells"], 1):
            if cell["cell_type"] == "markdown":
                self._cell(source, cell, number)
            elif _runs(cell) and source.head.values.get("trusted") is not True:
                what = "its output runs a script, which pages do only with trusted: true in the front matter"
                self.report.add(NOT_TAKEN, f"{source.place}, cell {number}", what)
        self._put_head(source, content)
        _check([(cell["cell_type"], cell["source"]) for cell in content["cells"]], source)
        if json.dumps(content) == before:
            return read_bytes(source.path)
        for cell in content["cells"]:
            cell["source"] = cell["source"].splitlines(keepends=True)
        # A half of a character that stands alone is written as JSON writes it.
        return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")

    def _cell(self, source: Source, cell: dict, number: int) -> None:
        is_head = number - 1 == source.head.cell
        if is_head:
            first = max(1, cell["source"].count("\n") - source.head.rest.count("\n") + 1)
            numbered = Numbered(source.head.rest, first)
        else:
            numbered = Numbered(cell["source"])
        attachments = frozenset(cell.get("attachments") or {})
        self._rewrite(source, numbered, f"cell {number}, ", attachments)
        if is_head:
            source.head.rest = numbered.text
        else:
            cell["source"] = numbered.text

    def _put_head(self, source: Source, content: dict) -> None:
        """Has the front matter stand in the first cell that it may stand in, as this project writes it."""
        cells, head = content["cells"], source.head
        texts = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
        values = self._values(source, "\n".join([head.rest, *texts]))
        summary, opening = summary_and_rest(head)
        rest = f"{opening}{head.rest}".strip()
        lines = as_lines(head.title, summary, values)
        cell = {"cell_type": "markdown", "metadata": {}} if head.cell is None else cells[head.cell]
        if head.cell is None and (content.get("nbformat_minor") or 0) >= 5:
            cell["id"] = "front-matter"
        taken = {head.cell, head.keys_cell}
        others = [each for number, each in enumerate(cells) if number not in taken]
        place = next((n for n, each in enumerate(others) if each["cell_type"] in {"markdown", "raw"}), len(others))
        if head.cell is not None and place >= head.cell:
            place = head.cell
        else:
            where = f"{source.place}, front matter"
            self.report.add(CHANGED, where, f"stands in cell {place + 1}, before any other text")
        content["cells"] = [*others[:place], *_head_cells(cell, lines, rest), *others[place:]]


def _runs(cell: dict) -> bool:
    """Whether an output of a cell comes about in the reader's browser, as charts do, and shows nothing without it."""
    outputs = [output.get("data") or {} for output in cell.get("outputs") or []]
    sources = ["".join(data.get("text/html", "")) for data in outputs if not any("image/" in kind for kind in data)]
    return any("<script" in source and not says_something(source) for source in sources)


def _line_of(told: tuple) -> tuple:
    """What a line of the report is about, as a place in the document."""
    kind, where, _ = told
    numbers = [int(number) for number in re.findall(r", (?:cell|line) (\d+)", where)]
    return (1, *numbers) if numbers else (0, where.endswith(", front matter"))


def _head_cells(cell: dict, lines: str, rest: str) -> list:
    """The cell of the front matter and what follows in it, in a cell of its own where it would read like more keys."""
    together = f"{lines}\n\n{rest}".strip()
    if split_cell(together)[3] == rest:
        return [cell | {"cell_type": "markdown", "source": together}]
    apart = {key: value for key, value in cell.items() if key != "attachments"}
    name = {"id": f"{cell['id']}-rest"[-64:]} if "id" in cell else {}
    return [
        apart | {"cell_type": "markdown", "source": lines},
        cell | name | {"cell_type": "markdown", "source": rest},
    ]


def _check(cells: list, source: Source) -> None:
    """NotebookError where the converter would refuse the front matter."""
    try:
        read([{"cell_type": kind, "source": text} for kind, text in cells], source.name, source.name[:10])
    except NotebookError as error:
        raise NotebookError(f"{source.place}: {one_line(error)}") from None
