"""Brings the pages of a fastpages blog over, which Jekyll reads here as it did there."""

from pathlib import Path

import yaml

from .. import plain_yaml
from ..addresses import own_places, place_of, tidy
from ..errors import reason
from ..files import read_text
from .blog import Blog, Source, post_parts
from .heads import Head
from .liquid import Liquid
from .numbered import Numbered
from .places import Places, served
from .report import CHANGED, LEFT_OUT, NOT_TAKEN, Report, Target
from .rewriter import Rewriter

FASTPAGES_OWN = {"404.html", "search.html", "tags.html", "categories.html"}
LAYOUTS = {"page", "default"}


def _pages(blog: Blog):
    found = [path for path in (blog.root / "_pages").glob("[!.]*") if path.suffix in {".md", ".markdown", ".html"}]
    yield from sorted(path for path in found if path.is_file() and blog.owns(path))


def find_pages(blog: Blog, places: Places, report: Report) -> dict:
    """{path: address} of the pages that can be taken, which documents may link to."""
    found, own = {}, own_places(places.target.root)
    for path in _pages(blog):
        place = f"_pages/{path.name}"
        places.told.add(place)
        try:
            address = _address(path)
        except (OSError, ValueError) as error:
            report.add(NOT_TAKEN, place, reason(error))
            continue
        owner = own.get(place_of(address))
        if path.name in FASTPAGES_OWN:
            _tell_of_own(place, address, owner, report)
            continue
        if owner not in {None, place}:
            report.add(NOT_TAKEN, place, f"its address {address} is the site's own ({owner})")
            continue
        found[path] = address
        places.pages[place] = address
    return found


def _tell_of_own(place: str, address: str, owner: str | None, report: Report) -> None:
    """Tells of a page that fastpages brings, as the site's theme does."""
    report.add(LEFT_OUT, place, "the site has its own")
    if owner is None:
        report.add(NOT_TAKEN, place, f"its old address {address} does not lead on to the site's own page")


def _head(path: Path) -> tuple:
    """(the page's front matter, its text, the number of the text's first line)."""
    head, body, first = post_parts(read_text(path))
    values = plain_yaml.load(head) if head is not None else {}
    if not isinstance(values, dict) or head is None:
        raise ValueError("no front matter, without which Jekyll makes no page of it")
    return values, body, first


def _address(path: Path) -> str:
    values, _, _ = _head(path)
    return tidy(served(values.get("permalink") or f"/{path.stem}.html"))


def take_page(path: Path, address: str, places: Places, report: Report) -> None:
    """Writes one page."""
    place = f"_pages/{path.name}"
    values, body, first = _head(path)

    def tell(kind, line, what):
        report.add(kind, f"{place}, line {line}", what)

    if values.get("layout") not in LAYOUTS:
        tell(CHANGED, 1, f"layout: {values.get('layout')}: written as layout: page")
        values["layout"] = "page"
    numbered = Numbered(body, first)
    blog = places.blog
    source = Source(path, place, path.name, None, Head(), address)

    def place_of_post(stem):
        document = blog.named(stem.rpartition("/")[2])
        return document and f"/{document.place}"

    Liquid(place_of_post, {}, tell, is_page=True).translate(numbered)
    Rewriter(places, source, tell, is_page=True).rewrite(numbered)
    _put(place, values | {"permalink": address}, numbered.text, places.target)


def _put(place: str, values: dict, text: str, target: Target) -> None:
    head = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=10**6)
    target.put(place, f"---\n{head}---\n{text}".encode("utf-8", "replace"), place)
