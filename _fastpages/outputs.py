"""Takes out of a cell's outputs what means nothing on a page: progress bars, names of objects, endless text."""

import json
import re

from nbconvert.preprocessors import Preprocessor

from .interactive import WIDGET, first_frame, frame_address, is_loader, kind_of, link_frames
from .losses import Losses
from .maths import LONGEST
from .media import TYPE, Media
from .pictures import SUFFIXES
from .progress import is_progress, shows_bar, without_bars
from .sanitize import says_something
from .scan import cut, outgrows, replace

PLOT_REPR = re.compile(
    r"\[?<(Figure|Axes|AxesSubplot|matplotlib\.|mpl_toolkits\.|seaborn\.)"
    r"|Text\(-?[\d.]+, -?[\d.]+, |<IPython\.core\.display\."
)
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What a reader will not scroll through, and a page should not weigh.
MOST_LINES, MOST_CHARACTERS = 200, 20_000
MOST_MARKED = {"text/html": 300_000, "text/markdown": 300_000, "text/latex": LONGEST}
SHOWN = {"text/html", "text/markdown", "text/latex", "text/plain", "post/cut", "post/too_long"}
# Types whose absence no reader notices: others beside them say the same, or they say nothing.
QUIET = {
    "text/html",
    "text/plain",
    "application/json",
    "application/vnd.dataresource+json",
    "application/vnd.google.colaboratory.intrinsic+json",
    WIDGET,
}
OBJECT = re.compile(r"<[\w. ]{1,100}(?: at 0x[0-9a-fA-F]+)?>|")
EMBEDDED = re.compile(r"<img\b[^<>]{0,500}\ssrc=[\"']data:image/(?:png|jpeg|gif|webp);base64,")
ACTIVE = re.compile(r"<(script|iframe|embed|object|canvas|applet)\b", re.I)
CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-LN-Za-ln-z]|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]")  # all but colours


def clean_text(text: str) -> str:
    """Terminal text as it stood at the end: what a carriage return wrote over is gone, and so are progress bars."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        shown = [part for part in line.split("\r") if part.strip()]
        line = CURSOR.sub("", shown[-1] if shown else "")
        if is_progress(ANSI.sub("", line)) or (not line.strip() and "\r" in line):
            continue
        lines.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def cut_text(text: str):
    """(the start of a long text, how many of its lines are missing)."""
    lines = text.split("\n")
    kept, length = [], 0
    for line in lines[:MOST_LINES]:
        length += len(line) + 1
        if length > MOST_CHARACTERS:
            break
        kept.append(line)
    if not kept:  # one line without end
        return lines[0][:MOST_CHARACTERS], len(lines)
    return "\n".join(kept), len(lines) - len(kept)


def _clean_html(data: dict) -> None:
    """Leaves the HTML without progress bars, or none where nothing else was in it; then its text goes as well."""
    html = without_bars(data["text/html"])
    if says_something(html):
        data["text/html"] = html
        return
    had_bar = shows_bar(data.pop("text/html"))
    if had_bar or ANSI.sub("", data.get("text/plain", "")).startswith("<"):
        data.pop("text/plain", None)


def without_controls(html: str) -> str:
    """HTML without the drawings on its buttons, such as Colab puts beside a data frame."""
    return replace(html, r"<button\b", "</button>", lambda piece: cut(piece, r"<svg\b", "</svg>"))


def _pictures(data: dict) -> dict:
    return {mime: data[mime] for mime in SUFFIXES if mime in data}


def _take_frame(data: dict) -> str:
    """Takes away HTML that is nothing but another page, where there is a picture of it; gives that page's address."""
    html = data.get("text/html", "")
    address = frame_address(html) if _pictures(data) else ""
    if not address or says_something(cut(html, r"<iframe\b", "</iframe>")):
        return ""
    del data["text/html"]
    return address


def _draws(html: str) -> bool:
    """Whether HTML that shows nothing by itself has a place in which something would come about."""
    bare = cut(cut(cut(html, r"<script\b", "</script>"), r"<style\b", "</style>"), "<!--", "-->")
    return bool(re.search(r"<(?!script|style|link|meta|progress)[a-z]", bare, re.I))


def _show_json(data: dict) -> None:
    """Has an output of nothing but JSON shown as text."""
    if "application/json" in data and not {"text/html", "text/markdown", "text/latex", *SUFFIXES} & data.keys():
        data["text/plain"] = json.dumps(data["application/json"], indent=1, ensure_ascii=False)


