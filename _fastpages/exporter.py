"""Puts the conversion together on nbconvert: its preprocessors and template, our filters."""

import html
import re
from dataclasses import dataclass
from pathlib import Path

from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters.ansi import ansi2html
from traitlets import List

from . import maths
from .captions import Captions
from .citations import Citations
from .code import code_html
from .deeper import check_marks, fold_sections
from .directives import is_hidden_markdown
from .errors import NotebookError
from .figures import frame_pictures, make_large, read_attributes
from .footnotes import Footnotes
from .front_matter import FrontMatter
from .hiding import Directives
from .interactive import link_frames
from .liquid import Liquid
from .losses import Losses
from .markdown import Links, PostRenderer, render_markdown
from .media import Media
from .names import is_lesson
from .outputs import CleanOutputs, cut_text
from .pictures import PictureFolder, Pictures
from .reading import minutes_to_read
from .remote import link_pictures
from .sanitize import clean
from .tables import dress_tables, inline_styles
from .tree import CONTROL, parse, write

LOST = re.compile(r"<(script|style|iframe|object|embed|canvas|form|select|textarea|input|svg)\b", re.I)
PROSE_WITH_MATHS = re.compile(r"\s*(?![\s$\\])[^$]{1,2000}\$")  # LaTeX that opens with text
LONGEST = 200_000  # characters of a cell's source


@dataclass
class Page:
    body: str
    headings: list  # of {"level", "id", "text"}
    pictures: dict  # file name -> bytes
    covers: dict  # those of them that may stand for the page
    minutes: int  # to read it
    formulas: int
    warnings: list


