"""Reads the pages that are in `_posts` already: which document each was made from, and the addresses that it holds."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from . import plain_yaml
from .files import read_text

MARK = "generated_from"  # the first key of a generated post's front matter
HEAD = re.compile(r"---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.S)
PLACED = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)-(.+)\.\w+")
KEYS = {MARK, "permalink", "redirect_from"}  # of the front matter, what is wanted here


@dataclass(frozen=True)
class Standing:
    """A page in `_posts`."""

    name: str
    source: str | None  # the document's file name; None of a page written by hand
    addresses: tuple  # its own first


def _generated(head: str) -> dict:
    """The wanted keys of a front matter that `posts` wrote: a line a key, each value JSON."""
    pairs = [line.partition(": ") for line in head.split("\n")]
    return {key: json.loads(value) for key, _, value in pairs if key in KEYS}


def front_matter_of(path: Path) -> dict:
    """The front matter of a file, as far as addresses go; empty where it can't be read, which Jekyll will tell of."""
    try:
        match = HEAD.match(read_text(path))
        head = match[1] if match else ""
        if head.startswith(f"{MARK}: "):
            return _generated(head)
        values = plain_yaml.load(head)
    except (ValueError, OSError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _redirects(values: dict) -> list:
    wanted = values.get("redirect_from") or []
    return [str(address) for address in (wanted if isinstance(wanted, list) else [wanted])]


def _read(path: Path) -> Standing:
    values, source = front_matter_of(path), None
    if values.get(MARK):
        source = str(values[MARK])
    dated = PLACED.fullmatch(path.name)
    usual = f"/{dated[1]}/{dated[2]:0>2}/{dated[3]:0>2}/{dated[4]}.html" if dated else f"/{path.stem}.html"
    return Standing(path.name, source, (str(values.get("permalink") or usual), *_redirects(values)))


def read_standing(posts: Path) -> list:
    """The pages in the folder of posts, by their names; an empty file is none."""
    return [_read(path) for path in sorted(posts.glob("*.html")) if path.lstat().st_size]
