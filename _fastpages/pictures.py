"""Moves a notebook's pictures into files of the site, and knows each one's address, size and description."""

import ast
import base64
import binascii
import io
import re
from collections import Counter
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from nbconvert.preprocessors import Preprocessor
from PIL import Image

from .drawings import Drawing, fitted
from .errors import one_line, reason
from .files import read_bytes
from .losses import Losses
from .names import same
from .scan import replace
from .svg import SVG, clean_svg, svg_size
from .webp import FORMATS, smaller

SUFFIXES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}
MARK = "attachment:"
DARK = "-on-dark"  # behind the name of a drawing's twin for dark pages
NARROWEST = 320  # pixels of text on a phone
STEP, WIDEST = 40, 1000  # pixels: for the least widths of drawings the theme has a class each, up to the widest
HEADING = re.compile(r"#{1,6}[ \t]+(?=\S)")
LONGEST_NAME = 100  # bytes of a picture's file name, without its ending
LARGEST_SIDE = 20_000  # pixels that a notebook may say a picture is wide or high
LONGEST_CODE = 100_000  # characters that are read for a figure's title


@dataclass
class PictureFolder:
    """The pictures of one document: kept in memory until the whole post has come out right."""

    folder: str  # its name under images/
    name: str  # the document's file name
    baseurl: str
    beside: Path  # the document's own folder
    root: Path  # the repository's
    files: dict = field(default_factory=dict)  # file name -> bytes
    names: dict = field(default_factory=dict)  # bytes -> file name
    counts: dict = field(default_factory=Counter)  # file name -> how often it was wanted
    sizes: dict = field(default_factory=dict)  # address -> (width, height)
    twins: dict = field(default_factory=dict)  # address -> that of the same drawing for a dark page
    least: dict = field(default_factory=dict)  # address -> pixels in width below which its text can't be read
    problems: list = field(default_factory=list)  # pictures that the notebook names and that are not there
    unread: list = field(default_factory=list)  # those that are no picture that a page can show

    def add(self, name: str, mime: str, content: bytes, size=None):
        """Keeps a picture as `name` (without ending) and gives its address, or None when it is not a picture."""
        try:
            if mime == "image/svg+xml":
                return self._add_drawing(name, fitted(clean_svg(content)), size)
            content, mime, pixels = smaller(content)
            size = size or pixels
        except (OSError, ValueError, SyntaxError, RecursionError):
            return None
        if mime not in SUFFIXES:
            return None
        address = self.add_file(name, SUFFIXES[mime], content)
        if size:
            self.sizes[address] = size
        return address

    def _add_drawing(self, name: str, drawing: Drawing, size) -> str:
        address = self.add_file(name, "svg", drawing.content)
        if size := size or svg_size(drawing.content):
            self.sizes[address] = size
        if drawing.dark:
            self.twins[address] = self.add_file(f"{name}{DARK}", "svg", drawing.dark)
        if drawing.width:
            self.least[address] = drawing.width
        return address

    def add_file(self, name: str, suffix: str, content: bytes) -> str:
        """Keeps a file, called after `name`, and gives its address."""
        if content not in self.names:
            self.names[content] = self._free(name, suffix)
            self.files[self.names[content]] = content
        return f"{self.baseurl}/images/{self.folder}/{self.names[content]}"

    def covers(self) -> dict:
        """The files that may stand for the page: all but the twins for dark pages."""
        dark = {Path(address).name for address in self.twins.values()}
        return {name: content for name, content in self.files.items() if name not in dark}

    def _free(self, name: str, suffix: str) -> str:
        """A file name that no other picture of the document has."""
        short = re.sub(r"[^\w.-]+", "-", name).encode("utf-8", "replace")[:LONGEST_NAME].decode("utf-8", "ignore")
        name = short.strip("-.") or "picture"
        file = f"{name}.{suffix}"
        while file in self.files:
            self.counts[name, suffix] += 1
            file = f"{name}-{self.counts[name, suffix] + 1}.{suffix}"
        return file

    def add_base64(self, name, mime, text, size=None):
        try:
            return self.add(name, mime, base64.b64decode(text), size)
        except (binascii.Error, ValueError):
            return None

    def take_drawings(self, html: str, cell: int) -> str:
        """`html` with each drawing in it (`<svg>…</svg>`) turned into a picture of its own, where no script runs."""

        def take(piece):
            openings = [opening.start() for opening in re.finditer(r"<svg\b", piece, re.I)]
            start = openings[-1]  # of nested ones the innermost
            source = piece[start:]
            if "xmlns=" not in source:
                source = source[:4] + f' xmlns="{SVG}"' + source[4:]
            address = self.add(f"cell-{cell:02d}-drawing", "image/svg+xml", source.encode("utf-8", "replace"))
            return piece[:start] + (f'<img src="{address}">' if address else "")

        return replace(html, r"<svg\b", "</svg>", take)

    def resolve(self, src: str, cell: int, attachments=None, required=True):
        """The address of the picture that markdown or HTML names as `src`; None for one that the site does not hold.

        What is missing though `required` is noted in `problems`, so that all of it is told at once.
        """
        kind, comma, data = src.strip().partition(",")
        if kind.startswith("data:image/") and kind.endswith(";base64") and comma:
            return self.add_base64(f"cell-{cell:02d}-inline", kind.removeprefix("data:").split(";")[0], data)
        if src.startswith(MARK):
            name = unquote(src.removeprefix(MARK))
            for mime, text in (attachments or {}).get(name, {}).items():
                return self.add_base64(Path(name).stem, mime, text)
            return self._missing(f"{name}: the cell has no such attachment", required)
        if re.match(r"[a-z][a-z0-9+.-]*:|//", src.strip(), re.I):
            return None  # another host's: the page would load it from there
        if src.startswith("/"):
            return src if src.startswith(f"{self.baseurl}/") else self.baseurl + src
        return self._local(src, required)

    def _missing(self, what: str, required: bool) -> None:
        if required:
            self.problems.append(f"{self.name}: {what}")

    def find(self, src: str) -> Path | None:
        """The repository's file that a document beside it names; None where there is none."""
        try:
            root = self.root.resolve()
            for name in dict.fromkeys((unquote(src), unquote(re.split("[?#]", src)[0]).replace("\\", "/"))):
                path = (self.beside / name).resolve()
                if not path.is_relative_to(root):
                    continue
                path = path if path.is_file() else _alike(path)
                if path:
                    return path.resolve() if path.resolve().is_relative_to(root) else None
        except (OSError, ValueError, RuntimeError):  # too long a name, a zero byte, a link that leads to itself
            pass
        return None

    def read_beside(self, src: str) -> bytes:
        """What such a file holds. ValueError, in one line, where there is none."""
        path = self.find(src)
        if path is None:
            raise ValueError("no such file")
        return read_bytes(path)

    def _local(self, src: str, required: bool):
        path, root = self.find(src), self.root.resolve()
        if path is None:
            return self._missing(f"{one_line(src)}: no such picture", required)
        try:
            content = read_bytes(path)
        except (OSError, ValueError) as error:
            return self._missing(f"{one_line(src)}: {reason(error)}", required)
        mime = "image/svg+xml" if path.suffix.lower() == ".svg" else ""
        if path.is_relative_to(root / "images") and not (mime and _has_twin(content)):
            address = f"{self.baseurl}/{path.relative_to(root).as_posix()}"
            if size := size_of(content, path.suffix.lower()):
                self.sizes[address] = size
            return address
        address = self.add(path.stem, mime, content)
        if address is None:
            self.unread.append(one_line(src))
        return address

    def finish_tags(self, root, alt: str = "") -> None:
        """Gives every picture of a tree its size, lazy loading and a description."""
        for image in root.iter("img"):
            for side in ("width", "height"):
                _tidy_side(image, side)
            size = self.sizes.get(image.get("src"))
            if size and image.get("width") is None and image.get("height") is None:
                image.set("width", str(round(size[0])))
                image.set("height", str(round(size[1])))
            image.set("alt", image.get("alt") or alt)
            image.set("loading", "lazy")
            image.set("data-pagefind-index-attrs", "alt")  # the search finds what a picture shows

    def dress_drawings(self, root) -> None:
        """Says how wide drawings have to be, and puts a twin for dark pages behind each; the theme shows one."""
        for image in list(root.iter("img")):
            self._dress(image)

    def _dress(self, image) -> None:
        address, classes = image.get("src"), []
        if self.least.get(address, 0) > NARROWEST:
            classes.append(f"least-{min(WIDEST, -(-self.least[address] // STEP) * STEP)}")
        if address in self.twins:
            twin = copy(image)
            twin.tail = None
            twin.attrib.pop("id", None)
            twin.set("src", self.twins[address])
            twin.set("class", " ".join([*classes, "on-dark"]))
            image.addnext(twin)
            classes.append("on-light")
        if classes:
            image.set("class", " ".join(classes))


