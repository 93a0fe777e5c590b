"""A page's footnotes: `[^key]` in the text and `[^key]: the note` in any of its markdown cells.

Each note is written twice: beside its reference, for screens with a margin, and in a list at the page's end.
"""

import html
import re

from .scan import cut, spans

# A fenced block is matched first and kept, so that what looks like a note in code stays code.
NOTE = re.compile(
    r"(?P<fence>^ {0,3}(?P<marks>`{3,}|~{3,})[\s\S]*?(?:^ {0,3}(?P=marks)[^\n]*$|\Z))"
    r"|^ {0,3}\[\^(?P<key>[^\[\]\s]+)\]:[ \t]+(?P<text>[^\n]+(?:\n(?:[ \t]*\n)*(?: {2,}|\t)[^\n]+)*)\n?",
    re.M,
)
REFERENCE = r"\[\^(?P<footnote_key>[^\[\]\s]+)\]"


class Footnotes:
    """Collects the notes of a page (`take`), numbers them by first use (`reference`), and lists them (`section`)."""

    def __init__(self, words: dict):
        self.words = words
        self.notes = {}  # key -> markdown
        self.used = {}  # key -> how often it was referred to; in the order of the first use, which is the numbers'
        self.numbers = {}  # key -> the note's number
        self.shown = {}  # key -> the note's HTML, without block tags

    def take(self, source: str) -> str:
        """`source` without its notes, which are kept."""

        def keep(match):
            if match["key"] is None:
                return match[0]
            self.notes.setdefault(match["key"], match["text"])
            return ""

        return NOTE.sub(keep, source)

    def reference(self, key: str, render) -> str:
        """The HTML of one `[^key]`; `render(markdown)` gives a note's own HTML."""
        count = self.used[key] = self.used.get(key, 0) + 1
        number = self.numbers.setdefault(key, len(self.used))
        name = f"fnref-{number}" if count == 1 else f"fnref-{number}-{count}"
        link = f'<a class="fnref" id="{name}" href="#fn-{number}" role="doc-noteref">{number}</a>'
        if count > 1:
            return link
        self.shown[key] = ""  # a note that refers to itself finds itself rendered
        note = render(re.sub(r"\n[ \t]+", "\n", self.notes[key]))
        paragraphs = [
            note[start:end].removeprefix("<p>").removesuffix("</p>") for start, end in spans(note, "<p>", "</p>")
        ]
        self.shown[key] = "<br>".join(part.strip() for part in paragraphs) or html.escape(self.notes[key])
        inner = cut(cut(self.shown[key], '<a class="fnref"', "</a>"), '<span class="sidenote"', "</span></span>")
        inner = re.sub(r' id="[^"]*"', "", inner)
        number = f'<span class="sidenote-number">{number}</span>'
        return f'{link}<span class="sidenote" data-pagefind-ignore="">{number} {inner}</span>'

    def section(self) -> str:
        """The list for the page's end, or "" when nothing was referred to."""
        back = html.escape(self.words["footnote_back"])
        items = [
            f'<li id="fn-{number}">{self.shown[key]}\N{NO-BREAK SPACE}'
            f'<a class="fnback" href="#fnref-{number}" role="doc-backlink" aria-label="{back}">↩</a></li>'
            for number, key in enumerate(self.used, 1)
        ]
        name = html.escape(self.words["footnotes"])
        return (
            f'<section class="footnotes" role="doc-endnotes" aria-label="{name}">\n<ol>\n'
            + "\n".join(items)
            + "\n</ol>\n</section>\n"
            if items
            else ""
        )

    def unused(self) -> list:
        """Keys of notes that nothing refers to."""
        return [key for key in self.notes if key not in self.used]
