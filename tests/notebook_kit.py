"""What the tests of the blog share: small notebooks, and a site in a temporary folder to convert them for."""

import base64
import io
import json
import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from _fastpages import __main__ as command  # noqa: E402

HEAD = "# A title\n> What it shows.\n\n- date: 2026-03-04\n"


def png(width=30, height=20, colour="red") -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def picture_output(colour="red", **size):
    metadata = {"image/png": size} if size else {}
    return new_output(
        "display_data",
        {"image/png": png(colour=colour), "text/plain": "<Figure size 640x480 with 1 Axes>"},
        metadata=metadata,
    )


def html_output(html, plain="<IPython.core.display.HTML object>"):
    return new_output("display_data", {"text/html": html, "text/plain": plain})


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def code(source, *outputs):
    return new_code_cell(source, outputs=list(outputs))


class Blog:
    """A site in a temporary folder: notebooks in, posts out."""

    def __init__(self, root):
        self.root, self.notebooks = root, root / "_notebooks"
        self.notebooks.mkdir()
        (root / "_data").mkdir()
        (root / "_data" / "words.yml").write_text(
            (ROOT / "_data" / "words.yml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        (root / "_pages").mkdir()
        for page in (ROOT / "_pages").glob("*.*"):
            if page.name not in {"demo.html", "api.html"}:  # which would have the demo made, and every module read
                (root / "_pages" / page.name).write_bytes(page.read_bytes())
        self.settings = root / "settings.ini"
        self.settings.write_text((ROOT / "settings.ini").read_text(encoding="utf-8"), encoding="utf-8")

    def add(self, *cells, name="01_one", head=HEAD):
        path = self.notebooks / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=[new_markdown_cell(head), *cells]), path)
        return path

    def convert(self, *more):
        return command.main(
            [
                "--notebooks",
                str(self.notebooks),
                "--out",
                str(self.root),
                "--settings",
                str(self.settings),
                "--baseurl",
                "/base",
                *more,
            ]
        )

    def posts(self):
        return {path.name: path.read_text(encoding="utf-8") for path in sorted((self.root / "_posts").glob("*"))}

    def body(self, *cells, head=HEAD):
        """The page of a notebook that has these cells, without its front matter."""
        self.add(*cells, head=head)
        assert self.convert() == 0
        return self.posts()["2026-03-04-01_one.html"].split("\n---\n", 1)[1]


def front(post) -> dict:
    lines = post.split("\n---\n")[0].removeprefix("---\n").split("\n")
    return {key: json.loads(value) for key, value in (line.split(": ", 1) for line in lines)}


def text_of(html):
    return re.sub(r"<[^>]*>", "", html)
