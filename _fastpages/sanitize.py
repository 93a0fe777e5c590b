"""Lets only harmless HTML through: a notebook's outputs and markdown come from anywhere and end in our page."""

import re
from functools import cache
from html import unescape

import nh3

from .scan import outgrows

TEXT_TAGS = set(
    "a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption figure "
    "h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strong sub summary sup table tbody "
    "td tfoot th thead time tr u ul var wbr".split()
)
GONE_WITH_CONTENT = {
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "title",
    "svg",
    "math",
    "select",
    "textarea",
}
STYLES = {
    "color",
    "background-color",
    "font-weight",
    "font-style",
    "font-family",
    "text-align",
    "text-decoration",
    "white-space",
    "vertical-align",
}
ATTRIBUTES = {
    "*": {"title", "lang", "dir", "style"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "details": {"open"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "col": {"span"},
    "colgroup": {"span"},
}
# Our own renderer's marks in markdown: anchors, classes of code and callouts, boxes that scroll by keyboard.
MARKDOWN_EXTRA = {
    "*": {"id", "class", "role", "aria-label"},
    "pre": {"tabindex"},
    "div": {"tabindex", "data-pagefind-weight"},
    "span": {"data-pagefind-ignore"},
    "a": {"data-pagefind-ignore", "aria-describedby"},
}
SCHEMES = {"http", "https", "mailto", "data", "attachment"}  # the last two only for pictures, which become files

WITHOUT_FILE = re.compile(r"<img(?![^<>]*\ssrc=)[^<>]*>")  # the sanitiser writes < and > inside a tag as &lt; and &gt;
SEEN = {"img", "svg", "hr"}  # what is seen without any text
SHOWING = {"img": {"src"}}
REMOTE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|//|\\\\|/\\)", re.I)


@cache
def _attributes(markdown: bool) -> dict:
    extra = MARKDOWN_EXTRA if markdown else {}
    return {tag: ATTRIBUTES.get(tag, set()) | extra.get(tag, set()) for tag in ATTRIBUTES.keys() | extra.keys()}


def _address(tag, attribute, value, link, picture):
    """What stands in an attribute instead; None to drop it."""
    if (tag, attribute) == ("img", "src"):
        value = picture(value) if picture else value
        return None if value is None or REMOTE.match(value) else value
    if (tag, attribute) == ("a", "href"):
        value = link(value) if link else value
        return None if value is None or value.strip().lower().startswith(("data:", "attachment:")) else value
    if attribute == "style":
        return ";".join(part for part in value.split(";") if "(" not in part or part.count("rgb"))
    return value


def clean(html: str, link=None, picture=None, markdown: bool = False) -> str:
    """`html` without anything that runs, loads from another host or leaves its box.

    `link(href)` and `picture(src)` give the address to write instead, or None to drop it; a picture without a file of
    ours is dropped with its tag. `markdown` allows the classes and ids that our renderer writes.
    """
    if outgrows(html):
        raise RecursionError
    failures = []

    def rewrite(tag, attribute, value):
        try:
            return _address(tag, attribute, value, link, picture)
        except Exception as error:  # none gets out of the sanitiser
            failures.append(error)
            return None

    cleaned = nh3.clean(
        html,
        tags=TEXT_TAGS,
        clean_content_tags=GONE_WITH_CONTENT,
        attributes=_attributes(markdown),
        attribute_filter=rewrite,
        url_schemes=SCHEMES,
        link_rel="noopener",
        filter_style_properties=STYLES,
        allowed_classes=None if markdown else {"table": {"dataframe"}},
    )
    if failures:
        raise failures[0]
    cleaned = cleaned.replace('<a rel="noopener">', "<a>")  # of a link that leads nowhere the text is left
    return WITHOUT_FILE.sub("", cleaned)


def says_something(html: str) -> bool:
    """Whether a fragment shows anything, a picture or text, once its scripts and styles are gone."""
    left = nh3.clean(
        html,
        tags=SEEN,
        clean_content_tags={"script", "style"},
        attributes=SHOWING,
        link_rel=None,
        url_schemes=SCHEMES,
    )
    return bool(re.search(r"<(?:svg|hr|img\s+src=)", left)) or bool(unescape(re.sub("<img>", "", left)).strip())
