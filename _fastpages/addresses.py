"""Decides who gets which address of the site: its own pages, then documents in their order, then redirects."""

import fnmatch
import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import yaml

from .errors import NotebookError, one_line
from .files import read_text
from .standing import front_matter_of

PATH = re.compile(r"/[\w./-]*(\.html|/)")
OLD_PATH = re.compile(r"/[\w./ ~!$&'()+;=@-]*(\.html|/)")  # with what Jekyll let addresses have, of categories as well
LONGEST, LONGEST_PART = 500, 200  # bytes: what file systems and hosts take, with room for Jekyll's own
# What the build writes beside the pages, whose folders also belong to it: the name, and what it is.
MADE = {
    "404.html": "the page for what is not there",
    "assets": "the theme's files",
    "demo": "the demo",
    "feed.xml": "the feed",
    "images": "the pictures",
    "index.html": "the home page",
    "pagefind": "the search index",
    "robots.txt": "what search engines read",
    "sitemap.xml": "what search engines read",
}


def tidy(path: str) -> str:
    """A permalink as it is written to the page: `/name.html` or `/folder/`. ValueError for what is none."""
    return _tidied(path, PATH)


def tidy_old(path: str) -> str:
    """An old address in the same way; it may be `/deep learning/a+b.html`, with the space as it is or as `%20`."""
    return _tidied(unquote(path), OLD_PATH)


def _tidied(path: str, pattern: re.Pattern) -> str:
    path = unicodedata.normalize("NFC", path)
    if not pattern.fullmatch(path) or ".." in path:
        raise ValueError(f"expected a path such as /name.html, got {path[:100]!r}")
    parts = [part for part in path.split("/") if part not in {"", "."}]
    is_folder = path.endswith("/")
    if parts and parts[-1] == "index.html":
        parts.pop()
        is_folder = True
    folders = parts if is_folder else parts[:-1]
    if (
        any(part.startswith(".") or len(part.encode()) > LONGEST_PART for part in parts)
        or len("/".join(parts).encode()) > LONGEST
    ):
        raise ValueError(f"expected short names without a leading dot between the slashes, got {path[:100]!r}")
    if any(part.casefold().endswith(".html") for part in folders):
        raise ValueError(f"expected .html at the end alone, got {path[:100]!r}")
    return "/" + "".join(f"{part}/" for part in folders) + ("" if is_folder else parts[-1])


def file_of(address: str) -> str:
    """The file that a host serves for an address, the same for every way to write it.

    Case, percent signs, `.`, `..`, doubled slashes, backslashes, query, fragment, and how Unicode composes its
    characters make no difference.
    """
    path = address[: 2 * LONGEST]
    while (plain := unquote(path)) != path:
        path = plain
    path = unicodedata.normalize("NFKC", re.split("[?#]", path)[0].replace("\\", "/")).casefold()
    parts = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in {"", "."}:
            parts.append(part)
    is_file = "." in path.split("/")[-1].strip(".")
    return "/".join(parts if is_file else [*parts, "index.html"])


def place_of(address: str) -> str:
    """What `/a/`, `/a/index.html` and `/a.html` have in common, since hosts show any of them for `/a`."""
    *folders, name = file_of(address).split("/")
    return "/".join(folders if name == "index.html" else [*folders, name.removesuffix(".html")])


def _left_out(out: Path) -> list:
    """Patterns of what Jekyll leaves out of the site, from its configuration."""
    config = out / "_config.yml"
    if not config.is_file():
        return []
    try:
        values = yaml.safe_load(read_text(config))
        return [pattern.rstrip("/") for pattern in values["exclude"]]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise NotebookError(f"{config}: exclude: {one_line(error)}") from None


def own_places(out: Path) -> dict:
    """{place: what is there} of the site's own pages and folders, `out` being the site's folder."""
    own = {place_of(name): what for name, what in MADE.items()}
    left_out = _left_out(out)
    for path in sorted(out.glob("[!._]*")):
        if not any(fnmatch.fnmatch(path.name, pattern) for pattern in left_out):
            own.setdefault(place_of(path.name), path.name)
    for path in sorted((out / "_pages").glob("*.*")):
        address = front_matter_of(path).get("permalink") or f"/{path.stem}.html"
        own[place_of(str(address))] = f"_pages/{path.name}"
    return own


class Addresses:
    """Who has which address."""

    def __init__(self, own: dict):
        self.own = own  # place -> what of the site is there
        self.owners = {}  # place -> the document's name
        self.files = {}  # file in _posts -> the document's name

    def _owner(self, place: str):
        """Whose page of the site's own a place is, or lies beneath; None where it is nobody's."""
        parts = place.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        return next((self.own[part] for part in above if part in self.own), None)

    def take(self, name: str, key: str, address: str) -> None:
        """Gives the address to a document, whose `key` asks for it. NotebookError where it is somebody's already."""
        place = place_of(address)
        if what := self._owner(place):
            raise NotebookError(f"{name}: {key}: {address} is the site's own address ({what}); choose another")
        owner = self.owners.setdefault(place, name)
        if owner != name:
            raise NotebookError(f"{name}: {key}: {address} is {owner}'s already; choose another")

    def take_file(self, name: str, post_name: str) -> None:
        """Gives the document its file in `_posts`. NotebookError where it is another's."""
        owner = self.files.setdefault(file_of(post_name), name)
        if owner != name:
            raise NotebookError(
                f"{name}: date: its page would be {post_name}, which is {owner}'s already; give it another date or name"
            )

    def keep(self, page) -> None:
        """Leaves a page that stands where it is, with its addresses."""
        owner = page.source or page.name
        self.files.setdefault(file_of(page.name), owner)
        for address in page.addresses:
            self.owners.setdefault(place_of(address), owner)


def _refusals(documents: list, addresses: Addresses, moved: dict):
    """(name, problem) of each document that asks for what it can't have; pages come before redirects."""
    for document in documents:
        try:
            addresses.take_file(document.name, document.post_name)
            addresses.take(document.name, "permalink", document.permalink)
        except NotebookError as error:
            yield document.name, str(error)
    for document in documents:
        try:
            for address in document.redirects(moved):
                if file_of(address) == file_of(document.permalink):
                    raise NotebookError(
                        f"{document.name}: redirect_from: {address} is where the page itself is; leave it out"
                    )
                addresses.take(document.name, "redirect_from", address)
        except NotebookError as error:
            yield document.name, str(error)


def refuse(documents: list, standing: list, own: dict, moved: dict) -> dict:
    """{name: problem} of the documents that ask for an address of the site's, of another, or of a page that stays.

    `moved` is the table of old addresses, {address: the document that has moved from there}.

    A document that is refused keeps the page that it has, and that page its addresses: so one is refused at a time.
    """
    refused = {}
    while True:
        asking = [document for document in documents if document.name not in refused]
        addresses, names = Addresses(own), {document.name for document in asking}
        for page in standing:
            if page.source not in names:
                addresses.keep(page)
        refusal = next(_refusals(asking, addresses, moved), None)
        if refusal is None:
            return refused
        refused[refusal[0]] = refusal[1]
