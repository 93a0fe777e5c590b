"""Mends addresses in markdown that hold a space or a bracket as it is typed: `![](pics/a b.png)`."""

import re

from .prose import outside_code

ENDINGS = (
    "png|jpe?g|jfif|gif|svg|webp|bmp|tiff?|avif|mp3|m4a|wav|ogg|oga|flac|mp4|m4v|webm|ogv|mov|ipynb|md|markdown|"
    "html?|pdf|csv|tsv|txt|json|ya?ml|zip|gz|py|ipynb|docx?|xlsx?|pptx?"
)
PATH = rf"[^<>\n]{{1,300}}?\.(?:{ENDINGS})(?:[?#][^\s()<>]*)?"
TITLE = r"(?P<title>[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?"
INLINE = re.compile(rf"\]\([ \t]*(?P<path>{PATH}){TITLE}[ \t]*\)", re.I)
DEFINITION = re.compile(rf"^(?P<label> {{0,3}}\[[^\]\n]+\]:[ \t]+)(?P<path>{PATH}){TITLE}[ \t]*$", re.I | re.M)


def _is_balanced(path: str) -> bool:
    """Whether each closing bracket has its opening one, as in a path and unlike in the text behind a link."""
    depth = 0
    for character in path:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _needs_brackets(path: str) -> bool:
    return bool(re.search(r"[ \t]", path)) and _is_balanced(path)


def _inline(match) -> str:
    path = match["path"]
    return f"](<{path}>{match['title'] or ''})" if _needs_brackets(path) else match[0]


def _definition(match) -> str:
    path = match["path"]
    return f"{match['label']}<{path}>{match['title'] or ''}" if _needs_brackets(path) else match[0]


def mend_addresses(source: str) -> str:
    """`source` with pointed brackets around the addresses of links and pictures that hold spaces."""
    if not INLINE.search(source) and not DEFINITION.search(source):
        return source
    return outside_code(source, lambda text: DEFINITION.sub(_definition, INLINE.sub(_inline, text)))
