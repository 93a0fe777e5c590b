"""Puts the full text of lessons and posts into the built site's feed, as feed readers can show it.

`python -m _fastpages.feed [_site]`. A reader of feeds has no style sheet: formulas come as their TeX, code without
colours, notes at the end alone, and every address with its host. The toolkit's entries keep their summaries.
"""

import sys
from html import escape
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

from lxml import etree, html

from .files import write

ATOM = "http://www.w3.org/2005/Atom"
DROPPED = ("anchor", "sidenote", "fnback", "on-dark", "cited-work")  # classes of elements
KEPT = {"alt", "colspan", "controls", "height", "href", "id", "open", "rowspan", "src", "start", "title", "width"}


def _of_class(root, name: str) -> list:
    return root.xpath(f".//*[contains(concat(' ', @class, ' '), ' {name} ')]")


def _plain_formulas(root) -> None:
    """Puts the TeX in place of each formula."""
    for formula in _of_class(root, "math"):
        tex = formula.xpath("string(.//annotation)")
        tail, formula.tail = formula.tail, None
        formula.clear()
        formula.tail = tail
        code = etree.SubElement(formula, "code")
        code.text = tex


def _plain_code(root) -> None:
    """Leaves highlighted code without its colours."""
    for code in root.xpath(".//pre//code | .//pre[not(code)]"):
        text, tail = code.text_content(), code.tail
        code.clear()
        code.text, code.tail = text, tail


def simplified(content, address: str) -> str:
    """The HTML of a page's text, an element of lxml's, for a reader of feeds; `address` is the page's own."""
    for element in content.xpath(".//script | .//style | .//iframe | .//object | .//embed"):
        element.drop_tree()
    for name in DROPPED:
        for element in _of_class(content, name):
            element.drop_tree()
    _plain_formulas(content)
    _plain_code(content)
    for element in content.iter(etree.Element):
        for name in [name for name in element.attrib if name not in KEPT]:
            del element.attrib[name]
        for name in {"href", "src"} & set(element.attrib):
            element.set(name, urljoin(address, element.get(name)))
    inner = escape(content.text or "", quote=False)
    return (inner + "".join(html.tostring(child, encoding="unicode") for child in content)).strip()


def text_of(page: Path, address: str) -> str | None:
    """The full text of a built page for the feed; None of one of the toolkit, or of one without a text."""
    root = html.fromstring(page.read_text(encoding="utf-8"))
    content = _of_class(root, "post-content")
    if not content or root.xpath("//*[@class='post-part']/a"):
        return None
    return simplified(content[0], address)


def main(site: str = "_site") -> None:
    """Adds the texts to `feed.xml`; a site without a feed needs none of this."""
    site = Path(site)
    path = site / "feed.xml"
    if not path.is_file():
        return
    ElementTree.register_namespace("", ATOM)
    ElementTree.register_namespace("media", "http://search.yahoo.com/mrss/")
    tree = ElementTree.parse(path)
    base = urlsplit(tree.find(f"{{{ATOM}}}link[@rel='alternate']").get("href")).path
    for entry in tree.iter(f"{{{ATOM}}}entry"):
        address = entry.find(f"{{{ATOM}}}link").get("href")
        page = site / unquote(urlsplit(address).path).removeprefix(base)
        text = text_of(page, address) if page.is_file() else None
        if text and entry.find(f"{{{ATOM}}}content") is None:
            ElementTree.SubElement(entry, f"{{{ATOM}}}content", {"type": "html"}).text = text
    write(path, ElementTree.tostring(tree.getroot(), encoding="utf-8", xml_declaration=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
