"""Puts the conversion together on nbconvert: its preprocessors and template, our filters."""
import html
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters.ansi import ansi2html
from traitlets import List

from .directives import Directives
from .errors import NotebookError
from .front_matter import FrontMatter
from .markdown import Links, code_html, render_markdown
from .outputs import CleanOutputs
from .pictures import PictureFolder, Pictures
from .sanitize import clean
from .tables import dress_tables, inline_styles


@dataclass
class Page:
    body: str
    headings: list  # of {"level", "id", "text"}
    pictures: dict  # file name -> bytes
    warnings: list


class PostExporter(TemplateExporter):
    """A notebook as an HTML fragment; its pictures go to `folder`, its links where `links` says."""

    default_preprocessors = List([]).tag(config=True)
    template_name = "post"
    template_extension = ".html.j2"
    file_extension = ".html"
    output_mimetype = "text/html"
    extra_template_basedirs = [str(Path(__file__).parent / "templates")]

    def __init__(self, folder: PictureFolder, links: Links, **kwargs):
        self.folder, self.links, self.headings = folder, links, []
        super().__init__(**kwargs)
        for step in (Directives(enabled=True), CleanOutputs(enabled=True), Pictures(folder, enabled=True)):
            self.register_preprocessor(step)

    def _create_environment(self):
        environment = super()._create_environment()
        environment.filters |= {"code": code_html, "markdown_cell": self._markdown_cell, "output_html": self._output}
        return environment

    def _clean(self, fragment, cell, markdown=False, alt=""):
        number, attachments = cell.metadata["post_number"], cell.get("attachments")
        fragment = clean(fragment, self.links, lambda src: self.folder.resolve(src, number, attachments), markdown=markdown)
        return dress_tables(self.folder.finish_tags(fragment, alt))

    def _markdown_cell(self, cell):
        return self._clean(render_markdown(cell.source, self.headings), cell, markdown=True)

    def _output(self, output, cell):
        if output.output_type == "stream":
            return f'<pre class="text {html.escape(output.name)}" tabindex="0">{ansi2html(output.text)}</pre>'
        if output.output_type == "error":
            text = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
            return f'<pre class="text error" tabindex="0">{ansi2html(text)}</pre>'
        data, alt = output.data, html.escape(cell.metadata["post"]["alt"])
        if "post/picture" in data:
            return f'<div class="figure">{self.folder.finish_tags(_img(data["post/picture"]), alt)}</div>'
        if "text/html" in data:
            return f'<div class="html">{self._clean(inline_styles(data["text/html"]), cell, alt=alt)}</div>'
        if "text/markdown" in data:
            return self._clean(render_markdown(data["text/markdown"], []), cell, markdown=True)
        if "text/latex" in data:
            return f'<div class="math">{html.escape(data["text/latex"])}</div>'
        return f'<pre class="text" tabindex="0">{ansi2html(data.get("text/plain", ""))}</pre>'


def _img(address):
    return f'<img src="{html.escape(address)}">'


def convert(source: str, front: FrontMatter, folder: PictureFolder, links: Links) -> Page:
    """The page of a notebook's text, without the front matter that was read from it."""
    nb = nbformat.reads(source, as_version=4)
    nb.cells[front.cell].source = front.rest
    exporter = PostExporter(folder, links)
    body, _ = exporter.from_notebook_node(nb)
    if folder.problems:
        raise NotebookError("\n".join(folder.problems))
    return Page(body.strip() + "\n", exporter.headings, folder.files, links.warnings)
