"""Writes source text as highlighted HTML."""

import html
from functools import cache

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from .patience import at_most

SECONDS_OF_COLOUR = 1  # after which code stays as it is: some of it takes a lexer quadratic time


@cache
def _lexer(language: str):
    """What reads a language; for one that nobody knows, what leaves it as it is."""
    try:
        return get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        return get_lexer_by_name("python" if language == "ipython3" else "text", stripnl=False)


def code_html(code: str, language: str = "ipython3") -> str:
    """Source text as highlighted HTML: a block that scrolls by keyboard, in a box where the theme puts its button."""
    lexer, code = _lexer(language), code.rstrip("\n")
    try:
        with at_most(SECONDS_OF_COLOUR):
            inner = highlight(code, lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    except TimeoutError:
        inner = html.escape(code)
    name = "python" if lexer.aliases[0].startswith("ipython") else lexer.aliases[0]
    block = f'<pre class="highlight" tabindex="0"><code class="language-{name}">{inner}</code></pre>'
    return f'<div class="code">{block}</div>'
