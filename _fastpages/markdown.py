"""Renders markdown cells: nbconvert's reader with its maths, our headings, callouts, footnotes, previews and links."""

import html
import posixpath
import re
from urllib.parse import unquote, urlsplit

from mistune.plugins.table import table_in_list, table_in_quote
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from .amounts import is_money
from .citations import CITATION, Citations
from .code import code_html
from .deeper import mark_comments
from .destinations import mend_addresses
from .errors import one_line
from .footnotes import REFERENCE, Footnotes
from .maths import LONGEST
from .names import is_document, same
from .pipes import BAR, even_tables
from .remote import link_pictures
from .scan import strip_tags

CALLOUT = re.compile(r"\s*<p>\s*(?:<strong>)?(Note|Tip|Warning|Important):(?:</strong>)?\s*", re.I)
PREVIEW = re.compile(r"\s*<p>\s*(twitter|youtube):\s*", re.I)
ADDRESS = re.compile(r'<a href="([^"]+)"[^>]*>|(https://\S+)', re.I)
HOSTS = {
    "twitter": {"twitter.com", "x.com", "mobile.twitter.com"},
    "youtube": {"youtube.com", "youtu.be", "m.youtube.com"},
}
# Another notebook, or a written post.
DOCUMENT = re.compile(r"([^#?]+\.(?:ipynb|md|markdown))(?:\?[^#]*)?(#.*)?$")
OTHER_SITE = re.compile(r"[a-z][a-z0-9+.-]*:|[#/\\]", re.I)
# GitHub's five kinds of alerts, and what others call them.
ALERT = re.compile(r"\s*<p>\s*\[!(\w+)\][+-]?[ \t]*([^\n<]*)(?:<br ?/?>)?\s*(</p>)?\s*")
ALERTS = {"info": "note", "hint": "tip", "attention": "warning", "danger": "caution", "error": "caution"}
ALERTS |= {kind: kind for kind in ("note", "tip", "important", "warning", "caution")}
# Behind a heading, as kramdown and pandoc have it: {#name .class}, {: .no_toc}, {-}.
HEADING_MARKS = re.compile(r"\s{1,9}\{(?::\s?)?(?:[#.][\w-]{1,99}\s{0,9}){1,9}\}\s*$|\s{1,9}\{-\}\s*$")
REFERENCE_TO_FORMULA = r"\\(?P<formula_kind>(?:eq|auto|c|C)?ref)\{(?P<formula_label>[^{}\n]{1,200})\}"


class Links:
    """Where a link of a document leads on the site."""

    def __init__(self, name: str, folder: str, posts: dict, site):
        self.name, self.folder = name, folder  # the document's file name, and its folder's from the repository's top
        self.posts, self.site = posts, site  # posts: file name of a notebook or written post -> address
        self.documents = {same(name): address for name, address in posts.items()}
        self.warnings, self.cell = [], None  # the number of the cell that is looked at

    def __call__(self, href: str):
        href = href.strip()
        match = None if OTHER_SITE.match(href) else DOCUMENT.match(href)
        if match and (names := self._names(same(unquote(match[1])))):
            found = [self.documents[name] for name in names if name in self.documents]
            if not found:
                what = f"links to {one_line(names[0])}, which is no notebook or post of the series; left as text"
                place = f" in cell {self.cell}" if self.cell and self.name.endswith(".ipynb") else ""
                self.warnings.append(f"{self.name}: {what}{place}")
                return None
            return found[0] + (match[2] or "")
        if href.startswith(("#", "//", "\\")) or re.match(r"[a-z][a-z0-9+.-]*:", href, re.I):
            return href
        if href.startswith("/"):
            return href if href.startswith(f"{self.site.baseurl}/") else self.site.baseurl + href
        path = posixpath.normpath(posixpath.join(self.folder, href))  # another file of the repository
        return self.site.source_url + path if path.split("/")[0] != ".." else None

    def _names(self, path: str) -> list:
        """The documents that a path may mean: seen from this one's folder, or else from the repository's top."""
        found = []
        for start in (self.folder, ""):
            place = re.sub(r"^(\.\./)+", "", posixpath.normpath(posixpath.join(start, path)))
            for folder in (self.site.nbs_path, "_posts"):
                name = place.removeprefix(f"{folder}/")
                if name != place and (name.endswith(".ipynb") or is_document(name)):
                    found.append(name)
        return found


