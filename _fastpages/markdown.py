"""Renders markdown cells: nbconvert's reader with its maths, our headings, callouts, code and links."""
import html
import re
from urllib.parse import unquote

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

CALLOUTS = {"note": "Note", "tip": "Tip", "warning": "Warning", "important": "Important"}
CALLOUT = re.compile(r"\s*<p>\s*(?:<strong>)?(Note|Tip|Warning|Important):(?:</strong>)?\s*", re.I)
NOTEBOOK = re.compile(r"(?:\./|(?:\.\./)*_notebooks/)?([\w.-]+\.ipynb)(#.*)?$")


def code_html(code: str, language: str = "ipython3") -> str:
    """Source text as highlighted HTML in a box that scrolls by keyboard."""
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("python" if language == "ipython3" else "text", stripnl=False)
    inner = highlight(code.rstrip("\n"), lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    name = "python" if lexer.aliases[0].startswith("ipython") else lexer.aliases[0]
    return f'<pre class="highlight" tabindex="0"><code class="language-{name}">{inner}</code></pre>'


class Links:
    """Where a link of a notebook leads on the site."""

    def __init__(self, name: str, posts: dict, site):
        self.name, self.posts, self.site = name, posts, site  # posts: notebook's file name -> address
        self.warnings = []

    def __call__(self, href: str):
        if match := NOTEBOOK.match(href.strip()):
            address = self.posts.get(unquote(match[1]))
            if address is None:
                self.warnings.append(f"{self.name}: links to {match[1]}, which is no notebook of the series; left as text")
                return None
            return address + (match[2] or "")
        if href.startswith(("#", "//", "\\")) or re.match(r"[a-z][a-z0-9+.-]*:", href, re.I):
            return href
        if href.startswith("/"):
            return href if href.startswith(f"{self.site.baseurl}/") else self.site.baseurl + href
        path = re.sub(r"^(\./)+", "", href)  # another file of the repository
        path = path.removeprefix("../") if path.startswith("../") else f"{self.site.nbs_path}/{path}"
        return self.site.source_url + path if not path.startswith("../") else None


class PostRenderer(IPythonRenderer):
    """Headings with anchors (and a list of them for the contents), callouts, maths marked for the page."""

    def __init__(self, headings: list):
        super().__init__(escape=False, exclude_anchor_links=True)
        self.headings = headings

    def heading(self, text, level, **attrs):
        level = max(level, 2)  # the page's own title is its only h1
        plain = html.unescape(re.sub(r"<[^>]*>", "", text)).strip()
        name = base = re.sub(r"[\"'<>&#]", "", plain).replace(" ", "-") or "section"
        count, taken = 1, {heading["id"] for heading in self.headings}
        while name in taken:
            count += 1
            name = f"{base}-{count}"
        self.headings.append({"level": level, "id": name, "text": plain})
        anchor = f'<a class="anchor" href="#{name}" aria-label="Link to this section: {html.escape(plain)}">#</a>'
        return f'<h{level} id="{name}">{text} {anchor}</h{level}>\n'

    def block_quote(self, text):
        match = CALLOUT.match(text)
        if not match:
            return super().block_quote(text)
        kind, text = match[1].lower(), text[match.end():]
        return (f'<div class="callout {kind}" role="note"><p class="callout-name">{CALLOUTS[kind]}</p>'
                f"<p>{text[:1].upper()}{text[1:]}</div>\n")

    def block_code(self, code, info=None):
        return code_html(code, (info or "text").split()[0]) + "\n"

    def inline_math(self, body):
        return f'<span class="math">${self.escape_html(body)}$</span>'

    def block_math(self, body):
        return f'<div class="math">$${self.escape_html(body)}$$</div>\n'

    def multiline_math(self, text):
        return f'<div class="math">{self.escape_html(text)}</div>\n'

    def latex_environment(self, name, body):
        body = self.escape_html(body)
        return f'<div class="math">\\begin{{{name}}}{body}\\end{{{name}}}</div>\n'

    def image(self, text, url, title=None):
        caption = f' title="{html.escape(title)}"' if title else ""
        if re.match(r"(https?:)?//", url):  # the page loads nothing from another host, so this becomes a link
            return f'<a href="{html.escape(url)}"{caption}>{html.escape(text or url)}</a>'
        return f'<img src="{html.escape(url)}" alt="{html.escape(text or "")}"{caption}>'

    def block_html(self, html):
        return html

    def inline_html(self, html):
        return html


BAR = "\ue000"  # stands for a bar while a table is read; a private character that no text has


def _shield_bars(source: str) -> str:
    """Hides the bars of maths inside a table's rows, which would end a cell there."""
    def shield(row):
        return re.sub(r"(?<![\\$])\$(?!\$)[^$\n]+\$", lambda maths: maths[0].replace("|", BAR), row[0])
    return re.sub(r"^\s*\|.*\|\s*$", shield, source, flags=re.M)


def render_markdown(source: str, headings: list) -> str:
    """HTML of a markdown cell, not yet sanitised; its headings are added to `headings`."""
    return MarkdownWithMath(renderer=PostRenderer(headings)).render(_shield_bars(source)).replace(BAR, "|")
