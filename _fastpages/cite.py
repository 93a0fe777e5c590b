"""How a lesson or post is cited: an entry of BibTeX, from its front matter and the site's settings."""

import re

from .documents import Document
from .site import Site

SPECIAL = re.compile(r"[&%$#_{}]")  # what LaTeX reads as something else
NAMED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def _latex(text: str) -> str:
    """The text as LaTeX shows it, with its capitals."""
    written = "".join(NAMED.get(letter) or SPECIAL.sub(r"\\\g<0>", letter) for letter in text)
    return f"{{{{{written}}}}}"


def entry(document: Document, site: Site) -> str | None:
    """The entry; None of a notebook of the toolkit, which is a part of the software."""
    if document.shelf:
        return None
    front = document.front
    name = re.sub(r"[^a-z0-9]+", "-", document.slug.lower()).strip("-0123456789") or "post"
    fields = {
        "author": _latex(str(front.values.get("author") or site.author)),
        "title": _latex(front.title),
        "howpublished": _latex(site.title),
        "year": f"{{{front.date.year}}}",
        "url": f"{{{site.url}{site.baseurl}{document.permalink}}}",
    }
    lines = "".join(f"  {key} = {value},\n" for key, value in fields.items())
    return f"@misc{{{name}-{front.date.year},\n{lines}}}"