class PostRenderer(IPythonRenderer):
    """Headings with anchors (and a list of them for the contents), callouts, footnotes, previews, maths marked."""

    def __init__(self, words: dict, headings: list, notes: Footnotes, use_math: bool, citations: Citations):
        super().__init__(escape=False, exclude_anchor_links=True)
        self.words, self.headings, self.notes, self.use_math = words, headings, notes, use_math
        self.citations = citations
        self.taken = {}  # id of a heading -> the last number that was put behind it

    def heading(self, text, level, **attrs):
        level = max(level, 2)  # the page's own title is its only h1
        marks = HEADING_MARKS.search(text)
        text = text[: marks.start()] if marks else text
        plain = html.unescape(strip_tags(text)).strip()
        wanted = re.search(r"#([\w-]+)", marks[0]) if marks else None
        usual = re.sub(r"[\"'<>&#\\^`{|}%\[\]]", "", plain).replace(" ", "-") or "section"
        name = self._free_name(wanted[1] if wanted and not wanted[1].startswith("site-") else usual)
        self.headings.append({"level": level, "id": name, "text": plain})
        label = html.escape(self.words["anchor"]) + f": {html.escape(plain)}"
        anchor = f'<a class="anchor" data-pagefind-ignore="" href="#{name}" aria-label="{label}">#</a>'
        return f'<h{level} id="{name}">{text} {anchor}</h{level}>\n'

    def _free_name(self, base: str) -> str:
        """An id that no heading of the page has yet: the base, or the base with a number."""
        name = base
        while name in self.taken:
            self.taken[base] += 1
            name = f"{base}-{self.taken[base]}"
        self.taken[name] = 1
        return name

    def take_name(self, name: str) -> bool:
        """Makes `name` an id of the page; False where it is one already."""
        if name in self.taken:
            return False
        self.taken[name] = 1
        return True

    def block_quote(self, text):
        if preview := self._preview(text):
            return preview
        if alert := self._alert(text):
            return alert
        match = CALLOUT.match(text)
        if not match:
            return super().block_quote(text)
        kind, text = match[1].lower(), text[match.end() :]
        return (
            f'<div class="callout {kind}" role="note"><p class="callout-name">{html.escape(self.words[kind])}</p>'
            f"<p>{text[:1].upper()}{text[1:]}</div>\n"
        )

    def _alert(self, text: str):
        """A callout in GitHub's spelling: `> [!NOTE]`, perhaps with a title; None where it is none."""
        match = ALERT.match(text)
        kind = ALERTS.get(match[1].lower()) if match else None
        if kind is None:
            return None
        rest = text[match.end() :] if match[3] else f"<p>{text[match.end() :]}"
        return (
            f'<div class="callout {kind}" role="note"><p class="callout-name">'
            f"{match[2].strip() or html.escape(self.words[kind])}</p>{rest}</div>\n"
        )

    def _preview(self, text: str):
        """A link that says what it leads to, instead of another host's script; None where none is asked for."""
        kind, paragraph = PREVIEW.match(text), text.rstrip()
        if not kind or not paragraph.endswith("</p>"):
            return None
        rest = paragraph[kind.end() :].removesuffix("</p>")
        address = ADDRESS.match(rest)
        if not address:
            return None
        rest = rest[address.end() :]
        title = rest.partition("</a>")[2] if address[1] else rest
        return self._preview_link(kind[1].lower(), html.unescape(address[1] or address[2]), title)

    def _preview_link(self, kind: str, url: str, title: str):
        """The link of a preview; None where the address is another host's."""
        try:
            host = (urlsplit(url).hostname or "").removeprefix("www.")
        except ValueError:  # brackets where a host should be
            return None
        if host not in HOSTS[kind]:
            return None
        title = " ".join(html.unescape(strip_tags(title)).split()) or self.words[f"preview_{kind}"]
        parts = {"kind": self.words[kind], "title": title, "host": host}
        inner = " ".join(f'<span class="preview-{part}">{html.escape(text)}</span>' for part, text in parts.items())
        return f'<p><a class="preview {kind}" href="{html.escape(url)}">{inner}</a></p>\n'

    def footnote(self, raw):
        return self.notes.reference(raw, lambda source: render_markdown(source, self))

    def citation(self, raw):
        return raw  # `cite` has made it

    def block_code(self, code, info=None):
        return code_html(code, (info or "text").split()[0]) + "\n"

    # Formulas are written as they stand; `maths` draws those of the whole page at once.
    def inline_math(self, body):
        return f'<span class="math">${self.escape_html(body)}$</span>'

    def block_math(self, body):
        return f'<span class="math">$${self.escape_html(body)}$$</span>'

    def latex_environment(self, name, body):
        return f'<span class="math">$$\\begin{{{name}}}{self.escape_html(body)}\\end{{{name}}}$$</span>'

    def image(self, text, url, title=None):
        caption = f' title="{html.escape(title)}"' if title else ""
        return f'<img src="{html.escape(url)}" alt="{html.escape(text or "")}"{caption}>'

    def block_html(self, html):
        return mark_comments(html)

    def inline_html(self, html):
        return mark_comments(html)


