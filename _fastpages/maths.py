"""Draws the formulas of a page with KaTeX, all at once: readers get finished HTML and MathML, and no script."""

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .errors import NotebookError, one_line
from .files import write

SCRIPT = Path(__file__).with_name("katex.mjs")
KATEX = Path(__file__).parent.parent / "node_modules" / "katex" / "dist"
# What `markdown` and `exporter` leave in a page: TeX between its dollars, escaped.
MARK = re.compile(r'<(span|div) class="math">')
LONGEST = 5000  # characters of a formula
PARAGRAPH_END = re.compile(r"\s*</p>")
SECONDS = 60  # that all formulas of a page may take


def node() -> str:
    """Node.js: the environment's own, or else the system's."""
    own = Path(sys.executable).with_name("node")
    found = str(own) if own.is_file() else shutil.which("node")
    if not found or not KATEX.is_dir():
        raise NotebookError("formulas need Node.js and KaTeX: run `make site`, which installs them")
    return found


def _tex(marked: str):
    """(TeX without its delimiters, whether it is a line of its own)."""
    text = html.unescape(marked).strip()
    for opening, closing, display in (
        ("$$", "$$", True),
        ("\\[", "\\]", True),
        ("\\(", "\\)", False),
        ("$", "$", False),
    ):
        if text.startswith(opening) and text.endswith(closing) and len(text) > len(opening):
            return text[len(opening) : -len(closing)].strip(), display
    return text, True


def _marked(body: str):
    """Each formula's mark as (where it starts, where it ends, its element, what stands in it)."""
    place, unclosed = 0, set()
    while opening := MARK.search(body, place):
        place, element = opening.end(), opening[1]
        end = -1 if element in unclosed else body.find(f"</{element}>", place)
        if end < 0:
            unclosed.add(element)
            continue
        yield opening.start(), end + len(f"</{element}>"), element, body[place:end]
        place = end


def _paragraph(body: str, start: int, end: int):
    """(start, end) of the paragraph that holds nothing but what stands between the places; None where it holds more."""
    while start and body[start - 1].isspace():
        start -= 1
    closing = PARAGRAPH_END.match(body, end)
    return (start - len("<p>"), closing.end()) if closing and body.endswith("<p>", 0, start) else None


def _set_apart(body: str) -> str:
    """`body` with each displayed formula that is a paragraph by itself in an element of its own, not within `<p>`."""
    parts, last = [], 0
    for start, end, element, tex in _marked(body):
        displayed = element == "span" and len(tex) > 3 and tex.startswith("$$") and tex.endswith("$$")
        if displayed and (paragraph := _paragraph(body, start, end)):
            parts += [body[last : paragraph[0]], f'<div class="math">{tex}</div>']
            last = paragraph[1]
    return "".join([*parts, body[last:]])


def _ask_katex(formulas: list, name: str) -> list:
    """What KaTeX makes of each (TeX, display): {"html"} or {"error"}."""
    try:
        done = subprocess.run(
            [node(), SCRIPT],
            input=json.dumps(formulas),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise NotebookError(f"{name}: its formulas take longer than {SECONDS} s to draw: make them shorter") from None
    if done.returncode:
        raise NotebookError(f"{name}: KaTeX failed: {one_line(done.stderr[-LONGEST:])}")
    return json.loads(done.stdout)


def draw(body: str, name: str) -> tuple:
    """(`body` with its formulas drawn, how many there are). NotebookError for a formula that KaTeX can't read."""
    body = _set_apart(body)
    marks = list(_marked(body))
    formulas = [_tex(content) for *_, content in marks]
    if not formulas:
        return body, 0
    longest = max(len(tex) for tex, _ in formulas)
    if longest > LONGEST:
        raise NotebookError(f"{name}: a formula has {longest} characters: {LONGEST} are the most")
    drawn = _ask_katex(formulas, name)
    problems = [
        f"{name}: formula {one_line(repr(tex))}: {one_line(result['error'])}"
        for (tex, _), result in zip(formulas, drawn)
        if "error" in result
    ]
    if problems:
        raise NotebookError("\n".join(problems))
    parts, last = [], 0
    for (start, end, element, _), (_, display), result in zip(marks, formulas, drawn):
        attributes = ' class="math display" tabindex="0"' if display else ' class="math"'
        parts += [body[last:start], f'<{element}{attributes} data-pagefind-ignore="all">{result["html"]}</{element}>']
        last = end
    return "".join([*parts, body[last:]]), len(formulas)


def publish_style(out: Path) -> None:
    """Puts KaTeX's style sheet and fonts under `out/assets/katex`, where the pages look for them."""
    target, style = out / "assets" / "katex", KATEX / "katex.min.css"
    if not style.is_file():
        return
    text = re.sub(
        r',url\([^)]*\.(?:woff|ttf)\)\s*format\("[a-z]+"\)', "", style.read_text(encoding="utf-8")
    )  # every browser reads woff2
    for font in (KATEX / "fonts").glob("*.woff2"):
        write(target / "fonts" / font.name, font.read_bytes())
    write(target / style.name, text.encode())
