"""A sanitised fragment of HTML as a tree: its elements are changed one by one, and all else is written as it was."""

import re
from html import escape

from lxml import html

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")  # what YAML, HTML or a feed must not hold


def parse(fragment: str):
    """The fragment, without what no page may hold, in an element of its own."""
    return html.fragment_fromstring(CONTROL.sub("", fragment), create_parent="div")


def write(root) -> str:
    """What stands in the element that `parse` gave.

    Styles quote with ' alone: the theme tells by ` style="` whether a page's policy has to allow them.
    """
    for element in root.xpath(".//*[contains(@style, '\"')]"):
        element.set("style", element.get("style").replace('"', "'"))
    return escape(root.text or "", quote=False) + "".join(html.tostring(child, encoding="unicode") for child in root)


def put_into(box, element) -> None:
    """Puts a new element around one of the tree."""
    box.tail, element.tail = element.tail, None
    parent = element.getparent()
    parent[parent.index(element)] = box
    box.append(element)
