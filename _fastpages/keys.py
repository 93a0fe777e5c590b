"""The keys of a front matter: those that a post has, and those that Jekyll, fastpages and others know."""

import datetime
import re

from .addresses import tidy, tidy_old
from .errors import one_line

TRUE, FALSE = {"true", "yes", "on"}, {"false", "no", "off"}
ZONE = r"\(?(?:[a-z][a-z_/]{0,40}\)?|(?:UTC|GMT)?[+-]\d\d?(?::?\d\d)?)"
CLOCK = r"\d\d?(?::\d\d(?::\d\d(?:\.\d+)?)?|(?=\s*[ap]m))\s*(?:[ap]\.?m\.?)?"
TIME = re.compile(rf"(?:T|,?\s+){CLOCK}\s*(?:{ZONE})?$", re.I)
DATE = re.compile(r"(\d{4})([-/.])(\d\d?)\2(\d\d?)")
IN_WORDS = ("%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y")
WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+", re.I)


def _shown(value) -> str:
    """A value as a message quotes it."""
    return one_line(repr(value)[:80])


# Each reader below takes what stands in a markdown cell, always text, or what YAML made of it.
def _boolean(text):
    text = unquoted(re.sub(r"\s+#.*", "", str(text)))
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError(f"expected true or false, got {_shown(text)}")


def _integer(text):
    text = unquoted(str(text))
    if re.fullmatch(r"-?\d{1,9}", text):
        return int(text)
    raise ValueError(f"expected a whole number of at most nine digits, got {_shown(text)}")


def _in_words(text: str):
    """The date of `March 8, 2026` or `Sun, 8th Mar 2026`; None of what is none."""
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|[.,]", " ", WEEKDAY.sub("", text), flags=re.I)
    text = re.sub(r"\bsept\b", "Sep", " ".join(text.split()), flags=re.I)
    for form in IN_WORDS:
        try:
            return datetime.datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def read_date(text) -> datetime.date:
    """The day that is written there, whatever its time and zone. ValueError for what is no date."""
    plain = TIME.sub("", unquoted(str(text).strip())[:100])
    numbers = DATE.fullmatch(plain)
    try:
        day = datetime.date(int(numbers[1]), int(numbers[3]), int(numbers[4])) if numbers else _in_words(plain)
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"expected YYYY-MM-DD, got {_shown(text)}")
    return day


def _item(value) -> str:
    """One of a list's values: text, or a number that is meant as text."""
    return str(value) if isinstance(value, (int, float, datetime.date)) else _text(value)


def _list(text):
    if isinstance(text, list):
        return [_item(item) for item in text]
    text = _item(text)
    items = [item.strip(" \"'") for item in text.removeprefix("[").removesuffix("]").split(",")]
    if "[" in text.strip("[]") or text.startswith("[") != text.endswith("]"):
        raise ValueError(f"expected [one, two], got {_shown(text)}")
    return [item for item in items if item]


