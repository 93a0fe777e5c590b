"""Writes the Liquid of a fastpages document as Markdown: its includes, footnotes and addresses.

What it does not know stays as it was written, and is told of by its line; so does what {% raw %} keeps, which the
converter reads too.
"""

import re
from dataclasses import dataclass, field

from .numbered import CODE, FENCE, Numbered
from .report import CHANGED, NOT_TAKEN

# None of these reads on past another opening of its kind, so that a text in which nothing is closed is read once.
PIECE = re.compile(
    r"(?P<raw>\{%-?\s*raw\s*-?%\}(?P<kept>(?:(?!\{%-?\s*raw\b)[\s\S])*?)\{%-?\s*endraw\s*-?%\})"
    rf"|{FENCE}|{CODE}"
    r"|(?P<comment>\{%-?\s*comment\s*-?%\}(?:(?!\{%-?\s*comment\b)[\s\S])*?\{%-?\s*endcomment\s*-?%\})"
    r"|(?P<highlight>\{%-?\s*highlight\s+(?P<language>[\w+#-]+)[^%\n]*%\}"
    r"(?P<source>(?:(?!\{%-?\s*highlight\b)[\s\S])*?)\{%-?\s*endhighlight\s*-?%\})"
    r"|(?P<tag>\{%-?\s*(?P<name>\w+)(?P<rest>(?:(?!\{%)[\s\S]){0,5000}?)-?%\}\\?)"
    r"|(?P<output>\{\{-?(?P<value>(?:(?!\{\{)[\s\S]){0,5000}?)-?\}\})",
    re.M,
)
KINDS = ("raw", "fence", "code", "comment", "highlight", "tag", "output")
RAW_MARK = re.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}")
ARGUMENT = re.compile(r"""([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']+))""")
NOTE = re.compile(r"""(?P<quote>["'])(?P<text>[\s\S]*)(?P=quote)\s*\|\s*fndetail:\s*['"]?(?P<key>[\w-]+)['"]?""")
PATH = re.compile(r"""["']([^"']*)["']\s*\|\s*(?:relative_url|absolute_url|prepend:\s*site\.(?:base)?url)[\s\S]*""")
HOME = re.compile(r"site\.(?:github\.)?(?:base)?url")
LIQUID = re.compile(r"(?:site|page|post|include|layout|content|paginator)\b|[\s\S]*\|")
TEXT = re.compile(r"<a [^>]*href=[\"']?([^\"'> ]+)[^>]*>.*?</a>|</?code>|`", re.S)
CALLOUTS = {
    "alert.html": "Warning",
    "info.html": "Note",
    "note.html": "Note",
    "tip.html": "Tip",
    "warning.html": "Warning",
    "important.html": "Important",
}
VIDEO = re.compile(r"[\w-]{6,20}")  # what a video of YouTube is called