def _clean_markup(data: dict) -> None:
    """Takes out what is too long or shows nothing."""
    for mime, most in MOST_MARKED.items():
        if mime in data and (len(data[mime]) > most or outgrows(data[mime])):
            del data[mime]
            data.setdefault("text/plain", "")
            data["post/too_long"] = True
    if "text/html" in data:
        _clean_html(data)
    if "text/plain" in data:
        text = clean_text(data["text/plain"])
        if text and not PLOT_REPR.match(text):
            data["text/plain"], data["post/cut"] = cut_text(text)
        else:
            del data["text/plain"]


def _join_streams(outputs: list) -> list:
    """The outputs, with neighbouring pieces of one stream made one."""
    joined, pieces = [], []
    for output in outputs:
        last = joined[-1] if joined else None
        if output.output_type == "stream" and last is not None and last.get("name") == output.name:
            pieces[-1].append(output.text)
            continue
        joined.append(output)
        pieces.append([output.text] if output.output_type == "stream" else None)
    for output, texts in zip(joined, pieces):
        if texts is not None:
            output.text = "".join(texts)
    return joined


class CleanOutputs(Preprocessor):
    """Joins the pieces of a stream, and leaves only outputs that show something."""

    def __init__(self, trusted: bool, media: Media, losses: Losses, **kwargs):
        super().__init__(**kwargs)
        self.trusted, self.media, self.losses = trusted, media, losses

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type != "code":
            return cell, resources
        self.losses.cell = cell.metadata["cell"]
        joined, name = _join_streams(cell.outputs), f"cell-{index + 1:02d}"
        cell.outputs = [output for place, output in enumerate(joined, 1) if self._keep(output, f"{name}-{place}")]
        return cell, resources

    def _keep(self, output, name: str) -> bool:
        """Cleans an output; says whether anything is left of it."""
        if output.output_type == "stream":
            output.text, output["post_cut"] = cut_text(clean_text(output.text))
            return bool(output.text.strip())
        if output.output_type == "error":
            return True
        output.data = self._play(output.data, name)
        address = _take_frame(output.data)
        output.data = self._clean(output.data)
        if address:
            output["post_source"] = f"<{address}>"
        return bool(output.data)

    def _play(self, data: dict, name: str) -> dict:
        """The data with a player's mark for each sound and film."""
        if "text/html" in data and not (self.trusted and "<script" in data["text/html"]):
            data["text/html"] = self.media.take(data["text/html"], name)
        for mime in [mime for mime in data if TYPE.fullmatch(mime)]:
            mark = self.media.add_base64(mime, data.pop(mime), name)
            if mark:
                return {"text/html": mark}
            self.losses.tell(f"{mime}: no sound or film of a type that browsers play; left out")
        return data

    def _clean(self, data: dict) -> dict:
        """The output's data without what is not worth showing; empty when nothing is left."""
        html = data.get("text/html", "")
        if self.trusted and "<script" in html:
            return data  # a drawing that comes about in the reader's browser, which the notebook's author vouches for
        if is_loader(data):
            return {}
        if kind := kind_of(data):
            return self._stand_in(kind, data)
        if WIDGET in data and not html and not _pictures(data):
            return {}
        had = sorted(mime for mime in data if mime not in QUIET)
        _show_json(data)
        if html:
            data["text/html"] = link_frames(without_controls(html))
        _clean_markup(data)
        left = {mime: value for mime, value in data.items() if value and (mime in SHOWN or mime in SUFFIXES)}
        return self._tell_of(html, had, left)

    def _stand_in(self, kind: str, data: dict) -> dict:
        """The picture that an interactive output brings along; or else a line in its place."""
        pictures = _pictures(data) or first_frame(data.get("text/html", ""))
        if pictures:
            return pictures
        if EMBEDDED.search(data.get("text/html", "")):
            return {"text/html": data["text/html"]}
        if kind == "JavaScript" and "text/html" not in data:
            self.losses.tell("a script (application/javascript): it does not run on a page; left out")
            return {}
        self.losses.tell(
            f"an output of {kind} comes about in a browser, and brings no picture of itself; left out. "
            "Show a picture beside it, or write trusted: true into the front matter"
        )
        return {"post/left_out": kind}

    def _tell_of(self, html: str, had: list, left: dict) -> dict:
        """What is left, after the author was told of a script in it; a line where nothing is left of data."""
        if had and not left.keys() - {"text/plain", "post/cut"} and OBJECT.fullmatch(left.get("text/plain", "")):
            left = {}  # the name of an object says nothing
        runs = ACTIVE.search(html) if "colab-df" not in html else None
        if runs:
            self.losses.tell(f"<{runs[1].lower()}> in an output does not run on a page; left out")
        if left or not (had or (runs and _draws(html))):
            return left
        if not had:
            return {"post/left_out": "JavaScript" if runs[1].lower() == "script" else runs[1].lower()}
        self.losses.tell(f"an output of the type {', '.join(had)} cannot be shown; left out")
        return {"post/left_out": ", ".join(had)}