def unquoted(text: str) -> str:
    """The text without the quotation marks around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _text(text):
    if not isinstance(text, str):
        raise ValueError(f"expected text, got {_shown(text)}")
    return unquoted(text)


def _authors(text):
    return ", ".join(map(_text, text)) if isinstance(text, list) else _text(text)


def _language(text):
    text = _text(text)
    if not re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", text):
        raise ValueError(f"expected a language such as en or pt-BR, got {_shown(text)}")
    return text


def _permalink(text):
    text = _text(text)
    return tidy(f"{text}.html" if re.fullmatch(r"/(?:[\w.-]+/)*[\w-]+", text) else text)


def _permalinks(text):
    return [
        tidy_old(_text(path))
        for path in ([text] if isinstance(text, str) and "," not in text and "[" not in text else _list(text))
    ]


def _picture(text):
    if isinstance(text, dict):
        text = text.get("path")
    if re.match(r"[a-z]+:|//", _text(text), re.I):
        raise ValueError(f"expected a picture of this site, got {_shown(text)}")
    return _text(text)


# Every key that a post may have, and how its value is read.
KEYS = {
    "author": _authors,
    "badges": _boolean,
    "branch": _text,
    "categories": _list,
    "comments": _boolean,
    "date": read_date,
    "hide": _boolean,
    "hide_binder_badge": _boolean,
    "hide_colab_badge": _boolean,
    "hide_github_badge": _boolean,
    "image": _picture,
    "lang": _language,
    "last_modified_at": read_date,
    "permalink": _permalink,
    "published": _boolean,
    "redirect_from": _permalinks,
    "search_exclude": _boolean,
    "sitemap": _boolean,
    "sticky_rank": _integer,
    "tags": _list,
    "toc": _boolean,
    "translation_of": _text,
    "trusted": _boolean,
    "use_math": _boolean,
}
# Other names of these.
ALIASES = {
    "aliases": "redirect_from",
    "authors": "author",
    "category": "categories",
    "date_modified": "last_modified_at",
    "math": "use_math",
    "mathjax": "use_math",
    "tag": "tags",
    "updated": "last_modified_at",
}
# Keys of Jekyll, its plugins and themes, fastpages, nbdev and Quarto. The first change nothing that a page of this site
# could show; of the others the author is told.
SILENT = set(
    "hide_deepnote_badge nb_path show_tags skip_exec skip_showdoc use_katex use_plotly use_twitter_embed".split()
)
FOREIGN = set(
    "abstract annotations bibliography canonical_url citation classes code_fold code_tools collection course courses "
    "cover crossref css csl draft excerpt_separator execute exclude_from_search expires ext featured feed filters "
    "format freeze google_scholar has_children header header_includes hidden hide_description hide_title html id "
    "image_alt image_height image_width js jupyter kernelspec keywords language layout license liquid listing "
    "locale menu mermaid nav_exclude nav_order next number_sections og_image order output output_file page_layout "
    "paginate pagination parent pin pinned prev priority read_time reading_time redirect_to related "
    "render_with_liquid robots search section seo series share show_date show_excerpts sidebar slug social_image sort "
    "subject tagline teaser template theme thumbnail thumbnail_img title_block_banner title_block_style toc_depth "
    "toc_icon toc_label toc_sticky toc_title twitter type uid unit units url use_toc usemathjax version week "
    "weight".split()
)
LAYOUTS = {"article", "default", "none", "notebook", "page", "post", "posts", "single"}


def _plain(key: str) -> str:
    """A key as it is looked up: `Search-Exclude` is `search_exclude`, `category` is `categories`."""
    key = key.lower().replace("-", "_")
    return ALIASES.get(key, key)


def _foreign(key: str, text, warnings: list) -> None:
    """Tells of a key that somebody else's program knows, where the page loses something without it."""
    if key == "layout":
        if str(text).lower() not in LAYOUTS:
            warnings.append(f"layout: {_shown(text)} is none of this site's; it is shown as a post")
    elif key not in SILENT:
        warnings.append(f"{key}: has no effect on this site")


def _take(key: str, text, values: dict, warnings: list) -> None:
    """Puts a key's value to the others. ValueError where there is something wrong with it."""
    plain = _plain(key)
    if plain == "draft":
        plain, text = "published", not _boolean(text)
    if plain in SILENT | FOREIGN:
        _foreign(plain, text, warnings)
        return
    if plain not in KEYS:
        raise ValueError(f"not a key of the front matter; known are {', '.join(sorted(KEYS))}")
    if plain in values:
        raise ValueError("given twice")
    if text is None or text == "":
        raise ValueError("has no value")
    if plain == "permalink" and re.search(r"/:\w", str(text)):
        warnings.append(f"permalink: {_shown(text)}: placeholders have no effect on this site")
        return
    values[plain] = KEYS[plain](text)


def read_values(pairs: list, problems: list, warnings: list) -> dict:
    """The keys' values as their readers take them; what is wrong with a key is added to the problems."""
    values = {}
    for key, text in pairs:
        try:
            _take(key, text, values, warnings)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    tags = values.pop("tags", [])
    if tags:
        values["categories"] = list(dict.fromkeys([*values.get("categories", []), *tags]))
    return values
