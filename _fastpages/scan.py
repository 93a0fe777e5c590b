"""Finds pieces of HTML in one pass: a regular expression would read to the end from each that is not closed."""

import re

NAME = re.compile(r"<(/?)([a-z][a-z0-9]*)", re.I)
# Elements that HTML closes by itself, so that a long list or table without closing tags is not deep.
CLOSED_BY_ITSELF = set(
    "area base br caption col colgroup dd dt embed hr img input li link meta option p rp rt source tbody td tfoot th "
    "thead tr track wbr".split()
)
# Elements that HTML opens again in the next block where one ends before them.
FORMATTING = set("a b big code em font i nobr s small strike strong tt u".split())
DEEPEST = 200  # elements within each other
MOST_REPEATED = 20_000_000  # characters that formatting may add in the worst case


def spans(text: str, opening: str, closing: str):
    """Each piece from an `opening` to the `closing` next to it, as (where it starts, where it ends); no two overlap.

    Both are regular expressions that read no further than the mark itself.
    """
    opening, closing = re.compile(opening, re.I), re.compile(closing, re.I)
    start = opening.search(text)
    while start and (end := closing.search(text, start.end())):
        yield start.start(), end.end()
        start = opening.search(text, end.end())


def replace(text: str, opening: str, closing: str, new) -> str:
    """`text` with `new(piece)` in place of each piece that `spans` finds."""
    parts, last = [], 0
    for start, end in spans(text, opening, closing):
        parts += [text[last:start], new(text[start:end])]
        last = end
    return "".join([*parts, text[last:]])


def cut(text: str, opening: str, closing: str) -> str:
    """`text` without the pieces that `spans` finds."""
    return replace(text, opening, closing, lambda piece: "")


def strip_tags(html: str) -> str:
    """What stands between the tags."""
    return cut(html, "<", ">")


def _size(marks: list, place: int) -> int:
    """Characters from one mark to the next: those of the tag, and of the text behind it."""
    return marks[place + 1].start() - marks[place].start() if place + 1 < len(marks) else 0


def outgrows(html: str) -> bool:
    """Whether a parser would make far more of the HTML than stands there.

    It takes quadratic time for deep nesting, and repeats formatting that stays open in each block that follows.
    """
    marks = list(NAME.finditer(html))
    depth, repeated, formats = 0, 0, {}  # formats: name -> the sizes of those that are open
    for place, mark in enumerate(marks):
        name, closes = mark[2].lower(), bool(mark[1])
        if name in CLOSED_BY_ITSELF:
            continue
        depth = max(0, depth - 1) if closes else depth + 1
        if name in FORMATTING and not closes:
            formats.setdefault(name, []).append(_size(marks, place))
            repeated += formats[name][-1]
        elif formats.get(name):
            repeated -= formats[name].pop()
        if depth > DEEPEST or repeated * len(marks) > MOST_REPEATED:
            return True
    return False