def _has_twin(content: bytes) -> bool:
    """Whether a drawing can be shown on a dark page without a ground of its own."""
    try:
        return fitted(clean_svg(content)).dark is not None
    except (ValueError, SyntaxError, RecursionError):
        return False


def _alike(path: Path) -> Path | None:
    """The file in the same folder whose name differs only in case, or in how its characters are composed."""
    wanted = same(path.name).casefold()
    beside = path.parent.iterdir() if path.parent.is_dir() else []
    return next((each for each in sorted(beside) if same(each.name).casefold() == wanted and each.is_file()), None)


def size_of(content: bytes, suffix: str):
    """Width and height in pixels of a picture, or None where it does not say or is no picture."""
    try:
        if suffix == ".svg":
            return svg_size(content)
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def title_in_code(source: str) -> str:
    """The last title that the code gives a figure: `plt.title("...")`, `ax.set_title(...)`, `suptitle`, `title=`."""
    if len(source) > LONGEST_CODE:
        return ""
    try:
        tree = ast.parse(re.sub(r"^([ \t]*)[%!].*", r"\1pass", source, flags=re.M))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two of code that is nested deeply
        return ""
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = [keyword.value for keyword in call.keywords if keyword.arg in {"title", "suptitle"}]
        is_title = isinstance(call.func, ast.Attribute) and call.func.attr in {"title", "set_title", "suptitle"}
        for value in named + (call.args[:1] if is_title else []):
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.strip():
                found.append((value.lineno, " ".join(value.value.split())))
    return max(found)[1] if found else ""


