"""Draws the cards of the site itself and of its pages that are no posts."""

from pathlib import Path

from .files import read_bytes, write
from .posts import EMBLEM, SOCIAL
from .site import Site
from .social import cover_of, draw_card
from .standing import front_matter_of


def _titles(out: Path, site: Site):
    """(a page's name, its title in the site's language) of each page in `_pages`."""
    for path in sorted((out / "_pages").glob("*.*")):
        values = front_matter_of(path)
        title = site.words.get(str(values.get("word"))) or values.get("title")
        if title:
            yield path.stem, str(title)


def publish_cards(out: Path, site: Site, anew: bool) -> None:
    """Writes the site's card, `site.png`, and `page-NAME.png` of each page; those that are there only if `anew`."""
    emblem = cover_of(read_bytes(out / EMBLEM)) if (out / EMBLEM).is_file() else None
    wanted = {"site": (site.title, site.description)}
    wanted |= {f"page-{name}": (title, site.title) for name, title in _titles(out, site)}
    for name, (title, below) in wanted.items():
        path = out / SOCIAL / f"{name}.png"
        if anew or not path.is_file():
            write(path, draw_card(title, "", below, emblem))
