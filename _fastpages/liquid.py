"""Reads the Liquid of fastpages and Jekyll in markdown: footnotes, includes, links.

None of it runs: what means something here becomes markdown, other tags are left out with a warning, and what is in code
stays as it is.
"""

import re
import textwrap

from .losses import Losses
from .names import date_in, same
from .prose import marked_code, outside_code, outside_fences
from .scan import replace

OPEN, CLOSE = "\ue010", "\ue011"  # around the number of what {% raw %} keeps; private characters that no text has
KEPT = re.compile(f"{OPEN}(\\d+){CLOSE}")
QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
OPENING = re.compile(r"\{(?:%|\{)-?")
NAME = re.compile(r"\s*(\w+)")
QUOTE = re.compile(r"(?<=[\s=:(|,{%-])[\"']|%\}|\}\}")  # one that opens a text, or an end
LONGEST = 4000  # characters of a tag
DETAIL = re.compile(rf"\s*({QUOTED})\s*\|\s*fndetail:?\s*[\"']?([\w-]+)[\"']?\s*", re.S)
ADDRESS = re.compile(rf"\s*({QUOTED})\s*((?:\|\s*(?:relative_url|absolute_url|prepend:\s*site\.\w+)\s*)+)")
OPTION = re.compile(rf"([\w-]+)\s*=\s*({QUOTED}|[^\s\"'%]+)", re.S)
# A box of fastpages, and the callout that it is here.
BOXES = {
    "alert": "Warning",
    "caution": "Caution",
    "danger": "Caution",
    "important": "Important",
    "info": "Note",
    "note": "Note",
    "tip": "Tip",
    "warning": "Warning",
}
HOSTS = {"gist": "https://gist.github.com/", "vimeo": "https://vimeo.com/"}
ATTRIBUTES = re.compile(r"^[ \t]*\{::?[^{}\n]*\}[ \t]*$", re.M)
CONTENTS = re.compile(r"^[ \t]*(?:[-*+]|\d+\.)[ \t]+TOC[ \t]*\n[ \t]*\{:\s*toc\b[^{}\n]*\}[ \t]*$", re.M | re.I)


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _quotation(kind: str, text: str) -> str:
    """A paragraph's own quotation that `markdown` knows: `> Note: text`."""
    lines = [line.strip() for line in text.strip().split("\n")]
    return f"\n\n> {kind}: " + "\n> ".join(lines) + "\n\n"


def _fenced(piece: str) -> str:
    """A block that Jekyll highlights, as a fenced one."""
    opening, _, code = piece.partition("%}")
    code = textwrap.dedent(code.rpartition("{%")[0].rstrip()).strip("\n")
    language = (opening.split("highlight", 1)[1].split() or [""])[0].strip("-")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return f"\n\n{fence}{language}\n{code}\n{fence}\n\n"


def _end(text: str, start: int) -> int:
    """Where the tag or value ends that opens at a place; what is quoted in it ends none. -1 where it never ends."""
    closing, limit = {"{%": "%}", "{{": "}}"}[text[start : start + 2]], start + LONGEST
    place = start + 2
    if text.find(closing, place, limit) < 0:
        return -1
    while mark := QUOTE.search(text, place, limit):
        place = mark.end()
        if mark[0] == closing:
            return place
        if mark[0] in "\"'":
            quoted = re.compile(rf"(?:[^{mark[0]}\\]|\\.)*{mark[0]}", re.S).match(text, place, limit)
            place = quoted.end() if quoted else place
    return -1


def _marks(text: str):
    """(start, end) of each tag and value of Liquid."""
    opening = OPENING.search(text)
    while opening:
        end = _end(text, opening.start())
        if end > 0:
            yield opening.start(), end
        opening = OPENING.search(text, max(end, opening.start() + 2))


