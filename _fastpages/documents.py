"""Finds what is to become a post: the numbered notebooks of the series and the written posts, with front matter."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import NotebookError, naming
from .files import read_text
from .front_matter import FrontMatter, read
from .patience import SECONDS, at_most

NOTEBOOK = re.compile(r"(\d\d[a-z]?)_[\w-]+\.ipynb")
WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)-([\w-]+)\.md")
HEAD = re.compile(r"(---[ \t]*\n.*?\n)---[ \t]*(?:\n|\Z)", re.S)
LONGEST_NAME = (
    200  # bytes: a file's name has at most 255, and those of the page and its pictures are longer than the document's
)


def is_document(name: str) -> bool:
    """Whether a file is called as notebooks of the series or written posts are."""
    return bool(NOTEBOOK.fullmatch(name) or WRITTEN.fullmatch(name))


@dataclass
class Document:
    """A notebook or a written post."""

    path: Path
    text: str
    front: FrontMatter

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def part(self):
        """The notebook's number in the series ("02", "01b"); None for a written post."""
        match = NOTEBOOK.fullmatch(self.name)
        return match and match[1]

    @property
    def slug(self) -> str:
        """What the post is called in its address."""
        return self.path.stem if self.part else WRITTEN.fullmatch(self.name)[2]

    @property
    def folder(self) -> str:
        """What its pictures' folder and files are called; opens with a figure, as nothing else under images/ does."""
        return self.path.stem

    @property
    def post_name(self) -> str:
        return f"{self.front.date.isoformat()}-{self.slug}.html"

    @property
    def permalink(self) -> str:
        return (
            self.front.values.get("permalink") or f"/{self.front.date.isoformat().replace('-', '/')}/{self.slug}.html"
        )

    def notebook(self):
        """The document as a notebook of nbformat 4; a written post is one of a single markdown cell."""
        import nbformat  # takes a moment to load, and often nothing has changed

        if self.part:
            return nbformat.reads(self.text, as_version=4)
        return nbformat.v4.new_notebook(
            cells=[
                {"raw": nbformat.v4.new_raw_cell, "markdown": nbformat.v4.new_markdown_cell}[cell["cell_type"]](
                    cell["source"]
                )
                for cell in _written_cells(self.text)
            ]
        )


def _notebook_cells(text: str) -> list:
    content = json.loads(text)
    if content.get("nbformat", 4) < 4:  # an old notebook: sheets of cells, headings of their own
        import nbformat

        content = nbformat.reads(text, as_version=4)
    return [{"cell_type": cell["cell_type"], "source": "".join(cell["source"])} for cell in content["cells"]]


def _written_cells(text: str) -> list:
    head = HEAD.match(text)
    parts = [("raw", head[1]), ("markdown", text[head.end() :])] if head else [("markdown", text)]
    return [{"cell_type": kind, "source": source} for kind, source in parts]


def _read(path: Path) -> Document:
    length = len(path.name.encode("utf-8", "replace"))
    if length > LONGEST_NAME:
        raise NotebookError(
            f"{path.name}: its name has {length} bytes, and its page and pictures are named after it: "
            f"give it one of {LONGEST_NAME} at most"
        )
    kind = "a notebook" if path.suffix == ".ipynb" else "a post"
    with naming(path.name, f"not {kind}: "), at_most(SECONDS):
        text = read_text(path)
        cells = (_notebook_cells if path.suffix == ".ipynb" else _written_cells)(text)
        return Document(path, text, read(cells, path.name, date=(WRITTEN.fullmatch(path.name) or [None, None])[1]))


def read_documents(notebooks: Path, posts: Path) -> tuple:
    """(the documents, notebooks in the series' order first; {file name: what is wrong with it})."""
    found, problems = [], {}
    paths = [path for path in sorted(notebooks.glob("*.ipynb")) if NOTEBOOK.fullmatch(path.name)]
    paths += [path for path in sorted(posts.glob("*.md")) if WRITTEN.fullmatch(path.name)]
    for path in paths:
        try:
            found.append(_read(path))
        except NotebookError as error:
            problems[path.name] = str(error)
    return found, problems
