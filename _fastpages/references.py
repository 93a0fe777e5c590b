"""Reads `_data/references.bib`, the works that notebooks and posts cite; writes each as a list of references has it.

pybtex reads BibTeX; here is what becomes of an entry: a short name, a line of Markdown, a line of HTML.
"""

import html
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .errors import NotebookError, one_line
from .files import read_text

WEB = re.compile(r"https?://")
VENUES = ("booktitle", "journal", "publisher", "school", "institution", "howpublished")


@dataclass(frozen=True)
class Reference:
    """A work: what a line about it is made of."""

    key: str
    authors: str  # "E. Cole, O. Mac Aodha and N. Jojic"; "" where there is none
    short: str  # "Cole et al."; the title where there is no author
    year: str  # "2021", or "2021b" where two would be called alike; "" where that is not known
    title: str
    place: str  # where and when it appeared: "CVPR 2021"; "" where that is not known
    address: str  # "" where it has none
    note: str

    @property
    def name(self) -> str:
        """How a text calls it: "Cole et al. 2021"."""
        return f"{self.short} {self.year}".strip()

    def _line(self, title: str, escape=str) -> str:
        parts = [escape(self.authors), title, escape(self.place), escape(self.note)]
        return ", ".join(part for part in parts if part) + "."

    @property
    def text(self) -> str:
        """The line without marks: how a written list of references has it, once its Markdown is read."""
        return self._line(self.title)

    @property
    def markdown(self) -> str:
        """The line for a notebook: `- E. Cole et al., [Title](https://…), CVPR 2021.`"""
        title = self.title.replace("$", r"\$")  # two of them would be a formula
        title = f"[{title}]({self.address})" if self.address else f"*{title}*"
        return f"- {self._line(title)}"

    @property
    def html(self) -> str:
        """The line for a page."""
        title = html.escape(self.title)
        if self.address:
            return self._line(f'<a href="{html.escape(self.address)}">{title}</a>', html.escape)
        return self._line(f"<em>{title}</em>", html.escape)


def _plain(latex: str) -> str:
    """The text of a field, without its braces and LaTeX."""
    from pybtex.richtext import Text

    return " ".join(str(Text.from_latex(latex)).replace("~", " ").replace(r"\$", "$").split())


def _family(person) -> str:
    return _plain(" ".join([*person.prelast_names, *person.last_names]))


def _name(person) -> str:
    """A person's initials and family name."""
    given = [_plain(name) for name in [*person.first_names, *person.middle_names]]
    initials = ["-".join(f"{part[0]}." for part in name.split("-") if part) for name in given]
    return " ".join([*initials, _family(person)])


def _people(persons: list, name) -> tuple:
    """(the names, whether there are more)."""
    return [name(person) for person in persons if str(person) != "others"], any(str(p) == "others" for p in persons)


def _all_authors(persons: list) -> str:
    names, more = _people(persons, _name)
    if more or len(names) < 2:
        return ", ".join(names) + (" et al." if more else "")
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _short_authors(persons: list) -> str:
    names, more = _people(persons, _family)
    if more or len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names)


def _place(fields, year: str) -> str:
    """Where it appeared: a conference with its year, a journal with its volume, or the year alone."""
    venue = next((_plain(fields[name]) for name in VENUES if name in fields), "")
    if "journal" not in fields:
        joint = " " if "booktitle" in fields else ", "
        return joint.join(part for part in (venue, year) if part)
    volume = fields.get("volume", "") + (f"({fields['number']})" if "number" in fields else "")
    return ", ".join(part for part in (f"{venue} {volume}".strip(), year) if part)


def _reference(key: str, entry) -> Reference:
    fields, persons = entry.fields, entry.persons.get("author", [])
    year = fields.get("year", "")
    title = _plain(fields["title"])
    return Reference(
        key=key,
        authors=_all_authors(persons),
        short=_short_authors(persons) if persons else title,
        year=year,
        title=title,
        place=_place(fields, year),
        address=fields.get("url", ""),
        note=_plain(fields.get("note", "")),
    )


def read_references(path: Path) -> dict:
    """{key: its `Reference`}; none where there is no such file. NotebookError, in a line, where it cannot be read."""
    if not path.is_file():
        return {}
    from pybtex.database import parse_string  # takes a moment to load
    from pybtex.exceptions import PybtexError

    try:
        entries = parse_string(read_text(path), "bibtex").entries
    except (OSError, ValueError, PybtexError) as error:
        raise NotebookError(f"{path}: {one_line(error)}") from None
    untitled = [key for key, entry in entries.items() if "title" not in entry.fields]
    if untitled:
        raise NotebookError(f"{path}: {', '.join(untitled)}: no title; give each entry one")
    elsewhere = [key for key, entry in entries.items() if not WEB.match(entry.fields.get("url", "https://"))]
    if elsewhere:
        raise NotebookError(f"{path}: {', '.join(elsewhere)}: url: write an address that opens with https://")
    return _told_apart({key: _reference(key, entry) for key, entry in entries.items()})


def _told_apart(works: dict) -> dict:
    """The works, with a letter behind the year of those with the same name: "Howard and Gugger 2020b"."""
    named = {}
    for key, work in works.items():
        named.setdefault(work.name, []).append(key)
    for keys in named.values():
        for letter, key in zip("abcdefghijklmnopqrstuvwxyz", keys if len(keys) > 1 else ()):
            works[key] = replace(works[key], year=works[key].year + letter)
    return works


def mentioned(references: dict, text: str) -> dict:
    """Of the references those that a document cites or lists, as plain values: what its page depends on."""
    return {
        key: asdict(work)
        for key, work in references.items()
        if f"@{key}" in text or work.title in text or work.address and work.address in text
    }
