"""Rewrites the addresses in a document's Markdown: of pictures, files, posts, and of films and frames."""

import posixpath
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from ..addresses import file_of
from .blog import Source
from .numbered import CODE, FENCE, Numbered
from .places import REMOTE, SAFE, Places, new_place
from .report import CHANGED, NOT_TAKEN

# Each piece is of a bounded length, since what is never closed would be read to the end from each that is opened.
TARGET = r"[^()\n]{0,2000}(?:\([^()\n]{0,200}\)[^()\n]{0,200}){0,20}"
ALT = r"(?:[^\[\]\n]|\[[^\[\]\n]{0,500}\](?:\([^()\n]{0,500}\))?){0,2000}"  # which may hold links
PIECE = re.compile(
    rf"{FENCE}|{CODE}"
    rf"|!\[(?P<alt>{ALT})\]\((?P<picture>{TARGET})\)"
    rf"|\]\((?P<link>{TARGET})\)"
    r"|^[ ]{0,3}\[(?!\^)[^\]\n]+\]:[ \t]*(?P<definition>\S+)"
    r"|(?P<image><img\b[^<>]{0,5000}>)"
    r"|(?P<anchor><a\b[^<>]{0,5000}>)"
    r"|(?P<frame><iframe\b(?P<inside>[^<>]{0,5000})>(?:[^<>]{0,500}</iframe>)?)"
    r"|(?P<media><(?:video|audio|source)\b[^<>]{0,5000}>)"
    r"|(?P<emoji>(?<![\w:/]):(?:[a-z][a-z0-9_+-]*|[+-]1):(?![\w:/]))"
    r"|(?P<script><(?P<element>script|style)\b)",
    re.M | re.I,
)
ATTRIBUTE = re.compile(r"""(?<=[\s"'])(src|href|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
TITLED = re.compile(r"""(?:<(?P<bracketed>[^<>]*)>|(?P<bare>.*?))(?P<title>(?<!\s)\s+(?:"[^"]*"|'[^']*'))?""")
SOURCE = re.compile(r"https?://(?:raw\.)?github", re.I)  # a link that is meant to show the file itself
VIDEO = re.compile(r"https?://(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]+)")
BASE = "{{ site.baseurl }}"  # which Jekyll puts before addresses in pages, and the converter by itself in posts


def as_seen_from(source: Source, here: str, linked: bool) -> str:
    """A place here as a document's text names it.

    What is shown is named as a file, so that the converter finds it. What is linked to has its address on the site,
    unless it lies in a folder that is no part of that, as what lies beside notebooks does.
    """
    if linked and not here.startswith("_"):
        return "/" + quote(here, safe=SAFE)
    return quote(posixpath.relpath(here, source.folder), safe=SAFE)


@dataclass
class Rewriter:
    """Rewrites the addresses in the markdown of one document."""

    places: Places
    source: Source
    tell: object  # tell(kind, line, what)
    attachments: set = frozenset()  # the names of a cell's own pictures
    is_page: bool = False  # of the site, which Jekyll writes as it stands
    numbered: Numbered = field(default=None, init=False)

    def rewrite(self, numbered: Numbered) -> None:
        self.numbered = numbered
        numbered.sub(PIECE, self._piece)

    def _say(self, kind, match, what):
        self.tell(kind, self.numbered.line(match), what)

    def _piece(self, match) -> str:
        if match["picture"] is not None:
            return self._picture(match)
        if match["image"]:
            return self._image(match)
        if match["frame"]:
            return self._frame(match)
        if match["script"]:
            self._say(NOT_TAKEN, match, f"<{match['element']}>: a page runs no script and has the theme's styles")
            return match[0]
        if match["emoji"]:
            self._say(NOT_TAKEN, match, f"{match['emoji']} names an emoji, and stays as text; write the emoji itself")
        for name in ("link", "definition"):
            if match[name] is not None:
                return self._with(match, name, self._titled(match, match[name]))
        if match["media"]:
            return self._attribute(match, match[0], "src", lambda address: self._media(address) or address)
        if match["anchor"]:
            return self._attribute(match, match[0], "href", lambda address: self._link(match, address) or address)
        return match[0]

    def _with(self, match, name: str, new: str) -> str:
        start, end = match.start(name) - match.start(), match.end(name) - match.start()
        return match[0][:start] + new + match[0][end:]

    def _titled(self, match, target: str) -> str:
        parts = TITLED.fullmatch(target.strip())
        address = parts["bare"] if parts["bracketed"] is None else parts["bracketed"]
        new = self._link(match, address)
        return target if new is None or new == address else f"{new}{parts['title'] or ''}"

    def _attribute(self, match, tag: str, name: str, new) -> str:
        def write(found):
            if found[1].lower() != name:
                return found[0]
            value = next(value for value in found.groups()[1:] if value is not None)
            return f'{found[1]}="{new(value)}"'

        return ATTRIBUTE.sub(write, tag)

    def _link(self, match, address: str) -> str | None:
        """Where a link leads here; None where it stays."""
        if SOURCE.match(address):
            return None
        place, document = self.places.find(address, self.source)
        anchor = "".join(re.findall(r"#[^#]*$", address))
        if document:
            return self._document(document) + anchor
        if place in self.places.pages:
            return f"{BASE if self.is_page else ''}{self.places.pages[place]}{anchor}"
        if place:
            return self._file(place, linked=True) + anchor
        return self._lost_link(match, address)

    def _media(self, address: str) -> str | None:
        """Where a sound or a film is here; None where it stays, which the converter tells of."""
        place = self.places.find_file(address, self.source)
        return self._file(place) if place else None

    def _document(self, document) -> str:
        if self.is_page:
            return BASE + self.places.own.get(document.place, document.new)
        return quote(posixpath.relpath(document.new_place, self.source.folder), safe="/")

    def _file(self, place: str, linked: bool = False) -> str:
        self.places.wanted.setdefault(place, self.source.place)
        if self.is_page:
            return f"{BASE}/{quote(new_place(place), safe=SAFE)}"
        return as_seen_from(self.source, new_place(place), linked)

    def _lost_link(self, match, address: str) -> None:
        """Tells of a link to what the blog does not have."""
        if REMOTE.match(address) or not address.strip() or "{" in address:
            return
        path = re.split("[?#]", address)[0]
        if file_of(path if path.startswith("/") else f"/{path}") not in map(file_of, self.places.pages.values()):
            self._say(NOT_TAKEN, match, f"leads to {address}, which the blog does not have; the link stays as it is")

    def _picture_address(self, match, address: str) -> str | None:
        """Where a picture is here; None where it is missing."""
        address = address.strip()
        if address.startswith("attachment:"):
            return address if unquote(address.removeprefix("attachment:")) in self.attachments else None
        if address.startswith("data:"):
            return address
        place = self.places.find_file(address, self.source)
        if place:
            return self._file(place)
        if not REMOTE.match(address):
            return None
        self._say(CHANGED, match, f"a picture of another host becomes a link: {address}")
        return address

    def _missing(self, match, address: str, alt: str) -> str:
        self._say(NOT_TAKEN, match, f"the picture {address} is not in the blog; its description stands in")
        return f"*{alt.strip() or posixpath.basename(unquote(address))}*"

    def _picture(self, match) -> str:
        parts = TITLED.fullmatch(match["picture"].strip())
        address = parts["bare"] if parts["bracketed"] is None else parts["bracketed"]
        new = self._picture_address(match, address)
        if new is None:
            return self._missing(match, address, match["alt"])
        return match[0] if new == address else f"![{match['alt']}]({new}{parts['title'] or ''})"

    def _image(self, match) -> str:
        given = {name.lower(): next(filter(None, values), "") for name, *values in ATTRIBUTE.findall(match[0])}
        if "src" not in given:
            return match[0]
        new = self._picture_address(match, given["src"])
        if new is None:
            return self._missing(match, given["src"], given.get("alt", ""))
        return match[0] if new == given["src"] else self._attribute(match, match[0], "src", lambda address: new)

    def _frame(self, match) -> str:
        given = {name.lower(): next(filter(None, values), "") for name, *values in ATTRIBUTE.findall(match["inside"])}
        address = given.get("src", "")
        video = VIDEO.match(address if address.startswith("http") else f"https:{address}")
        if not address:
            self._say(NOT_TAKEN, match, "a frame without an address")
            return match[0]
        self._say(CHANGED, match, f"a frame becomes a link: {address}")
        block = f"> youtube: https://youtu.be/{video[1]}" if video else f"[{address}]({address})"
        return f"\n\n{block}\n\n"