def _trim_headings(source: str) -> str:
    """Shortens endless blanks in headings, at which the reader of markdown looks from each blank anew."""
    return re.sub(r"^ {0,3}#.*$", lambda line: re.sub(r"[ \t]{100,}", " ", line[0].rstrip()), source, flags=re.M)


# nbconvert's patterns of formulas that end with another mark than they begin with. There the search from an opening
# that is never closed goes on to the end of the text; here it ends at the next opening, or after the longest formula.
BRACKETS = rf"(?:(?!\\\\\[).){{0,{LONGEST}}}?"
PARENTHESES = rf"(?:(?!\\\\\().){{0,{LONGEST}}}?"
BEGIN, END = r"\\begin\{(?P<math_env_name>[a-zA-Z]*\*?)\}", r"\\end\{(?P=math_env_name)\}"
ENVIRONMENT = rf".{{0,{LONGEST}}}?"
IN_TEXT = {
    "block_math_latex": rf"(?s:(?<!\\)\\\\\[(?P<math_block_latex>{BRACKETS})(?<!\\)\\\\\])",
    "inline_math_latex": rf"(?s:(?<!\\)\\\\\((?P<math_inline_latex>{PARENTHESES})(?<!\\)\\\\\))",
    "latex_environment": rf"(?s:{BEGIN}(?P<math_env_body>{ENVIRONMENT}){END})",
}
ALONE = (
    r"(?s:(?<!\\)[$]{2}.*?(?<!\\)[$]{2}"
    rf"|\\\\\[{BRACKETS}\\\\\]"
    rf"|{BEGIN}{ENVIRONMENT}{END})"
)


class PostMarkdown(MarkdownWithMath):
    """nbconvert's reader that also knows footnotes; without maths where the post says so."""

    def __init__(self, renderer: PostRenderer):
        super().__init__(renderer=renderer)
        self.block.specification["multiline_math"] = ALONE
        self.inline.specification |= IN_TEXT
        if not renderer.use_math:
            for parser in (self.block, self.inline):
                parser.rules = [rule for rule in parser.rules if "math" not in rule and "latex" not in rule]
        else:
            self.inline.register("inline_math_tex", self.inline.specification["inline_math_tex"], self._parse_dollars)
            self.inline.register("formula_reference", REFERENCE_TO_FORMULA, self._parse_reference, before="escape")
        for plugin in (table_in_list, table_in_quote):
            plugin(self)
        self.notes = renderer.notes.notes
        self.citations = renderer.citations
        self.inline.register("footnote", REFERENCE, self._parse_footnote, before="link")
        self.inline.register("citation", CITATION, self._parse_citation, before="link")

    def _parse_dollars(self, parser, match, state):
        before, after = state.src[max(match.start() - 1, 0) : match.start()], state.src[match.end() : match.end() + 1]
        if is_money(match["math_inline_tex"], after, before):
            return None
        return parser.parse_inline_math_tex(match, state)

    def _parse_reference(self, parser, match, state):
        state.append_token({"type": "inline_math", "raw": match[0]})
        return match.end()

    def _parse_footnote(self, parser, match, state):
        key = match["footnote_key"]
        if key not in self.notes:
            return None  # brackets that mean nothing
        state.append_token({"type": "footnote", "raw": key})
        return match.end()

    def _parse_citation(self, parser, match, state):
        shown = self.citations.cite(match["cited_works"])
        if shown is None:
            return None
        state.append_token({"type": "citation", "raw": shown})
        return match.end()


def render_markdown(source: str, renderer: PostRenderer) -> str:
    """HTML of a markdown cell, not yet sanitised."""
    source = even_tables(mend_addresses(_trim_headings(source)))
    return link_pictures(PostMarkdown(renderer).render(source).replace(BAR, "|"))
