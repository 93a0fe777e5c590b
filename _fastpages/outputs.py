"""Takes out of a cell's outputs what means nothing on a page: progress bars, names of objects, endless text."""

import re

from nbconvert.preprocessors import Preprocessor

from .maths import LONGEST
from .progress import is_progress, shows_bar, without_bars
from .sanitize import says_something
from .scan import outgrows

WIDGET = "application/vnd.jupyter.widget-view+json"
PLOT_REPR = re.compile(
    r"\[?<(Figure|Axes|AxesSubplot|matplotlib\.|mpl_toolkits\.|seaborn\.)"
    r"|Text\(-?[\d.]+, -?[\d.]+, |<IPython\.core\.display\."
)
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What a reader will not scroll through, and a page should not weigh.
MOST_LINES, MOST_CHARACTERS = 200, 20_000
MOST_MARKED = {"text/html": 300_000, "text/markdown": 300_000, "text/latex": LONGEST}
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


def _clean_data(data: dict, trusted: bool):
    """The output's data without what is not worth showing; empty when nothing is left."""
    if WIDGET in data:
        return {}
    if trusted and "<script" in data.get("text/html", ""):
        return data  # a drawing that comes about in the reader's browser, which the notebook's author vouches for
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
    return {mime: value for mime, value in data.items() if value}


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

    def __init__(self, trusted: bool, **kwargs):
        super().__init__(**kwargs)
        self.trusted = trusted

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type != "code":
            return cell, resources
        joined = _join_streams(cell.outputs)
        cell.outputs = []
        for output in joined:
            if output.output_type == "stream":
                output.text, output["post_cut"] = cut_text(clean_text(output.text))
                keep = bool(output.text.strip())
            elif output.output_type == "error":
                keep = True
            else:
                output.data = _clean_data(output.data, self.trusted)
                keep = bool(output.data)
            if keep:
                cell.outputs.append(output)
        return cell, resources
