"""Makes figures of the pictures in markdown that have a title, reads the attributes that stand behind a picture, and
writes what encloses a picture that can be enlarged.
"""

import re

from lxml.html import Element

from .losses import Losses
from .tree import put_into

ATTRIBUTES = re.compile(r"\s?\{:?((?:\s*(?:[.#][\w-]+|[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'{}]+)))+)\s*\}")
PAIR = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'{}]+))")
SIZE = re.compile(r"(\d{1,4}(?:\.\d+)?)(px|%)?")
DRESSED = {"img", "a", "em", "strong", "code", "span"}
LABEL = re.compile(r"(?:^|\s)#(fig-[\w-]{1,100})(?=\s|$)")
WITHOUT_LOSS = {"width", "height", "target", "rel", "alt"}


def _resize(image, side: str, value: str) -> None:
    """Gives a picture the size that its author wants: pixels, or a share of the text's width."""
    size = SIZE.fullmatch(value.strip())
    if not size:
        return
    if size[2] == "%":
        image.set("style", f"{side}:{size[1]}%")
        return
    other = "height" if side == "width" else "width"
    before = [image.get(side), image.get(other)]
    image.set(side, str(round(float(size[1]))))
    if all(part and part.isdecimal() and int(part) for part in before):
        image.set(other, str(round(float(size[1]) * int(before[1]) / int(before[0]))))


def _read(element, text: str, losses: Losses) -> None:
    pairs = {key.lower(): "".join(values) for key, *values in PAIR.findall(text)}
    if element.tag == "img":
        for side in ("width", "height"):
            if side in pairs:
                _resize(element, side, pairs[side])
        if pairs.get("alt"):
            element.set("alt", pairs["alt"])
        if label := LABEL.search(text):
            element.set("id", label[1])
            text = LABEL.sub("", text)
    if pairs.keys() - WITHOUT_LOSS or re.search(r"(?:^|\s)[.#]", PAIR.sub("", text)):
        losses.tell(
            f"{{{text.strip()}}}: of attributes, only a picture's width, height, alt and label (#fig-…) have an effect"
        )


def read_attributes(root, losses: Losses) -> None:
    """Takes the lists of attributes out of a tree: `{: width="200" }` of kramdown, `{width=50%}` of pandoc."""
    for element in root.iter(*DRESSED):
        found = ATTRIBUTES.match(element.tail or "")
        if found and (element.tag == "img" or found[0].lstrip().startswith("{:")):
            element.tail = element.tail[found.end() :]
            _read(element, found[1], losses)


def _frame(element, image, title: str) -> None:
    """Puts a figure around a picture, or around the link that it stands in."""
    figure, caption = Element("figure"), Element("figcaption")
    caption.text = title
    parent = element.getparent()
    parent[parent.index(element)] = figure
    figure.tail, element.tail = element.tail or "\n", None
    del image.attrib["title"]
    figure.extend([element, caption])


def make_large(images: list, words: dict) -> None:
    """Puts pictures that are in no link into one to their file, which a script shows large on the page."""
    for image in images:
        if image.xpath("ancestor::a"):
            continue
        link = Element("a", {"class": "enlarge", "href": image.get("src"), "title": words["enlarge"]})
        put_into(link, image)
        put_into(Element("div", {"class": "pan"}), link)


def _stands_alone(paragraph) -> bool:
    """Whether a paragraph holds nothing but pictures, each perhaps in a link."""
    if (paragraph.text or "").strip() or any((child.tail or "").strip() for child in paragraph):
        return False
    return all(child.tag in {"img", "br"} or _is_linked(child) for child in paragraph)


def _is_linked(element) -> bool:
    """Whether an element is a link around one picture."""
    return element.tag == "a" and len(element) == 1 and element[0].tag == "img" and not element.text_content().strip()


def _open_up(paragraph) -> None:
    """Takes a paragraph away from around its pictures, with the breaks between them."""
    for line in list(paragraph.iter("br")):
        line.drop_tag()
    paragraph.drop_tag()


def frame_pictures(root) -> None:
    """Makes a figure of each picture with a title that has a place of its own; its title becomes the caption.

    Within a sentence a picture stays where it is, and its title with it.
    """
    for image in list(root.xpath(".//img[@title]")):
        element = image.getparent() if _is_linked(image.getparent()) else image
        parent, title = element.getparent(), image.get("title").strip()
        if not title or image.getparent().tag == "figure":
            continue
        if parent.tag == "p" and _stands_alone(parent):
            _open_up(parent)
        elif parent.tag not in {"div", "li", "td", "th", "blockquote", "dd"}:
            continue
        _frame(element, image, title)
