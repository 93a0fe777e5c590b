"""Finds what is to become a post: the series' numbered notebooks, the toolkit's and written posts, with front matter."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import NotebookError, naming
from .files import read_text
from .front_matter import FrontMatter, read
from .names import (
    LESSON,
    TOOL,
    TOOLKIT,
    WRITTEN,
    WRITTEN_SUFFIXES,
    address_of,
    date_in,
    is_document,
    is_notebook,
    slug_of,
)
from .patience import SECONDS, at_most
from .repair import repaired

EXPORTS = re.compile(r"#\s*\|?\s*default_exp\b")
HEAD = re.compile(r"\s*(---[ \t]*\n.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
LONGEST_NAME = (
    200  # bytes: a file's name has at most 255, and those of the page and its pictures are longer than the document's
)


def _undated(name: str) -> str:
    """A notebook's address without its date: `/toolkit/files.html`."""
    folder, slash, file = name.rpartition("/")
    return f"/{folder}{slash}{slug_of(file)}.html"


@dataclass
class Document:
    """A notebook or a written post."""

    path: Path
    name: str  # a notebook's path in the folder of notebooks, or a written post's file name
    text: str
    front: FrontMatter

    @property
    def is_notebook(self) -> bool:
        return is_notebook(self.name)

    @property
    def part(self):
        """The notebook's number in the series ("02", "01b"); None outside the series."""
        match = LESSON.fullmatch(self.name)
        return match and match[1]

    @property
    def shelf(self):
        """`toolkit` for a notebook of the toolkit, None for everything else."""
        return TOOLKIT if TOOL.fullmatch(self.name) else None

    @property
    def root(self) -> Path:
        """The repository's folder, as seen from the document."""
        return self.path.parents[len(Path(self.name).parts)]

    @property
    def slug(self) -> str:
        """What the post is called in its address."""
        return address_of(self.name)

    @property
    def folder(self) -> str:
        """What its pictures' folder and files are called; opens with a figure or `toolkit-`, as nothing else there."""
        return slug_of(self.name)

    @property
    def post_name(self) -> str:
        return f"{self.front.date.isoformat()}-{self.slug}.html"

    @property
    def permalink(self) -> str:
        """The front matter's; or else the date and the name, for the toolkit the name alone."""
        dated = f"/{self.front.date.isoformat().replace('-', '/')}/{self.slug}.html"
        return self.front.values.get("permalink") or (_undated(self.name) if self.shelf else dated)

    @property
    def documentation(self):
        """Where nbdev's index looks for what a notebook exports: `/baseline.html`; None of one that exports nothing."""
        exports = self.is_notebook and EXPORTS.search(self.text)
        return _undated(re.sub(r"^\d+[a-zA-Z0-9]*_", "", self.name.lower())) if exports else None

    def redirects(self, moved: dict) -> list:
        """The addresses that lead here: the front matter's, those of the table `moved`, the one that nbdev's index
        names.
        """
        found = [*self.front.values.get("redirect_from", [])]
        found += [address for address, name in moved.items() if name == self.name]
        if self.documentation and self.documentation != self.permalink:
            found.append(self.documentation)
        return list(dict.fromkeys(found))

    def notebook(self):
        """The document as a notebook of nbformat 4; a written post is one of a single markdown cell."""
        import nbformat  # takes a moment to load, and often nothing has changed

        if self.is_notebook:
            return nbformat.reads(json.dumps(repaired(_content(self.text))), as_version=4)
        return nbformat.v4.new_notebook(
            cells=[
                {"raw": nbformat.v4.new_raw_cell, "markdown": nbformat.v4.new_markdown_cell}[cell["cell_type"]](
                    cell["source"]
                )
                for cell in _written_cells(self.text)
            ]
        )


def _content(text: str) -> dict:
    """What a notebook's file says, in nbformat 4."""
    content = json.loads(text)
    if content.get("nbformat", 4) < 4:  # an old notebook: sheets of cells, headings of their own
        import nbformat

        content = nbformat.reads(text, as_version=4)
    return content


def _notebook_cells(text: str) -> list:
    cells = _content(text)["cells"]
    return [{"cell_type": cell["cell_type"], "source": "".join(cell["source"])} for cell in cells]


def _written_cells(text: str) -> list:
    head = HEAD.match(text)
    parts = [("raw", head[1]), ("markdown", text[head.end() :])] if head else [("markdown", text)]
    return [{"cell_type": kind, "source": source} for kind, source in parts]


def _read(path: Path, name: str) -> Document:
    length = len(name.encode("utf-8", "replace"))
    if length > LONGEST_NAME:
        raise NotebookError(
            f"{name}: its name has {length} bytes, and its page and pictures are named after it: "
            f"give it one of {LONGEST_NAME} at most"
        )
    kind = "a notebook" if path.suffix == ".ipynb" else "a post"
    with naming(name, f"not {kind}: "), at_most(SECONDS):
        text = read_text(path)
        cells = (_notebook_cells if path.suffix == ".ipynb" else _written_cells)(text)
        return Document(path, name, text, read(cells, name, date=date_in(name)))


def read_documents(notebooks: Path, posts: Path) -> tuple:
    """(the documents, the series in its order first, then the toolkit; {name: what is wrong with it})."""
    found, problems = [], {}
    for name, path in _paths(notebooks, posts):
        try:
            found.append(_read(path, name))
        except NotebookError as error:
            problems[name] = str(error)
    return found, problems


def _paths(notebooks: Path, posts: Path):
    """(name, path) of each document."""
    for folder in ("", TOOLKIT):
        for path in sorted((notebooks / folder).glob("*.ipynb")):
            name = path.relative_to(notebooks).as_posix()
            if is_notebook(name):
                yield name, path
    for path in sorted(posts.glob("*.m*")):
        if WRITTEN.fullmatch(path.name):
            yield path.name, path


def left_out(notebooks: Path, posts: Path) -> list:
    """A line for each file that looks like a document and is none; a name that opens with _ or . says so itself."""
    found = [path.relative_to(notebooks).as_posix() for path in sorted(notebooks.rglob("*.ipynb"))]
    found += [path.name for path in sorted(posts.glob("*.m*")) if path.suffix in WRITTEN_SUFFIXES]
    private = re.compile(r"(?:.*/)?[._]|README\.", re.I)
    return [_why_left_out(name) for name in found if not private.match(name) and not is_document(name)]


def _why_left_out(name: str) -> str:
    folder, _, file = name.rpartition("/")
    if folder and folder != TOOLKIT:
        return f"{name}: not published: of folders of notebooks, only {TOOLKIT}/ is; move it out of {folder}/"
    number = f"01_{slug_of(file)}.ipynb or " if file.endswith(".ipynb") else ""
    dated = f"2026-01-31-{slug_of(file)}{Path(file).suffix}"
    return f"{name}: not published: its name has no number or date; call it {number}{dated}"
