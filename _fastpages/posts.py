"""Writes the posts: names and addresses, what has changed since the last time, what has to go."""
import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from .errors import NotebookError
from .front_matter import FrontMatter, read
from .site import Site

NAME = re.compile(r"(\d\d[a-z]?)_[\w-]+\.ipynb")
MARK = "generated_from: "  # a line of a generated post's front matter; a post without it was written by hand


@dataclass
class Notebook:
    path: Path
    text: str
    front: FrontMatter

    @property
    def stem(self) -> str:
        return self.path.stem

    @property
    def post_name(self) -> str:
        return f"{self.front.date:%Y-%m-%d}-{self.stem}.html"

    @property
    def permalink(self) -> str:
        return self.front.values.get("permalink") or f"/{self.front.date:%Y/%m/%d}/{self.stem}.html"


@dataclass
class Report:
    converted: list = field(default_factory=list)
    unchanged: list = field(default_factory=list)
    removed: list = field(default_factory=list)
    warnings: list = field(default_factory=list)


def read_notebooks(folder: Path) -> list:
    """The notebooks of the series in its order. All that is wrong with them is told in one NotebookError."""
    notebooks, problems = [], []
    for path in sorted(folder.glob("*.ipynb")):
        if not NAME.fullmatch(path.name):
            continue
        try:
            text = path.read_text(encoding="utf-8")
            notebooks.append(Notebook(path, text, read(_cells(json.loads(text)), path.name)))
        except NotebookError as error:
            problems.append(str(error))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problems.append(f"{path.name}: not a notebook: {' '.join(str(error).split())}")
    addresses = {}
    for notebook in notebooks:
        other = addresses.setdefault(notebook.permalink, notebook)
        if other is not notebook:
            problems.append(f"{notebook.path.name}: permalink: {notebook.permalink} is {other.path.name}'s already")
    if problems:
        raise NotebookError("\n".join(problems))
    return notebooks


def _cells(content):
    """The cells with their source as one string, of nbformat 4 or of the older ones."""
    cells = content["cells"] if "cells" in content else [cell for sheet in content["worksheets"] for cell in sheet["cells"]]
    return [{"cell_type": cell["cell_type"], "source": "".join(cell.get("source", cell.get("input", "")))} for cell in cells]


@cache
def _converter_digest() -> str:
    here, digest = Path(__file__).parent, hashlib.sha256()
    for path in sorted([*here.glob("*.py"), *here.glob("templates/**/*.*")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest(notebook: Notebook, site: Site, addresses: dict, beside: list) -> str:
    """Changes with all that a post is made of: notebook, converter, settings, the addresses and files it may point to."""
    parts = [notebook.text, _converter_digest(), asdict(site), addresses, beside]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _is_current(post: Path, images: Path, digest: str) -> bool:
    if not post.is_file():
        return False
    text = post.read_text(encoding="utf-8")
    pictures = set(re.findall(rf'src="[^"]*/images/{re.escape(images.name)}/([^"]+)"', text))
    return f"digest: {json.dumps(digest)}\n" in text[:20000] and all((images / name).is_file() for name in pictures)


def _cover(notebook: Notebook, page, out: Path):
    """The picture that stands for the post where it is linked to: the front matter's, or else the first on the page."""
    wanted = notebook.front.values.get("image", "").lstrip("./")
    if wanted and (out / wanted).is_file():
        return f"/{wanted}"
    if wanted:
        page.warnings.append(f"{notebook.path.name}: image: {wanted} is not there; the page's first picture stands in")
    return next((f"/images/{notebook.stem}/{name}" for name in page.pictures), None)


def _post_text(notebook: Notebook, page, digest: str, cover) -> str:
    values = {"layout": "post", "title": notebook.front.title, "description": notebook.front.summary}
    values |= {key: str(value) if key == "date" else value for key, value in notebook.front.values.items()}
    values |= {"permalink": notebook.permalink, "image": cover, "notebook": notebook.path.name, "part": NAME.fullmatch(notebook.path.name)[1], "digest": digest,
               "contents": page.headings, "render_with_liquid": False}
    head = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items() if value is not None)
    return f"---\n{MARK}{json.dumps(notebook.path.name)}\n{head}---\n{page.body}"


def publish(folder: Path, out: Path, site: Site) -> Report:
    """Brings `out/_posts` and `out/images` up to date with the notebooks in `folder`.

    Nothing is written before every changed notebook has been converted, so a bad one leaves the others' posts as they were.
    """
    if not folder.is_dir():
        raise NotebookError(f"{folder}: no such folder")
    notebooks, report = read_notebooks(folder), Report()
    addresses = {notebook.path.name: site.baseurl + notebook.permalink for notebook in notebooks}
    beside = sorted((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")
                    if path.is_file() and path.suffix.lower() in {".png", ".jpg", ".jpeg", ".svg", ".webp", ".gif"})
    pages = []
    for notebook in notebooks:
        post, images = out / "_posts" / notebook.post_name, out / "images" / notebook.stem
        digest = _digest(notebook, site, addresses, beside)
        if _is_current(post, images, digest):
            report.unchanged.append(notebook.path.name)
            continue
        page = _convert(notebook, site, addresses)
        pages.append((post, images, _post_text(notebook, page, digest, _cover(notebook, page, out)), page.pictures))
        report.converted.append(notebook.path.name)
        report.warnings += page.warnings
    for post, images, text, pictures in pages:
        _write_pictures(images, pictures)
        post.parent.mkdir(parents=True, exist_ok=True)
        _write(post, text.encode("utf-8", "replace"))
    report.removed = _remove_stale(out, {notebook.post_name for notebook in notebooks}, {notebook.stem for notebook in notebooks})
    return report


def _convert(notebook: Notebook, site: Site, addresses: dict):
    from .exporter import convert  # nbconvert takes a second to load, and often nothing has changed
    from .markdown import Links
    from .pictures import PictureFolder
    pictures = PictureFolder(notebook.stem, site.baseurl, notebook.path.parent)
    try:
        return convert(notebook.text, notebook.front, pictures, Links(notebook.path.name, addresses, site))
    except NotebookError:
        raise
    except Exception as error:  # whatever a notebook's content upsets, its name is what the author needs
        raise NotebookError(f"{notebook.path.name}: {type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


def _write(path: Path, content: bytes) -> None:
    """All of the file or nothing: written beside and moved into place."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)


def _write_pictures(folder: Path, pictures: dict) -> None:
    if pictures:
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in pictures.items():
        if not (folder / name).is_file() or (folder / name).read_bytes() != content:
            _write(folder / name, content)
    for path in folder.glob("*") if folder.is_dir() else []:
        if path.name not in pictures:
            path.unlink()
    if folder.is_dir() and not pictures:
        folder.rmdir()


def _remove_stale(out: Path, posts: set, stems: set) -> list:
    """Takes away generated posts whose notebook is gone or has another date, with the pictures of those that are gone."""
    removed = []
    for path in sorted((out / "_posts").glob("*.html")):
        if path.name in posts or not path.read_text(encoding="utf-8").startswith(f"---\n{MARK}"):
            continue
        path.unlink()
        removed.append(path.name)
        stem = path.stem[len("YYYY-MM-DD-"):]
        if stem not in stems:
            _write_pictures(out / "images" / stem, {})
    return removed