def last_heading(source: str) -> str:
    """The text of a markdown cell's last heading, or ""."""
    marks = ((line, HEADING.match(line)) for line in source.split("\n"))
    found = [line[mark.end() :].rstrip().rstrip("#").rstrip() for line, mark in marks if mark]
    return found[-1] if found else ""


def _stated_size(metadata) -> tuple | None:
    """Width and height in pixels, where a notebook says how large its picture is shown, and says so sensibly."""
    sides = [metadata.get(side) for side in ("width", "height")] if isinstance(metadata, dict) else [None]
    possible = all(isinstance(side, (int, float)) and 0 < side <= LARGEST_SIDE for side in sides)
    return tuple(sides) if possible else None


def _several(words) -> list:
    """A description, or a list of them, as a list."""
    return words if isinstance(words, list) else [words] if words else []


def _shows_table(output) -> bool:
    return "<table" in output.get("data", {}).get("text/html", "")


def _describe(outputs: list, alts: list, captions: list, of_tables: list) -> None:
    """Gives each picture its own description, and captions to pictures and tables."""
    pictures = [output for output in outputs if "post/picture" in output.get("data", {})]
    for output, alt in zip(pictures, alts):
        output["post_alt"] = alt
    _put_captions(pictures or outputs, captions)
    tables = [output for output in outputs if _shows_table(output)]
    for output in _put_captions(tables or outputs, of_tables):
        output["post_table"] = True


def _put_captions(outputs: list, captions: list) -> list:
    """Gives captions to the last of some outputs, and what is left over of them to the very last; gives those back."""
    shown = outputs[-len(captions) or len(outputs) :]
    for output, caption in zip(shown, captions):
        output["post_caption"] = caption
    for caption in captions[len(shown) :] if shown else []:
        shown[-1]["post_caption"] += f" {caption}"
    return shown if captions else []


def _put_label(outputs: list, label: str) -> None:
    """Gives a cell's label to the first output that it can be meant for: with a caption, or else a picture or table."""
    captioned = [output for output in outputs if "post_caption" in output]
    of_kind = [output for output in captioned if label.startswith("tbl-") == ("post_table" in output)]
    drawn = [output for output in outputs if "post/picture" in output.get("data", {}) or _shows_table(output)]
    for output in (of_kind or captioned or drawn or outputs)[:1] if label else []:
        output["post_label"] = label


def _tidy_side(image, side: str) -> None:
    """Leaves a picture's width or height only in pixels; a share of the text's width is a style."""
    value = (image.get(side) or "").strip()
    if value.isdecimal() or image.get(side) is None:
        return
    del image.attrib[side]
    if stated := re.fullmatch(r"(\d{1,5})(?:\.\d+)?(px|%)", value):
        if stated[2] == "px":
            image.set(side, stated[1])
        else:
            image.set("style", f"{side}:{value}")


class Pictures(Preprocessor):
    """Turns each picture among the outputs into {"post/picture": address}, described for who cannot see it."""

    def __init__(self, folder: PictureFolder, words: dict, losses: Losses, **kwargs):
        super().__init__(**kwargs)
        self.folder, self.words, self.losses = folder, words, losses

    def preprocess(self, nb, resources):
        heading = ""
        for number, cell in enumerate(nb.cells, 1):
            cell.metadata["post_number"] = number
            if cell.cell_type == "markdown":
                heading = last_heading(cell.source) or heading
            elif cell.cell_type == "code":
                wishes, self.losses.cell = cell.metadata["post"], cell.metadata["cell"]
                fallback = self.words["picture_under"].format(heading) if heading else self.words["picture"]
                alts = _several(wishes.get("alt")) or [title_in_code(cell.source) or fallback]
                wishes["alt"] = alts[0]
                for index, output in enumerate(cell.outputs, 1):
                    self._move(output, f"cell-{number:02d}-{index}")
                _describe(cell.outputs, alts, *(_several(wishes.get(key)) for key in ("caption", "table_caption")))
                _put_label(cell.outputs, wishes.get("label", ""))
        return nb, resources

    def _move(self, output, name):
        folder, data = self.folder, output.get("data", {})
        found = [mime for mime in SUFFIXES if mime in data and "text/html" not in data]
        for mime in found:
            size = _stated_size(output.get("metadata", {}).get(mime))
            content = data[mime].encode() if mime == "image/svg+xml" else None
            address = (
                folder.add(name, mime, content, size) if content else folder.add_base64(name, mime, data[mime], size)
            )
            if address:
                output.data = {"post/picture": address}
                return
        if found:
            self.losses.tell(f"an output of the type {', '.join(found)} is no picture that can be read; left out")
