"""Finds what the addresses in a document lead to in the old blog, and where that lies here: pictures, files, posts."""

import posixpath
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from ..addresses import Addresses, file_of, own_places, place_of, tidy
from ..documents import read_documents
from ..errors import NotebookError, reason
from ..files import read_bytes
from ..names import address_of
from ..webp import opened
from .blog import Blog, Source
from .report import CHANGED, NOT_TAKEN, Report, Target

REMOTE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#", re.I)
HOME = re.compile(r"^\s*\{\{-?\s*site\.baseurl\s*-?\}\}/?")
SAFE = "/~+,=@!"  # what stands in an address as it is
COPIES = "images/copied_from_nb/"  # where fastpages put the pictures that lie beside notebooks
# Folders of images/ that belong to the converter, which empties them.
CONVERTERS = re.compile(r"images/(?=(?:\d|toolkit-)[^/]*/|social/)")


def served(address: str) -> str:
    """An address as hosts serve it: what Jekyll calls `/name` is the file `/name.html`."""
    address = "/" + str(address).strip().lstrip("/")
    return address if address.endswith(("/", ".html")) else f"{address}.html"


def new_place(place: str) -> str:
    """Where a file of the old blog lies here."""
    return CONVERTERS.sub("images/posts/", place)


@dataclass
class Places:
    """What is where, before and after; `wanted` is what documents ask for besides pictures in `images/`."""

    blog: Blog
    target: Target
    addresses: Addresses = field(init=False)
    wanted: dict = field(default_factory=dict)  # place in the old blog, in the order of being asked for
    told: set = field(default_factory=set)  # pages of which the report says already what became of them
    pages: dict = field(default_factory=dict)  # the old blog's own pages: place -> address
    own: dict = field(default_factory=dict)  # the place of a document in the old blog -> its page's address here
    refused: dict = field(default_factory=dict)  # the place of a document that can have no page -> why
    olds: dict = field(init=False)  # old address of a page, as a file -> the document

    def __post_init__(self):
        root = self.target.root
        self.addresses = Addresses(own_places(root))
        self.olds = {file_of(source.old): source for source in self.blog.sources if source.old}
        names = {source.name for source in self.blog.sources}
        for document in read_documents(root / "_notebooks", root / "_posts")[0]:
            if document.name not in names:  # of the site, which has them already
                with suppress(NotebookError):
                    self.addresses.take_file(document.name, document.post_name)
                    self.addresses.take(document.name, "permalink", document.permalink)

    def settle(self, report: Report) -> None:
        """Gives each document the address of its page: that which it asks for, or else that of its date and name."""
        for source in self.blog.sources:
            if asked := source.head.values.get("permalink"):
                self._ask(source, str(asked), report)
            try:
                self.addresses.take_file(source.name, f"{source.date}-{address_of(source.name)}.html")
                if source.place not in self.own:
                    self.take(source, "permalink", source.new)
                    self.own[source.place] = source.new
            except (NotebookError, ValueError) as error:
                self.refused[source.place] = str(error).removeprefix(f"{source.name}: ")

    def _ask(self, source: Source, asked: str, report: Report) -> None:
        where = f"{source.place}, front matter"
        try:
            address = tidy(served(asked))
            self.take(source, "permalink", address)
        except ValueError as error:
            report.add(NOT_TAKEN, where, f"permalink: {error}; the page is at {source.new}")
            return
        self.own[source.place] = address
        if address != asked:
            report.add(CHANGED, where, f"permalink: {asked} is written as {address}")

    def take(self, source: Source, key: str, address: str) -> None:
        """Gives a document an address. ValueError where that is the site's or another's."""
        if key == "redirect_from" and place_of(address) == place_of(self.own[source.place]):
            raise ValueError(f"{address} is where the page itself is")
        try:
            self.addresses.take(source.name, key, address)
        except NotebookError as error:
            raise ValueError(str(error).removeprefix(f"{source.name}: {key}: ")) from None

    def _own(self, address: str) -> str | None:
        """What an address means in the blog's folder, a path from its top or from the document; None for another's."""
        address = HOME.sub("/", address)
        host = re.sub(r"^(?:https?:)?//", "", address, flags=re.I)
        if host != address:
            home = next((home for home in self.blog.config.homes if f"{host}/".startswith(home)), None)
            return None if home is None else "/" + re.sub(r"\?raw=true$", "", host[len(home) :])
        if REMOTE.match(address):
            return None
        base = self.blog.config.baseurl
        return address[len(base) :] if base and address.startswith(f"{base}/") else address

    def _candidates(self, path: str, source: Source):
        """The places in the old blog that a path may mean."""
        path = unquote(re.split("[?#]", path)[0])
        folder = Path(source.place).parent.as_posix()
        starts = [""] if path.startswith("/") else [folder, ""]
        for start in starts:
            place = re.sub(r"^(\.\./)+", "", posixpath.normpath(posixpath.join(start, path.lstrip("/"))).lstrip("/"))
            yield place
            if place.startswith(COPIES):
                yield f"_notebooks/{place.removeprefix(COPIES)}"

    def find(self, address: str, source: Source):
        """(the place of a file in the old blog, the document there); both None where nothing of it is meant."""
        path = self._own(address.strip())
        if path is None:
            return None, None
        for place in self._candidates(path, source):
            if document := self.blog.find(place):
                return place, document
            if place not in {"", ".", ".."} and self.blog.has(place):
                return place, None
        document = self.olds.get(file_of(posixpath.join(posixpath.dirname(source.old or "/"), path)))
        return (document.place, document) if document else (None, None)

    def find_file(self, address: str, source: Source) -> str | None:
        """The place of a file that is no document, in the old blog."""
        place, document = self.find(address, source)
        return None if document else place

    def cover(self, address: str, source: Source, tell) -> str | None:
        """The place of the picture that a front matter names."""
        home = HOME.sub("/", address.strip())
        place = self.find_file(home if REMOTE.match(home) else f"/{home.lstrip('/')}", source)
        try:
            if place is None:
                raise ValueError("not a picture of this blog" if REMOTE.match(home) else "not there")
            opened(read_bytes(self.blog.root / place))
        except (OSError, ValueError) as error:
            tell(NOT_TAKEN, f"image: {address}: {reason(error)}; one of the page's pictures stands in")
            return None
        self.wanted.setdefault(place, source.place)
        return new_place(place)
