"""Moves the sounds and films of a document into files of the site, and writes a player for each.

Only of a few types, told by the content and not by what it is called. Until a page is done, a mark of private
characters stands for its player: so nothing else gets a player through the sanitiser.
"""

import base64
import binascii
import html
import re
from pathlib import Path
from urllib.parse import unquote

from lxml import etree
from lxml.html import fragment_fromstring

from .errors import reason
from .losses import Losses
from .pictures import PictureFolder
from .scan import replace
from .tree import CONTROL

OPEN, CLOSE = "\ue030", "\ue031"
MARK = re.compile(f"{OPEN}(\\d{{1,9}}){CLOSE}")
# How a content begins, from which byte on, and how its file's name ends as a sound and as a film.
BEGINNINGS = (
    (b"RIFF", 0, "wav", ""),
    (b"ID3", 0, "mp3", ""),
    (b"\xff\xfb", 0, "mp3", ""),
    (b"\xff\xf3", 0, "mp3", ""),
    (b"\xff\xf2", 0, "mp3", ""),
    (b"\xff\xf1", 0, "aac", ""),
    (b"\xff\xf9", 0, "aac", ""),
    (b"fLaC", 0, "flac", ""),
    (b"OggS", 0, "ogg", "ogv"),
    (b"ftyp", 4, "m4a", "mp4"),
    (b"\x1aE\xdf\xa3", 0, "weba", "webm"),
)
SUFFIXES = {f".{suffix}" for *_, sound, film in BEGINNINGS for suffix in (sound, film) if suffix}
SUFFIXES |= {".m4v", ".mov", ".oga"}
TYPE = re.compile(r"(audio|video)/[\w.+-]+")
KEPT = ("loop", "muted")
SIDE = re.compile(r"\d{1,5}")


def suffix_of(tag: str, content: bytes) -> str:
    """How the name of a file with this content ends; "" where it is none of the types."""
    for opening, place, sound, film in BEGINNINGS:
        if content.startswith(opening, place):
            wave = suffix = sound if tag == "audio" else film
            return suffix if wave != "wav" or content[8:12] in {b"WAVE", b""} else ""
    return ""


def _embedded(address: str) -> bytes | None:
    """What a `data:` address holds; None where it holds nothing that can be read."""
    _, _, text = address.partition(";base64,")
    try:
        return base64.b64decode("".join(unquote(text).split())) or None
    except (binascii.Error, ValueError):
        return None


def _sources(element) -> list:
    """The addresses that a player is told to try, in their order."""
    every = [element, *element.iter("source")]
    return [found.strip() for each in every if (found := each.get("src"))]


class Media:
    """The players of one page."""

    def __init__(self, folder: PictureFolder, words: dict, losses: Losses):
        self.folder, self.words, self.losses, self.players = folder, words, losses, []

    def _mark(self, player: str) -> str:
        self.players.append(player)
        return f"{OPEN}{len(self.players) - 1}{CLOSE}"

    def add(self, tag: str, content: bytes, name: str, attributes=None) -> str | None:
        """The mark of a player for this content; None where it is of no type that a page may play."""
        suffix = suffix_of(tag, content)
        if not suffix:
            return None
        attributes = attributes or {}
        address = html.escape(self.folder.add_file(name, suffix, content))
        more = "".join(f" {key}" for key in KEPT if key in attributes)
        sides = ((side, attributes.get(side) or "") for side in ("width", "height"))
        more += "".join(f' {side}="{value}"' for side, value in sides if tag == "video" and SIDE.fullmatch(value))
        label = html.escape(self.words["audio"] if tag == "audio" else self.words["video"])
        link = f'<a href="{address}">{html.escape(self.words["download"])}</a>'
        player = f'<{tag} src="{address}" controls preload="metadata" aria-label="{label}"{more}>{link}</{tag}>'
        return self._mark(player)

    def add_base64(self, mime: str, text: str, name: str) -> str | None:
        """The mark of a player for an output of this type."""
        content = _embedded(f"data:{mime};base64,{text}") if TYPE.fullmatch(mime) else None
        return self.add(mime.partition("/")[0], content, name) if content else None

    def take(self, source: str, name: str) -> str:
        """HTML with a mark in place of each sound and film in it; files are called `name`."""
        return replace(source, r"<(?:audio|video)\b", r"</(?:audio|video)>", lambda piece: self._player(piece, name))

    def _player(self, piece: str, name: str) -> str:
        try:
            element = fragment_fromstring(CONTROL.sub("", piece))
        except etree.ParserError:
            return ""
        if element.tag not in {"audio", "video"}:
            return piece
        problems = []
        for address in _sources(element):
            found = self._try(element, address, name, problems)
            if found:
                return found
        self.losses.tell(f"<{element.tag}>: {problems[0] if problems else 'it names no file'}; left out")
        return self._mark(f'<span class="cut">{html.escape(self.words["not_shown"].format(element.tag))}</span>')

    def _try(self, element, address: str, name: str, problems: list) -> str | None:
        """What stands for a player of this address; None, with the reason among the problems, where none can."""
        if re.match(r"https?://", address, re.I):
            return f'<a href="{html.escape(address)}">{html.escape(address)}</a>'
        shown = address[:40]
        if address.startswith("data:"):
            content = _embedded(address)
        else:
            try:
                content = self.folder.read_beside(address)
                name = Path(address).stem
            except (OSError, ValueError) as error:
                problems.append(f"{shown}: {reason(error)}")
                return None
        mark = self.add(element.tag, content, name, element.attrib) if content else None
        if mark is None:
            problems.append(f"{shown}: no sound or film of a type that browsers play")
        return mark

    def put_in(self, body: str) -> str:
        """The body with the players at their marks; a mark without one goes."""

        def player(mark):
            number = int(mark[1])
            return self.players[number] if number < len(self.players) else ""

        return MARK.sub(player, body)
