"""Draws the formulas of a page with KaTeX, all at once: readers get finished HTML and MathML, and no script."""

import html
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .code import code_html
from .errors import NotebookError, one_line
from .files import write
from .losses import Losses
from .tex import Formula, Numbers, readable

SCRIPT = Path(__file__).with_name("katex.mjs")
KATEX = Path(__file__).parent.parent / "node_modules" / "katex" / "dist"
# What `markdown` and `exporter` leave in a page: TeX between its dollars, escaped.
MARK = re.compile(r'<(span|div) class="math">')
LONGEST = 5000  # characters of a formula
CELL_OPEN, CELL_CLOSE = "\ue020", "\ue021"  # around the number of a cell; private characters that no text has
CELL = re.compile(f"{CELL_OPEN}(\\d{{1,9}}){CELL_CLOSE}")
PARAGRAPH_END = re.compile(r"\s*</p>")
# A browser breaks a line behind a formula, even before these.
CLOSING = (")", "]", "”", "’", ".", ",", ";", ":", "!", "?")
PIECE = 'class="katex-base"'  # a line can break between two of them
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


def _cells(body: str):
    """A function that tells for each place of the body, asked in their order, the number of the cell that it is in."""
    marks, current = CELL.finditer(body), [None, next(CELL.finditer(body), None)]
    next(marks, None)

    def cell_at(place: int):
        while current[1] and current[1].start() <= place:
            current[:] = [int(current[1][1]), next(marks, None)]
        return current[0]

    return cell_at


def mark_cell(number: int) -> str:
    """What opens a cell in a body, until its formulas are drawn."""
    return f"{CELL_OPEN}{number}{CELL_CLOSE}"


def _source(formula: Formula, element: str) -> str:
    """A formula that cannot be drawn, as it was written."""
    if element == "div":
        return code_html(formula.source, "latex")
    return f"<code>{html.escape(formula.source)}</code>"


def _drawn(formula: Formula, element: str, result: dict) -> str:
    """What stands in a page for a formula."""
    if formula.link:
        name, text = formula.link
        return f'<a href="#{html.escape(name)}">{html.escape(text)}</a>' if name else html.escape(text)
    if "error" in result:
        return _source(formula, element)
    attributes = ' class="math display" tabindex="0"' if formula.display else ' class="math"'
    name = f' id="{html.escape(formula.name)}"' if formula.name else ""
    drawn = result["html"].replace('<mtd width="50%">', "<mtd>")  # around a number; no MathML of today has it
    return f'<{element}{attributes}{name} data-pagefind-ignore="all">{drawn}</{element}>'


def _joined(drawn: str, after: str) -> str:
    """A formula in the text, with the mark behind it on the same line."""
    if after and drawn.startswith('<span class="math"') and drawn.count(PIECE) == 1:
        return f'<span class="whole">{drawn}{after}</span>'
    return drawn + after


def _ask(formulas: list, losses: Losses) -> list:
    """What KaTeX makes of the formulas; the author is told of those that it can't read."""
    drawn = _ask_katex([[formula.tex, formula.display] for formula in formulas], losses.name)
    for formula, result in zip(formulas, drawn):
        if "error" in result and not formula.link:
            losses.cell = formula.cell
            what = one_line(repr(formula.source)[:100])
            losses.tell(f"formula {what}: {one_line(result['error'])[:150]}; its source is shown instead")
    return drawn


def draw(body: str, losses: Losses) -> tuple:
    """(`body` with its formulas drawn, how many there are); of a formula that KaTeX can't read the source is shown."""
    body = _set_apart(body)
    marks, cell_at = list(_marked(body)), _cells(body)
    if not marks:
        return CELL.sub("", body), 0
    formulas = [Formula(*_tex(content), cell_at(start)) for start, *_, content in marks]
    longest = max(len(formula.tex) for formula in formulas)
    if longest > LONGEST:
        raise NotebookError(f"{losses.name}: a formula has {longest} characters: {LONGEST} are the most")
    for formula in formulas:
        formula.tex = readable(formula.tex)
    Numbers(losses).number(formulas)
    parts, last = [], 0
    for (start, end, element, _), formula, result in zip(marks, formulas, _ask(formulas, losses)):
        after = body[end : end + 1] if body.startswith(CLOSING, end) else ""
        parts += [body[last:start], _joined(_drawn(formula, element, result), after)]
        last = end + len(after)
    return CELL.sub("", "".join([*parts, body[last:]])), len(formulas)


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
