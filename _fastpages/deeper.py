"""Folds the sections that a first reader can skip: those with `<!-- deeper -->` in the line below their heading.

Jupyter and GitHub show nothing of the comment. On the page, all that stands below the heading is folded, up to the next
heading of its level or of a higher one; the heading itself stays where links, contents and the search find it. What is
said on the fold has the minutes that the section takes.
"""

import html
import re

from lxml.html import Element, fromstring

from .losses import Losses
from .reading import minutes_to_read
from .tree import parse, write

COMMENT = re.compile(r"<!--\s{0,9}deeper\s{0,9}-->")
MARK = '<span class="deeper-mark"></span>'  # what stands for the comment until the page is put together
MARKED = "span[@class='deeper-mark']"
HEADINGS = {"h2", "h3", "h4", "h5", "h6"}


def mark_comments(source: str) -> str:
    """HTML of a text with marks in place of its comments, which the sanitiser would drop."""
    return COMMENT.sub(MARK, source)


def check_marks(root, losses: Losses) -> None:
    """Takes away the marks in a cell's tree that are not alone below a heading, and tells of them."""
    for mark in root.xpath(f".//{MARKED}"):
        if not _is_below_heading(mark, root):
            losses.tell("<!-- deeper -->: no heading stands directly above it; nothing is folded")
            mark.drop_tree()


def _is_below_heading(mark, root) -> bool:
    above = mark.getprevious()
    if mark.getparent() is not root or above is None or above.tag not in HEADINGS or not above.get("id"):
        return False  # one written in HTML may have no name, so that nothing could lead to it
    return not (above.tail or "").strip() and not (mark.tail or "").split("\n")[0].strip()


def fold_sections(body: str, words: dict) -> str:
    """The page's HTML, a block for each cell, with the marked sections folded."""
    if MARK not in body:
        return body
    root = parse(body)
    for mark in reversed(root.xpath(f"./div[@class='prose']/{MARKED}")):  # a section within another comes first
        _fold(root, mark, words)
    for mark in root.xpath(f".//{MARKED}"):  # of an output, which is no part of the text
        mark.drop_tree()
    return write(root)


def _fold(root, mark, words: dict) -> None:
    heading = mark.getprevious()
    end = _end(root, heading)
    if end is not None:
        _cut(end)
    first = _cut(mark)
    mark.drop_tree()
    fold = Element("details", {"class": "deeper", "aria-labelledby": heading.get("id")})
    first.addprevious(fold)
    last = None if end is None else end.getparent()
    while (block := fold.getnext()) is not last:
        fold.append(block)
    minutes = minutes_to_read(write(fold))
    said = html.escape(words["deeper"].format(minutes))
    fold.insert(0, fromstring(f'<summary data-pagefind-ignore="">{said}</summary>'))
    fold.text = fold.tail = "\n"


def _end(root, heading):
    """The heading at which a section ends; None of one that goes on to the page's end."""
    headings = [each for each in root.xpath("./div[@class='prose']/*") if each.tag in HEADINGS]
    later = headings[headings.index(heading) + 1 :]
    return next((each for each in later if each.tag <= heading.tag), None)


def _cut(element):
    """The block of prose that an element opens; where it stands within one, its block is cut in two."""
    block = element.getparent()
    if element.getprevious() is None:
        return block
    rest = Element("div", {"class": "prose"})
    rest.extend([element, *element.itersiblings()])
    block.addnext(rest)
    return rest