@dataclass
class Liquid:
    """Translates the text of one document. `place_of(stem)` is where a post lies that is linked to by its name."""

    place_of: object
    values: dict  # of `page.title` and the like
    tell: object  # tell(kind, line, what)
    is_page: bool = False  # of the site, whose Liquid Jekyll reads here as well
    numbered: Numbered = field(default=None, init=False)

    def translate(self, numbered: Numbered) -> None:
        self.numbered = numbered
        numbered.sub(PIECE, self._piece)

    @property
    def text(self) -> str:
        return self.numbered.text

    def _say(self, kind: str, match, what: str) -> None:
        self.tell(kind, self.numbered.line(match), what)

    def _piece(self, match) -> str:
        kind = next(kind for kind in KINDS if match[kind] is not None)
        return getattr(self, f"_{kind}")(match)

    def _raw(self, match) -> str:
        return self._without_marks(match[0])

    def _fence(self, match) -> str:
        return self._without_marks(match[0])

    def _without_marks(self, text: str) -> str:
        """A text without `{% raw %}`, unless there is something to keep."""
        plain = RAW_MARK.sub("", text)
        return text if self.is_page or "{%" in plain or "{{" in plain else plain

    def _code(self, match) -> str:
        return self._fence(match)

    def _comment(self, match) -> str:
        self._say(CHANGED, match, f"a comment of Liquid is left out: {match[0]}")
        return ""

    def _highlight(self, match) -> str:
        if self.is_page:
            return match[0]
        source = self._without_marks(match["source"]).strip("\n")
        return self._alone(match, f"```{match['language']}\n{source}\n```")

    def _tag(self, match) -> str:
        writer = getattr(self, f"_tag_{match['name']}", None)
        written = writer(match, match["rest"].strip()) if writer else None
        return self._unknown(match) if written is None else written

    def _unknown(self, match) -> str:
        self._say(NOT_TAKEN, match, f"{match[0]} is not known here, and no page shows it")
        return f"{{% raw %}}{match[0]}{{% endraw %}}" if self.is_page else match[0]

    # One method a tag; None where it can't be translated.

    def _tag_fn(self, match, rest):
        return f"[^{rest}]" if re.fullmatch(r"[\w-]+", rest) else None

    def _tag_twitter(self, match, rest):
        address = (rest.split() or [""])[0].strip("\"'")
        return self._alone(match, f"> twitter: {address}") if address.startswith("http") else None

    def _tag_youtube(self, match, rest):
        return self._video(match, (rest.split() or [""])[0].strip("\"'"))

    def _tag_gist(self, match, rest):
        name = (rest.split() or [""])[0].strip("\"'")
        if not re.fullmatch(r"[\w/-]+", name):
            return None
        self._say(CHANGED, match, f"the gist {name} is a link here")
        return f"[gist {name}](https://gist.github.com/{name})"

    def _tag_octicon(self, match, rest):
        self._say(CHANGED, match, f"an icon is left out: {rest}")
        return ""

    def _tag_post_url(self, match, rest):
        place = self.place_of(rest)
        return None if place is None else self._link(match, place, rest)

    def _tag_link(self, match, rest):
        return self._link(match, rest if rest.startswith("_") else f"/{rest.lstrip('/')}", rest)

    def _link(self, match, place: str, text: str) -> str:
        """A place as the address of a link; where it stands in the text, a link of its own."""
        before = self.text[max(0, match.start() - 500) : match.start()]
        before = before.removesuffix("{{ site.baseurl }}").removesuffix("{{site.baseurl}}")
        inside = re.search(r"(?:\]\(\s*<?|=\s*[\"']?|^[ ]{0,3}\[[^\]\n]+\]:\s*|\}\}/?)$", before, re.M)
        return place if inside else f"[{text}]({place})"

    def _tag_include(self, match, rest):
        name = (rest.split() or [""])[0]
        found = ARGUMENT.findall(rest[len(name) :])
        given = {key: re.sub(r"\\(.)", r"\1", double or single or bare) for key, double, single, bare in found}
        if name in CALLOUTS:
            return self._callout(match, CALLOUTS[name], given.get("text") or given.get("content") or "")
        if name in {"youtube.html", "twitter.html"}:
            address = TEXT.sub(lambda tag: tag[1] or "", given.get("content", "")).strip()
            return (self._video if name == "youtube.html" else self._tag_twitter)(match, address)
        if name in {"image.html", "image", "image-r", "screenshot"}:
            return self._picture(match, name, given)
        if name == "video.html" and given.get("url"):
            return self._alone(match, f'<video controls src="{given["url"]}"></video>')
        return None

    def _video(self, match, address: str):
        if VIDEO.fullmatch(address):
            address = f"https://youtu.be/{address}"
        return self._alone(match, f"> youtube: {address}") if address.startswith("http") else None

    def _callout(self, match, kind: str, text: str):
        text = re.sub(r"\s*\n\s*", "\n> ", self._inside(match, text.strip()))
        return self._alone(match, f"> {kind}: {text}") if text else None

    def _inside(self, match, text: str) -> str:
        """The text that a tag was given, translated in its turn."""
        line, inner = self.numbered.line(match), Numbered(text)

        def tell(kind, _, what):
            self.tell(kind, line, what)

        Liquid(self.place_of, self.values, tell, self.is_page).translate(inner)
        return inner.text

    def _picture(self, match, name: str, given: dict):
        address = given.get("file") or given.get("url")
        if not address:
            return None
        if "file" not in given:  # of the older includes, whose files lie in images/
            address = f"/images/{address.lstrip('/')}"
        caption = given.get("caption", "").replace('"', "'")
        title = f' "{caption}"' if caption else ""
        picture = f"![{given.get('alt') or given.get('caption', '')}](<{address}>{title})"
        width = next((given[key] for key in ("width", "max-width", "max_width", "w") if key in given), "")
        picture += f"{{width={width}}}" if re.fullmatch(r"\d+(?:px|%)?", width) else ""
        if "file" in given and given.get("url"):
            picture = f"[{picture}]({given['url']})"
        return self._alone(match, picture)

    def _output(self, match) -> str:
        value = match["value"].strip()
        if note := NOTE.fullmatch(value):
            text = re.sub(r"\s*\n\s*", "\n    ", note["text"].strip())
            return self._alone(match, f"[^{note['key']}]: {text}")
        if self.is_page:
            return match[0]
        if path := PATH.fullmatch(value):
            return path[1]
        if HOME.fullmatch(value):
            return ""
        if value in self.values:
            return self.values[value]
        if LIQUID.match(value):
            self._say(NOT_TAKEN, match, f"{match[0]} is not known here, and stays as text")
        return match[0]

    def _alone(self, match, block: str) -> str:
        """A block that stands on lines of its own, as far in as the tag stood."""
        start = self.text.rfind("\n", 0, match.start()) + 1
        before = self.text[start : match.start()]
        indent = before if not before.strip() else ""
        block = block.replace("\n", f"\n{indent}")
        opening = "" if not before.strip() else "\n\n"
        if not opening and start and self.text[max(0, start - 2) : start] != "\n\n":
            opening = f"\n{indent}"  # a paragraph above would go on in a quotation
        line, end = self._line_from(match.end())
        closing = "\n\n" if line.strip() else ""
        if not line.strip() and self._line_from(end + 1)[0].strip():
            closing = "\n"
        return f"{opening}{block}{closing}"

    def _line_from(self, start: int) -> tuple:
        """(the text from there to the end of its line, where that ends)."""
        end = self.text.find("\n", start)
        end = len(self.text) if end < 0 else end
        return self.text[start:end], end
