"""Numbers the figures and tables of a page that have a caption, and has references name the right number."""

import html
import re
from collections import Counter
from dataclasses import dataclass

from lxml.html import Element, fromstring

from .losses import Losses
from .scan import strip_tags

LABEL = re.compile(r"(?:fig|tbl|lst)-[\w-]{1,100}")
REFERENCE = re.compile(r'(<a href="#((?:fig|tbl|lst)-[\w-]{1,100})"[^<>]*>)((?:(?!</a>).){0,1000})(</a>)', re.S)
MARKED = re.compile(r"\s*\{#((?:tbl)-[\w-]{1,100})\}\s*$")  # behind a table's caption in markdown
OPENING = re.compile(r"\s*(?:Table)?:\s+")
TABLE = re.compile(r"<table\b[^>]*>")


@dataclass(frozen=True)
class Number:
    """What a caption opens with: "Figure 3"."""

    kind: str  # a word of the site: figure, table
    number: int


@dataclass(frozen=True)
class Reference:
    cell: int | None
    label: str
    text: str


class Captions:
    """The captions of one page, in its order. `names` are the ids that its headings have."""

    def __init__(self, words: dict, losses: Losses, names: dict):
        self.words, self.losses, self.names = words, losses, names
        self.counts, self.labels, self.references = Counter(), {}, []

    def opening(self, kind: str, label: str = "") -> str:
        """The next number of a kind, as HTML to put before a caption; `label` leads to it from now on."""
        self.counts[kind] += 1
        number = Number(kind, self.counts[kind])
        if label:
            self.labels[label] = number
        return f'<span class="number">{html.escape(self._name(number))}.</span> '

    def _name(self, number: Number) -> str:
        return f"{self.words[number.kind]} {number.number}"

    def take_label(self, label: str) -> str:
        """The label, if it is one that a page can have and nothing on this one has yet; else ""."""
        if not LABEL.fullmatch(label):
            return ""
        if label in self.names:
            self.losses.tell(f"the label {label} stands on the page twice; the second is left out")
            return ""
        self.names[label] = 1
        return label

    def note(self, root) -> None:
        """Remembers the references in a tree of markdown."""
        for link in root.iter("a"):
            label = link.get("href", "").removeprefix("#")
            if link.get("href", "").startswith("#") and LABEL.fullmatch(label):
                self.references.append(Reference(self.losses.cell, label, " ".join(link.text_content().split())))

    def resolve(self, body: str) -> str:
        """The page with the right number in each reference; what was wrong in the document is told."""
        for reference in self.references:
            self._check(reference)
        return REFERENCE.sub(self._named, body)

    def _check(self, reference: Reference) -> None:
        self.losses.cell, shown = reference.cell, f"[{reference.text}](#{reference.label})"
        number = self.labels.get(reference.label)
        if number is None and reference.label not in self.names:
            self.losses.tell(f"{shown}: no figure or table on this page has this label")
        elif number is None:
            self.losses.tell(f"{shown}: what has this label has no caption, and so no number")
        elif (stated := re.search(r"\d+", reference.text)) and int(stated[0]) != number.number:
            self.losses.tell(f"{shown}: it is {self._name(number)}; so it says on the page")

    def _named(self, link) -> str:
        """A reference with its number: in place of the one that it names, or all that it says where it says nothing."""
        number = self.labels.get(link[2])
        if number is None:
            return link[0]
        if not strip_tags(link[3]).strip():
            return f"{link[1]}{html.escape(self._name(number))}{link[4]}"
        return link[1] + re.sub(r"(?<![\w#&-])\d+", str(number.number), link[3], count=1) + link[4]

    def put_on(self, shown: str, caption: str, label: str, is_table: bool) -> str:
        """An output with its caption: within the table that it shows, or below as a figure's."""
        label = self.take_label(label)
        kind = "table" if is_table else "figure"
        caption = self.opening(kind, label) + caption
        mark = f' id="{label}"' if label else ""
        if is_table and TABLE.search(shown):
            shown = TABLE.sub(lambda tag: f"{tag[0]}<caption><span>{caption}</span></caption>", shown, count=1)
            return f"<div{mark}>{shown}</div>"
        return f"<figure{mark}>{shown}<figcaption>{caption}</figcaption></figure>"

    def number_figures(self, root) -> None:
        """Gives the figures that markdown has their numbers; an id of a picture becomes its figure's label."""
        for figure in root.iter("figure"):
            caption = figure.find("figcaption")
            if caption is None:
                continue
            labels = [image.attrib.pop("id") for image in figure.iter("img") if image.get("id")]
            label = self.take_label(labels[0] if labels else figure.attrib.pop("id", ""))
            if label:
                figure.set("id", label)
            _open_with(caption, self.opening("figure", label))
        for image in root.xpath(".//img[@id]"):  # without a caption it has no number, but can be led to
            if not self.take_label(image.get("id")):
                del image.attrib["id"]

    def caption_tables(self, root) -> None:
        """Makes captions of the paragraphs behind tables that open with `Table:` or a colon, as pandoc has them."""
        for table in list(root.iter("table")):
            paragraph = table.getnext()
            if paragraph is None or paragraph.tag != "p" or (table.tail or "").strip():
                continue
            opening = OPENING.match(paragraph.text or "")
            if not opening:
                continue
            paragraph.text = paragraph.text[opening.end() :]
            label = self.take_label(_take_mark(paragraph))
            if label:
                table.set("id", label)
            caption = Element("caption")
            paragraph.tag, table.tail, paragraph.tail = "span", paragraph.tail, None
            caption.append(paragraph)
            table.insert(0, caption)
            _open_with(paragraph, self.opening("table", label))


def _open_with(element, opening: str) -> None:
    """Puts HTML of an element and a space before what stands in an element."""
    mark = fromstring(opening)
    mark.tail = f" {element.text or ''}"
    element.text = None
    element.insert(0, mark)


def _take_mark(paragraph) -> str:
    """Takes `{#tbl-name}` from the end of a paragraph."""
    last = paragraph[-1] if len(paragraph) else None
    text = (paragraph.text if last is None else last.tail) or ""
    mark = MARKED.search(text)
    if not mark:
        return ""
    if last is None:
        paragraph.text = text[: mark.start()]
    else:
        last.tail = text[: mark.start()]
    return mark[1]
