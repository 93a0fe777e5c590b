"""Writes what kramdown alone understands as Markdown that notebooks understand too: contents, attributes, formulas."""

import re

from .numbered import CODE, FENCE, Numbered
from .report import CHANGED, NOT_TAKEN

ATTRIBUTE = r"""(?:[.#][A-Za-z][\w-]*|[A-Za-z][\w-]*=(?:"[^"\n]*"|'[^'\n]*')|toc|refdef)"""
PIECE = re.compile(
    rf"{FENCE}|{CODE}"
    r"|(?P<toc>^[ \t]*(?:\d+\.|[-*+])[^\n]*\n[ \t]*\{:[ ]?toc[^}\n]*\}[ \t]*$)"
    rf"|(?P<attributes>(?<![ \t])[ \t]*\{{:[ ]?(?:refdef:)?[ ]*{ATTRIBUTE}(?:[ ]+{ATTRIBUTE})*[ ]*\}})"
    r"|(?P<inline>(?<=[^\s$\\])[ \t]*\$\$(?P<formula>[^$\n]+)\$\$|\$\$(?P<opening>[^$\n]+)\$\$(?=[ \t]*[^\s$]))"
    r"|(?P<definition>^(?=:[ \t]+\S)|^(?=\*\[[^\]\n]+\]:))",
    re.M,
)
SIZE = re.compile(r"""\b(width|height)=["']?(\d+(?:px|%)?)["']?""")


def _attributes(match, tell) -> str:
    """What stands for a list of attributes: the size of the picture before it."""
    text = match["attributes"].strip()
    is_picture = match.string[max(0, match.start() - 1) : match.start()] in {")", ">"}
    sizes = [f"{side}={size}" for side, size in SIZE.findall(text)] if is_picture else []
    if SIZE.sub("", text).strip("{:} ") or not sizes:
        tell(f"{text}: written {'as a size alone' if sizes else 'without'}, since it speaks of fastpages' theme")
    return f"{{{' '.join(sizes)}}}" if sizes else ""


def plain(numbered: Numbered, tell) -> bool:
    """Rewrites the text and tells `tell(kind, line, what)`; whether kramdown was to write the contents in it."""
    has_contents = False

    def write(match):
        nonlocal has_contents
        line = numbered.line(match)
        if match["toc"] is not None:
            has_contents = True
            tell(CHANGED, line, "the contents stand beside the text here: toc: true")
            return ""
        if match["attributes"] is not None:
            return _attributes(match, lambda what: tell(CHANGED, line, what))
        if match["inline"] is not None:
            return match["inline"].replace("$$", "$")
        if match["definition"] is not None:
            tell(NOT_TAKEN, line, "a definition of kramdown's, which stays as text")
        return match[0]

    numbered.sub(PIECE, write)
    return has_contents
