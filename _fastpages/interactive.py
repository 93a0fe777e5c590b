"""Knows the outputs that come about in a reader's browser: charts, maps, widgets.

Of these a page shows the picture that they bring along; where they bring none, it says so.
"""

import re

from .progress import is_progress
from .scan import replace

WIDGET = "application/vnd.jupyter.widget-view+json"
# Each kind's name, and how its data is told: by the type, or by what stands in the HTML.
KINDS = (
    ("Altair", r"application/vnd\.vega", r"vegaEmbed|vega-embed|altair-viz"),
    ("plotly", r"application/vnd\.plotly", r"plotly-graph-div|Plotly\.(?:newPlot|react|plot)\b"),
    ("Bokeh", r"application/vnd\.bokehjs_exec", r"bk-root|data-root-id|Bokeh\.embed"),
    ("HoloViews", r"application/vnd\.holoviews_exec", r"HoloViews|\bhv-plot"),
    ("Folium", r"", r"Make this Notebook Trusted|folium-map|L\.map\("),
    ("JavaScript", r"application/javascript$", r"class=[\"']animation[\"']|_anim_img"),
    ("iframe", r"", r"<iframe\b[^<>]{0,2000}\bsrcdoc="),
)
LOADERS = re.compile(r"application/vnd\.(?:bokehjs|holoviews)_load")
LOADING = re.compile(r"Loading BokehJS|require\.undef\([\"']plotly|window\.PlotlyConfig\s*=|bk-logo|_repr_loading")
BARS = re.compile(r"Progress\(|^Output\(\)$|^(?:HBox|VBox)\(\)$")
FIRST_FRAME = re.compile(r"frames\[0\]\s*=\s*\"data:(image/(?:png|jpeg));base64,([^\"]{1,9000000})\"")
LOOKED_AT = 3_000_000  # characters of HTML


def is_loader(data: dict) -> bool:
    """Whether an output only brings a library's scripts, and shows nothing."""
    html = data.get("text/html", "")
    drawn = kind_of({"text/html": html}) if html else None
    return any(map(LOADERS.match, data)) or bool(LOADING.search(html[:LOOKED_AT]) and drawn in {None, "Bokeh"})


def _is_bar(data: dict) -> bool:
    """Whether a widget was a progress bar, or a place for other outputs."""
    text = data.get("text/plain", "").strip()
    return not text or bool(BARS.search(text)) or any(map(is_progress, text.split("\n")))


def kind_of(data: dict) -> str | None:
    """What draws an output in the browser; None of one that stands for itself."""
    html = data.get("text/html", "")[:LOOKED_AT]
    for name, mime, words in KINDS:
        if mime and any(re.match(mime, key) for key in data):
            return name
        if html and re.search(words, html):
            return name
    if WIDGET in data and not html:
        return None if _is_bar(data) else "ipywidgets"
    return None


def first_frame(html: str) -> dict:
    """{type: picture} of the first picture of an animation that matplotlib wrote as a script; empty without one."""
    found = FIRST_FRAME.search(html)
    return {found[1]: found[2].replace("\\\n", "").replace("\\n", "")} if found else {}


def _address(piece: str) -> str:
    """Where a frame's page is; "" where it holds the page itself."""
    found = re.search(r"\ssrc\s*=\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s>]+))", piece, re.I)
    address = (found[1] or found[2] or found[3]).strip() if found else ""
    return "" if re.match(r"(?!https?:)[a-z]+:", address, re.I) else address


def frame_address(html: str) -> str:
    """Where the first page leads that is embedded in the HTML; "" without one."""
    found = re.search(r"<iframe\b[^<>]{0,2000}>", html, re.I)
    address = _address(found[0]) if found else ""
    return re.sub(r"^https?://(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]+).*", r"https://youtu.be/\1", address)


def link_frames(html: str) -> str:
    """HTML with a link in place of each page that is embedded by its address; others are left to the sanitiser."""

    def link(piece):
        address = frame_address(piece)
        shown = address.removeprefix("https://").removeprefix("//")
        return f'<a href="{address}">{shown}</a>' if address else piece

    return replace(html, r"<iframe\b", "</iframe>", link)
