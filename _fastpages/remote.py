"""Puts links in place of pictures of other hosts, which a page does not load."""

import re

PIECE = re.compile(r"<a\b|</a>|<img\b[^<>]{0,5000}>", re.I)
ATTRIBUTE = r"\s{}\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))"
SOURCE, WORDS, TITLE = (re.compile(ATTRIBUTE.format(name), re.I) for name in ("src", "alt", "title"))
REMOTE = re.compile(r"\s*(?:https?:)?//", re.I)


def _value(pattern, tag: str) -> str:
    """What an attribute of a tag says, escaped as it stands there."""
    found = pattern.search(tag)
    return next((group for group in found.groups() if group is not None), "").strip() if found else ""


def _link(tag: str, address: str) -> str:
    title = _value(TITLE, tag).replace('"', "&quot;")
    caption = f' title="{title}"' if title else ""
    quoted = address.replace('"', "%22")
    return f'<a href="{quoted}"{caption}>{_value(WORDS, tag) or address}</a>'


def link_pictures(html: str) -> str:
    """HTML with a link in place of each picture of another host; within a link, with the words that describe it."""
    if "<img" not in html.lower():
        return html
    depth = 0

    def put(piece):
        nonlocal depth
        tag = piece[0]
        if not tag.lower().startswith("<img"):
            depth = max(0, depth - 1) if tag.startswith("</") else depth + 1
            return tag
        address = _value(SOURCE, tag)
        if not REMOTE.match(address):
            return tag
        return (_value(WORDS, tag) or address.rpartition("/")[2] or address) if depth else _link(tag, address)

    return PIECE.sub(put, html)