class PostExporter(TemplateExporter):
    """A notebook as an HTML fragment; its pictures go to `folder`, its links where `links` says."""

    default_preprocessors = List([]).tag(config=True)
    template_name = "post"
    template_extension = ".html.j2"
    file_extension = ".html"
    output_mimetype = "text/html"
    extra_template_basedirs = [str(Path(__file__).parent / "templates")]

    def __init__(self, front: FrontMatter, folder: PictureFolder, links: Links, **kwargs):
        self.folder, self.links, self.headings, self.words = folder, links, [], links.site.words
        self.losses = Losses(links.name)
        self.liquid = Liquid(links.posts, self.losses)
        self.media = Media(folder, self.words, self.losses)
        self.trusted = front.values.get("trusted", False)
        self.notes = Footnotes(self.words)
        self.citations = Citations(links.site.references, self.words, self.losses)
        use_math = front.values.get("use_math", True)
        self.renderer = PostRenderer(self.words, self.headings, self.notes, use_math, self.citations)
        self.captions = Captions(self.words, self.losses, self.renderer.taken)
        super().__init__(**kwargs)
        for step in (
            Directives(is_lesson(links.name), self.words, enabled=True),
            CleanOutputs(self.trusted, self.media, self.losses, enabled=True),
            Pictures(folder, self.words, self.losses, enabled=True),
        ):
            self.register_preprocessor(step)

    def _create_environment(self):
        environment = super()._create_environment()
        environment.filters |= {"code": code_html, "markdown_cell": self._markdown_cell, "output_html": self._output}
        environment.filters["places"] = self._places
        environment.filters["mark"] = lambda cell: maths.mark_cell(cell.metadata["cell"])
        environment.globals |= {"words": {key: html.escape(word) for key, word in self.words.items()}}
        return environment

    def from_notebook_node(self, nb, resources=None, **kwargs):
        for cell in nb.cells:
            self.losses.cell = cell.metadata["cell"]
            if cell.cell_type == "markdown" and not is_hidden_markdown(cell.source):
                cell.source = self.notes.take(self.liquid.take(cell.source))
        self.liquid.finish()
        return super().from_notebook_node(nb, resources, **kwargs)

    def endnotes(self) -> str:
        return self._references() + clean(self.notes.section(), self.links, markdown=True)

    def _references(self) -> str:
        """The list of what is cited, where the author wrote none."""
        if self.citations.has_list or not self.citations.used:
            return ""
        self.renderer.heading(self.words["references"], 2)
        return clean(self.citations.section(self.headings[-1]["id"]), self.links, markdown=True)

    def _clean(self, fragment, cell, markdown=False, alt=""):
        self.losses.cell = self.links.cell = cell.metadata["cell"]
        number, attachments = cell.metadata["post_number"], cell.get("attachments")
        fragment = clean(
            fragment, self.links, lambda src: self.folder.resolve(src, number, attachments, markdown), markdown=markdown
        )
        root = parse(fragment)
        self.folder.finish_tags(root, alt)
        for name in self.folder.unread:
            self.losses.tell(f"{name}: no picture that a page can show; left out")
        self.folder.unread.clear()
        if markdown:
            check_marks(root, self.losses)
            read_attributes(root, self.losses)
            frame_pictures(root)
            make_large(root.xpath(".//figure//img"), self.words)
            self.captions.number_figures(root)
            self.captions.caption_tables(root)
            self.captions.note(root)
            self.citations.read_list(root)
        self.folder.dress_drawings(root)
        dress_tables(root, self.words["table"])
        return write(root)

    def _markdown_cell(self, cell):
        self.losses.cell = cell.metadata["cell"]
        return self._prose(render_markdown(cell.source, self.renderer), cell)

    def _prose(self, source, cell):
        """The page's HTML of what markdown gave."""
        number = cell.metadata["post_number"]
        source = link_frames(self.media.take(source, f"cell-{number:02d}"))
        source = self.folder.take_drawings(source, number)
        if runs := LOST.search(source):
            self.losses.tell(f"<{runs[1].lower()}> in markdown has no effect on a page; left out")
        return self._clean(source, cell, markdown=True)

    def _places(self, cell):
        """What the addresses of nbdev's index lead to, for each name that no heading has."""
        names = [name for name in cell.metadata["post"]["places"] if self.renderer.take_name(name)]
        return "".join(f'<span id="{html.escape(name)}"></span>' for name in names)

    def _output(self, output, cell):
        shown, label = self._shown(output, cell), output.get("post_label", "")
        if "post_caption" in output:
            caption = self._caption(output["post_caption"], cell)
            is_table = output.get("post_table") or label.startswith("tbl-")
            return self.captions.put_on(shown, caption, label, is_table)
        if "post_source" in output:
            return f"<figure>{shown}<figcaption>{self._caption(output['post_source'], cell)}</figcaption></figure>"
        label = self.captions.take_label(label)  # without a caption, but it can be led to
        return f'<div id="{label}">{shown}</div>' if label else shown

    def _caption(self, text, cell):
        """A caption's markdown in a line."""
        shown = self._clean(render_markdown(text, self._apart()), cell, markdown=True).strip()
        return shown.removeprefix("<p>").removesuffix("</p>") if shown.count("<p>") == 1 else shown

    def _apart(self):
        """What renders markdown that is no part of the text."""
        return PostRenderer(self.words, [], Footnotes(self.words), self.renderer.use_math, self.citations)

    def _shown(self, output, cell):
        if output.output_type == "stream":
            return self._text(output.text, output["post_cut"], html.escape(output.name))
        if output.output_type == "error":
            return self._text(*cut_text("\n".join(output.traceback) or f"{output.ename}: {output.evalue}"), "error")
        data, alt = output.data, output.get("post_alt", cell.metadata["post"]["alt"])
        if "post/left_out" in data:
            return f'<p class="cut">{html.escape(self.words["not_shown"].format(data["post/left_out"]))}</p>'
        if "post/picture" in data:
            return self._figure(data["post/picture"], alt)
        if "text/html" in data and self.trusted:
            return f'<div class="html">{data["text/html"]}</div>'
        if "text/html" in data:
            source = link_pictures(inline_styles(data["text/html"]))
            source = self.folder.take_drawings(source, cell.metadata["post_number"])
            return f'<div class="html">{self._clean(source, cell, alt=alt)}</div>'
        if "text/markdown" in data:
            return self._prose(render_markdown(data["text/markdown"], self._apart()), cell)
        if "text/latex" in data and PROSE_WITH_MATHS.match(data["text/latex"]):
            return self._prose(render_markdown(data["text/latex"], self._apart()), cell)
        if "text/latex" in data:
            return f'<div class="math">{html.escape(data["text/latex"])}</div>'
        return self._text(data.get("text/plain", ""), data.get("post/cut", 0), too_long="post/too_long" in data)

    def _figure(self, address, alt):
        root = parse(f'<div class="figure"><img src="{html.escape(address)}"></div>')
        self.folder.finish_tags(root, alt)
        make_large(root.xpath(".//img"), self.words)
        self.folder.dress_drawings(root)
        return write(root)

    def _text(self, text, missing, kind="", too_long=False):
        shown = f'<pre class="{" ".join(["text", kind]).strip()}" tabindex="0">{ansi2html(text)}</pre>' if text else ""
        note = self.words["cut_output"] if too_long else self.words["cut_lines"].format(missing) if missing else ""
        return shown + (f'<p class="cut">{html.escape(note)}</p>' if note else "")


def convert(nb, front: FrontMatter, folder: PictureFolder, links: Links) -> Page:
    """The page of a notebook (nbformat 4), without the front matter that was read from it."""
    for number, cell in enumerate(nb.cells, 1):
        cell.metadata["cell"] = number
        if len(cell.source) > LONGEST:
            raise NotebookError(
                f"{links.name}: cell {number} has {len(cell.source)} characters: make cells of {LONGEST} at most"
            )
    nb.cells[front.cell].source = front.rest
    exporter = PostExporter(front, folder, links)
    body, _ = exporter.from_notebook_node(nb)
    body = fold_sections(exporter.citations.finish(body.strip()), exporter.words)
    body = CONTROL.sub("", f"{body}\n{exporter.endnotes()}")
    if folder.problems:
        raise NotebookError("\n".join(folder.problems))
    body = exporter.captions.resolve(body)
    minutes = minutes_to_read(body)
    body, formulas = maths.draw(exporter.media.put_in(body), exporter.losses)
    warnings = links.warnings + exporter.losses.lines
    warnings += [f"{links.name}: nothing refers to the footnote [^{key}]" for key in exporter.notes.unused()]
    return Page(body, exporter.headings, folder.files, folder.covers(), minutes, formulas, warnings)
