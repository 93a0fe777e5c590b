"""Translates the keys of a front matter: what each is called here, what means nothing here, what cannot be taken."""

import re

import yaml

from ..addresses import tidy_old
from ..keys import ALIASES, KEYS, LAYOUTS, SILENT
from .heads import LONGEST_SUMMARY, names
from .places import served
from .report import CHANGED, NOT_TAKEN

# Keys that ask for nothing that a page here could have or lack.
NO_MEANING = {
    "layout": "every post has the theme's own",
    "keywords": "no page shows them",
    "nb_path": "fastpages wrote it for itself",
    "slug": "a page is named after its file",
    "branch": "badges lead to the branch that settings.ini names",
}
TAG = re.compile(r"<[^<>]*>")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
ELSEWHERE = {"category", "categories", "tags", "date", "image", "permalink", "redirect_from", "author"}


def _plain(text: str) -> str:
    return " ".join(LINK.sub(r"\1", TAG.sub("", text)).split())


def _author(value, tell) -> str | None:
    if isinstance(value, dict):
        value = value.get("name")
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    plain = _plain(text)
    if plain != text.strip():
        tell(NOT_TAKEN, f"author: the link in {text}; the name alone is shown")
    return plain or None


def _others(values: dict, tell):
    """(key, value) of the keys that mean the same here, by their names here."""
    for key, value in values.items():
        if key in ELSEWHERE or value is None or value == "":
            continue
        plain = key.lower().replace("-", "_")
        key = ALIASES.get(plain, plain if plain in KEYS else key)
        if plain == "draft":
            key, value = "published", not value
        if key == "layout" and str(value).lower() in LAYOUTS:
            continue  # what a post looks like anyway
        if key in NO_MEANING:
            tell(CHANGED, f"{key}: {value}: left out; {NO_MEANING[key]}")
        elif key in SILENT:
            tell(CHANGED, f"{key}: {value}: left out; it changes nothing that a page here could show")
        elif key not in KEYS:
            tell(NOT_TAKEN, f"{key}: {value}: no such key here")
        else:
            yield key, value


def _checked(pairs, tell):
    """The pairs whose values can be read here."""
    for key, value in pairs:
        try:
            KEYS[key](value if isinstance(value, (str, list)) else str(value).lower())
            yield key, value
        except ValueError as error:
            tell(NOT_TAKEN, f"{key}: {error}")


def translate(source, blog, places, tell) -> dict:
    """The keys of a document as they are written here, title and summary left out.

    `tell(kind, what)` is told of what changes and of what is not taken.
    """
    head = source.head
    for remark in head.remarks:
        tell(CHANGED, remark)
    values = dict(_checked(_others(head.values, tell), tell))
    if head.date():
        values["date"] = head.date()
    elif head.values.get("date"):
        tell(NOT_TAKEN, f"date: {head.values['date']}: no date; that of its name, {source.date}, stands in")
    author = values.get("author") or head.values.get("author")
    if author and (author := _author(author, tell)):
        values["author"] = author
    if categories := _categories(head, tell):
        values["categories"] = categories
    if head.values.get("image") and (picture := places.cover(str(head.values["image"]), source, tell)):
        values["image"] = picture
    return values | _addresses(source, places, tell)


def _categories(head, tell) -> list:
    found = names(head)
    for name in found:
        if re.search(r"[\[\],]", name):
            tell(CHANGED, f"categories: {name}: written without brackets and commas")
    if head.values.get("tags"):
        tell(CHANGED, "tags: categories are the tags here, so that both are one list")
    cleaned = [" ".join(re.sub(r"[\[\],]", " ", name).split()) for name in found]
    return list(dict.fromkeys(name for name in cleaned if name))


def _addresses(source, places, tell) -> dict:
    """The document's own address where it asks for one, and the old ones, which lead on."""
    values, own = {}, places.own[source.place]
    if own != source.new:
        values["permalink"] = own
    if source.old is None:
        tell(CHANGED, "fastpages gave it a new address with each build, so that no old one leads on")
    more = source.head.values.get("redirect_from") or []
    has_moved = source.old and source.old != own and "permalink" not in source.head.values
    wanted = [source.old] if has_moved else []
    wanted += more if isinstance(more, list) else [more]
    redirects = [found for address in wanted if (found := _old_address(source, places, str(address), tell))]
    if redirects:
        values["redirect_from"] = list(dict.fromkeys(redirects))
    return values


def _old_address(source, places, asked: str, tell) -> str | None:
    try:
        address = tidy_old(served(asked))
        places.take(source, "redirect_from", address)
    except ValueError as error:
        tell(NOT_TAKEN, f"its old address does not lead on: {error}")
        return None
    tell(CHANGED, f"its old address {address} leads on to its new one")
    return address


def summary_and_rest(head) -> tuple:
    """(the summary, what opens the text): a summary that is too long for a card opens the text."""
    if len(head.summary) <= LONGEST_SUMMARY:
        return head.summary, ""
    return "", f"> {head.summary}\n\n"


def as_lines(title: str, summary: str, values: dict) -> str:
    """The front matter as a notebook's first cell holds it."""
    lines = [f"# {title}"]
    if summary:
        lines += [f"> {summary}"]
    lines += [""] if values else []
    return "\n".join([*lines, *(f"- {key}: {_text(value)}" for key, value in values.items())])


def _text(value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_yaml(title: str, summary: str, values: dict) -> str:
    """The front matter as a post opens with it."""
    texts = {"title": title} | ({"description": summary} if summary else {})
    body = yaml.safe_dump(texts | values, sort_keys=False, allow_unicode=True, width=10**6)
    return f"---\n{body}---\n"
