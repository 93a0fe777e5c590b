"""Writes source text as highlighted HTML."""

import html
import re
from functools import cache

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from .patience import at_most

LONG = 72  # characters of a line that fit beside the contents of a page
DEEPEST = 6  # steps of four characters by which a line that goes on is indented at most
WEIGHT = 0.3  # of a word in code, for the search, where one in prose has 1
SECONDS_OF_COLOUR = 1  # after which code stays as it is: some of it takes a lexer quadratic time


@cache
def _lexer(language: str):
    """What reads a language; for one that nobody knows, what leaves it as it is."""
    try:
        return get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        return get_lexer_by_name("python" if language == "ipython3" else "text", stripnl=False)


def _wrapping(code: str, shown: str) -> str:
    """Highlighted code with each long line in a box of its own, which goes on further in than it begins.

    The line's end is in the box as well: behind one it would be an empty line.
    """
    lines, pieces = code.split("\n"), re.findall(r"[^\n]*\n|[^\n]+$", shown)
    if len(lines) != len(pieces):
        return shown
    for place, line in enumerate(lines):
        if len(line) > LONG:
            depth = min((len(line) - len(line.lstrip())) // 4, DEEPEST)
            pieces[place] = f'<span class="long in-{depth}">{pieces[place]}</span>'
    return "".join(pieces)


def code_html(code: str, language: str = "ipython3") -> str:
    """Source text as highlighted HTML: a block that scrolls by keyboard, in a box where the theme puts its button."""
    lexer, code = _lexer(language), code.rstrip("\n")
    try:
        with at_most(SECONDS_OF_COLOUR):
            inner = highlight(code, lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    except TimeoutError:
        inner = html.escape(code)
    name = "python" if lexer.aliases[0].startswith("ipython") else lexer.aliases[0]
    block = f'<pre class="highlight" tabindex="0"><code class="language-{name}">{_wrapping(code, inner)}</code></pre>'
    return f'<div class="code" data-pagefind-weight="{WEIGHT}">{block}</div>'
