"""Citations: `[@key]` in a text becomes a link to the page's list of references, which says where each was cited.

The list is the one that the author wrote under `## References`, readable in Jupyter and on GitHub, with a line for each
work that it leaves out. A written line that differs from `_data/references.bib` is told of.
"""

import difflib
import html
import re

from lxml import etree

from .losses import Losses

KEY = r"[A-Za-z][\w:-]{0,60}"
WHERE = r"(?:,[^\[\]@;\n]{1,100})?"  # "[@guo2017, section 3]"
CITATION = rf"\[(?P<cited_works>-?@{KEY}{WHERE}(?:;\s?-?@{KEY}{WHERE}){{0,9}})\](?![(\[])"
ONE = re.compile(rf"(?P<bare>-?)@(?P<key>{KEY})(?P<where>{WHERE})")  # "Cole et al. [-@cole2021]" names them by itself
FILE = "_data/references.bib"
MORE = '<span class="references-more"></span>'  # where the works stand that a list leaves out, until all are known


class Citations:
    """The works that a page cites (`cite`), and its lists of them (`read_list`, `finish`)."""

    def __init__(self, references: dict, words: dict, losses: Losses):
        self.references, self.words, self.losses = references, words, losses
        self.used = {}  # key -> how often it was cited; in the order of the first time
        self.listed = set()  # keys of works that a written list has
        self.has_list = False

    def cite(self, raw: str) -> str | None:
        """The HTML of what stands between the brackets; None where the site has no works or lacks one of these."""
        found = [ONE.fullmatch(part.strip()) for part in raw.split(";")]
        unknown = [match["key"] for match in found if match["key"] not in self.references]
        for key in unknown if self.references else ():
            self.losses.tell(f"[@{key}]: {FILE} has no such entry; left as text. {self._way_out(key)}")
        if unknown:
            return None
        return f"({'; '.join(self._link(**match.groupdict()) for match in found)})"

    def _way_out(self, key: str) -> str:
        near = difflib.get_close_matches(key, self.references, n=3)
        return f"Did you mean {' or '.join(f'@{name}' for name in near)}?" if near else "Add it there."

    def _link(self, key: str, where: str, bare: str) -> str:
        """A link to the list, with the whole reference beside it for whoever points at it."""
        work = self.references[key]
        self.used[key] = self.used.get(key, 0) + 1
        place = f"{key}-{self.used[key]}"
        link = f'<a class="cite" id="cite-{place}" href="#ref-{key}" aria-describedby="work-{place}">'
        shown = f'<span class="cited-work" id="work-{place}" role="tooltip" data-pagefind-ignore="">'
        name = work.year if bare and work.year else work.name
        text = f"{link}{html.escape(name)}</a>{html.escape(where)}"
        return f'<span class="cited">{text}{shown}{html.escape(work.text)}</span></span>'

    def read_list(self, root) -> None:
        """Marks the works in the lists of references below `root`, an element of lxml's."""
        title = self.words["references"].casefold()
        for heading in root.xpath("./h2 | ./h3"):
            below = heading.getnext()
            if (heading.text or "").strip().casefold() == title and below is not None and below.tag in {"ul", "ol"}:
                self.has_list = True
                below.set("class", "references")
                for item in below.xpath("./li"):
                    self._mark(item)
                etree.SubElement(below, "span", {"class": "references-more"})

    def _mark(self, item) -> None:
        """Gives a line of a list the name that citations lead to, and a place for the ways back."""
        work = self._work_of(item)
        if work is None or work.key in self.listed:
            return
        self.listed.add(work.key)
        said = " ".join(item.text_content().split())
        if not said.startswith(work.text.removesuffix(".")):
            self.losses.tell(f"@{work.key} is not listed as {FILE} has it; write: {work.markdown}")
        item.set("id", f"ref-{work.key}")
        last = item.xpath("./p[last()]") or [item]
        etree.SubElement(last[0], "span", {"class": "cited-in", "id": f"in-{work.key}"})

    def _work_of(self, item):
        """The work that a line is about, told by its address or else by its title; None of any other line."""
        addresses, said = set(item.xpath(".//a/@href")), " ".join(item.text_content().split()).casefold()
        for work in self.references.values():
            if work.address in addresses if work.address else work.title.casefold() in said:
                return work
        return next((work for work in self.references.values() if f" {work.title.casefold()}" in f" {said}"), None)

    def _ways_back(self, key: str) -> str:
        back = html.escape(self.words["footnote_back"])
        count = self.used.get(key, 0)
        names = [f"{back} {number}" if count > 1 else back for number in range(1, count + 1)]
        return "".join(
            f'\N{NO-BREAK SPACE}<a class="fnback" href="#cite-{key}-{number}" aria-label="{name}">↩</a>'
            for number, name in enumerate(names, 1)
        )

    def missing(self) -> list:
        """Keys of works that are cited and in no written list."""
        return [key for key in self.used if key not in self.listed]

    def _items(self) -> str:
        return "".join(
            f'<li id="ref-{key}">{self.references[key].html}{self._ways_back(key)}</li>\n' for key in self.missing()
        )

    def finish(self, body: str) -> str:
        """The page with the ways back in its list, and the works that the list leaves out."""
        for key in self.listed:
            body = body.replace(f'<span class="cited-in" id="in-{key}"></span>', self._ways_back(key))
        return body.replace(MORE, self._items(), 1).replace(MORE, "")

    def section(self, name: str) -> str:
        """The list of a page whose author wrote none, under a heading with the id `name`."""
        anchor = html.escape(f"{self.words['anchor']}: {self.words['references']}")
        link = f'<a class="anchor" data-pagefind-ignore="" href="#{name}" aria-label="{anchor}">#</a>'
        heading = f'<h2 id="{name}">{html.escape(self.words["references"])} {link}</h2>'
        return f'<div class="prose">{heading}\n<ul class="references">\n{self._items()}</ul></div>\n'
