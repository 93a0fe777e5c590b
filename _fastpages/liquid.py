"""Reads the Liquid of fastpages and Jekyll in markdown: footnotes, includes, links.

None of it runs: what means something here becomes markdown, other tags are left out with a warning, and what is in code
stays as it is.
"""

import re

from .losses import Losses
from .names import date_in, same
from .prose import outside_code
from .scan import replace

OPEN, CLOSE = "\ue010", "\ue011"  # around the number of what {% raw %} keeps; private characters that no text has
KEPT = re.compile(f"{OPEN}(\\d+){CLOSE}")
TAG = re.compile(r"\{%-?\s*(?P<name>\w+)(?P<words>(?:(?!%\}).){0,2000}?)-?%\}", re.S)
VALUE = re.compile(r"\{\{-?(?P<words>(?:(?!\}\}).){1,2000}?)-?\}\}", re.S)
QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
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
    code = code.rpartition("{%")[0].strip("\n")
    language = (opening.split("highlight", 1)[1].split() or [""])[0].strip("-")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return f"\n\n{fence}{language}\n{code}\n{fence}\n\n"


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
        source = outside_code(source, self._prose)
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
        return TAG.sub(self._tag, VALUE.sub(self._value, text))

    def _value(self, match) -> str:
        """What stands for `{{ … }}`: a footnote's text, an address, or just this."""
        words = match["words"]
        if note := DETAIL.fullmatch(words):
            self.notes.add(note[2])
            return f"\n\n[^fn-{note[2]}]: {' '.join(_unquoted(note[1]).split())}\n\n"
        if address := ADDRESS.fullmatch(words):
            return _unquoted(address[1])
        rest = match.string[match.end() : match.end() + 2]
        if words.strip() in {"site.baseurl", "site.url"} and rest[:1] in {"/", "{"}:
            return ""
        self.losses.tell(f"{match[0]}: values of Liquid are not filled in; it stays as it is")
        return match[0]

    def _tag(self, match) -> str:
        """What stands for `{% … %}`."""
        name, words = match["name"].lower(), match["words"].strip()
        if name == "fn":
            key = _unquoted(words)
            self.cited.setdefault(key, self.losses.cell)
            return f"[^fn-{key}]"
        if name in {"twitter", "tweet", "youtube", "gist", "vimeo"} and words:
            return self._preview(name, _unquoted(words.split()[0]))
        if name in {"post_url", "link"} and words:
            return self._document(match[0], words)
        if name == "include" and (found := self._include(words)) is not None:
            return found
        self.losses.tell(f"{match[0]}: a tag of Liquid that this site does not know; left out")
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
        name = name.strip("\"'").rpartition("/")[2].removesuffix(".html").lower()
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
        caption = options.get("caption", "").replace('"', "&quot;")
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