class Liquid:
    """Takes the Liquid out of a document's cells; `posts` holds the site's addresses by the documents' names."""

    def __init__(self, posts: dict, losses: Losses):
        self.losses, self.notes, self.cited, self.kept = losses, set(), {}, []
        self.posts = {same(name.rpartition(".")[0]): address for name, address in posts.items()}

    def take(self, source: str) -> str:
        """The cell's markdown without Liquid."""
        source = self._attributes(source)
        if "{%" not in source and "{{" not in source:
            return source
        self.kept = []
        source = replace(source, r"\{%-?\s*raw\s*-?%\}", r"\{%-?\s*endraw\s*-?%\}", self._keep)
        source = replace(source, r"\{%-?\s*comment\s*-?%\}", r"\{%-?\s*endcomment\s*-?%\}", lambda piece: "")
        source = replace(source, r"\{%-?\s*highlight\b", r"\{%-?\s*endhighlight\s*-?%\}", _fenced)
        source = outside_fences(source, self._prose)
        return KEPT.sub(lambda match: self.kept[int(match[1])], source)

    def _keep(self, piece: str) -> str:
        self.kept.append(piece.partition("%}")[2].rpartition("{%")[0])
        return f"{OPEN}{len(self.kept) - 1}{CLOSE}"

    def _attributes(self, source: str) -> str:
        """`source` without the lists of attributes that stand in a line of their own, as kramdown has them."""
        if "{:" not in source:
            return source

        def drop(text):
            return ATTRIBUTES.sub(self._drop_attributes, CONTENTS.sub("", text))

        return outside_code(source, drop)

    def _drop_attributes(self, match) -> str:
        self.losses.tell(f"{match[0].strip()}: attributes of kramdown have no effect here; left out")
        return ""

    def _prose(self, text: str) -> str:
        code = list(marked_code(text))

        parts, last = [], 0
        for start, end in _marks(text):
            if start >= last and not any(first <= start and end <= final for first, final in code):
                parts += [text[last:start], self._stand_in(text[start:end], text[end : end + 1])]
                last = end
        return "".join([*parts, text[last:]])

    def _stand_in(self, mark: str, after: str) -> str:
        """What stands for a tag or a value; `after` is the character behind it."""
        inner = mark[2:-2].removeprefix("-").removesuffix("-")
        if mark.startswith("{{"):
            return self._value(mark, inner, after)
        name = NAME.match(inner)
        return self._tag(mark, name[1].lower(), inner[name.end() :].strip()) if name else mark

    def _value(self, mark: str, words: str, after: str) -> str:
        """What stands for `{{ … }}`: a footnote's text, an address, or just this."""
        if note := DETAIL.fullmatch(words):
            self.notes.add(note[2])
            return f"\n\n[^fn-{note[2]}]: {' '.join(_unquoted(note[1]).split())}\n\n"
        if address := ADDRESS.fullmatch(words):
            return _unquoted(address[1])
        if words.strip() in {"site.baseurl", "site.url"} and after in {"/", "{"}:
            return ""
        self.losses.tell(f"{mark}: values of Liquid are not filled in; it stays as it is")
        return mark

    def _tag(self, mark: str, name: str, words: str) -> str:
        """What stands for `{% … %}`."""
        if name == "fn":
            key = _unquoted(words)
            self.cited.setdefault(key, self.losses.cell)
            return f"[^fn-{key}]"
        if name in {"twitter", "tweet", "youtube", "gist", "vimeo"} and words:
            return self._preview(name, _unquoted(words.split()[0]))
        if name in {"post_url", "link"} and words:
            return self._document(mark, words)
        if name == "include" and (found := self._include(words)) is not None:
            return found
        self.losses.tell(f"{mark}: a tag of Liquid that this site does not know; left out")
        return ""

    def _preview(self, name: str, what: str) -> str:
        if name in HOSTS:
            return f"<{what if '://' in what else HOSTS[name] + what}>"
        if name == "youtube":
            return _quotation("youtube", what if "://" in what else f"https://youtu.be/{what}")
        return _quotation("twitter", what)

    def _document(self, tag: str, words: str) -> str:
        """The address of a document that a tag names; "#" where there is none."""
        name = _unquoted(words.split()[0]).rpartition("/")[2]
        stem = name if date_in(f"{name}.md") and not date_in(name) else name.rpartition(".")[0] or name
        address = self.posts.get(same(stem))
        if address is None:
            self.losses.tell(f"{tag}: no notebook or post of the site; the link leads nowhere")
        return address or "#"

    def _include(self, words: str):
        """The markdown of an include that fastpages brings; None of any other."""
        name, _, rest = words.partition(" ")
        name = name.strip("\"'").rpartition("/")[2].partition(".")[0].lower()
        options = {key: _unquoted(value) for key, value in OPTION.findall(rest)}
        text = next((options[key] for key in ("text", "content", "url", "id", "link") if options.get(key)), "")
        if name in BOXES and text:
            return _quotation(BOXES[name], text)
        if name in {"youtube", "twitter", "tweet"} and text:
            return self._preview("youtube" if name == "youtube" else "twitter", text)
        if name in {"image", "image-r", "figure", "screenshot"}:
            return self._picture(options)
        return None

    def _picture(self, options: dict):
        source = next((options[key] for key in ("file", "src", "url", "image_path", "path") if options.get(key)), None)
        if source is None:
            return None
        if not re.match(r"/|\w+:", source):
            source = f"/{source}"
        captions = (options[key] for key in ("caption", "description", "title") if options.get(key))
        caption = next(captions, "").replace('"', "&quot;")
        title = f' "{caption}"' if caption else ""
        width = next((options[key] for key in ("width", "max-width") if options.get(key)), "")
        size = f"{{width={width}}}" if re.fullmatch(r"\d+(?:px|%)?", width) else ""
        return f"\n\n![{options.get('alt', '')}](<{source}>{title}){size}\n\n"

    def finish(self) -> None:
        """Tells of the footnotes that have no text."""
        for key, cell in self.cited.items():
            if key not in self.notes:
                self.losses.cell = cell
                self.losses.tell(f"{{% fn {key} %}}: no text of a footnote has this number")
