"""How the blog shows drawings (SVG): on both of its grounds, readable on a phone, with small photographs in them."""

import base64
import io
import re
import xml.etree.ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest
from nbformat.v4 import new_markdown_cell, new_output
from notebook_kit import ROOT, code, picture_output, png
from PIL import Image

from _fastpages.drawings import DARK_PAPER, INKS, LIGHT_INK, PAPER, fitted
from _fastpages.figures import make_large
from _fastpages.svg import SVG, XLINK, clean_svg
from recaptcha.style import INK, SETTINGS, style

ALIEN = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><rect width="60" height="40" fill="#ffffff"/></svg>'
)


def drawn(figure) -> bytes:
    """The drawing that a notebook stores of a figure, cleaned."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(figure)
    return clean_svg(buffer.getvalue())


@pytest.fixture
def styled():
    with plt.rc_context():
        style()
        yield plt.subplots


def svg_output(content: bytes):
    return new_output("display_data", {"image/svg+xml": content.decode(), "text/plain": "<Figure size 1x1>"})


def test_colours_are_the_style_s_and_the_theme_s():
    colours = (ROOT / "_sass" / "site" / "_colours.scss").read_text(encoding="utf-8")
    dark = colours[colours.index("@mixin dark") :]
    assert INK.lower() == INKS[0] and f"--text: {LIGHT_INK};" in dark and f"--page: {DARK_PAPER};" in dark
    assert SETTINGS["figure.facecolor"] == "white" and PAPER == "#ffffff"


def test_a_figure_loses_its_ground_and_has_a_twin_for_dark_pages(styled):
    figure, axes = styled()
    axes.plot([0, 1], label="a line")
    axes.legend(frameon=True)
    drawing = fitted(drawn(figure))
    light, dark = drawing.content.decode(), drawing.dark.decode()
    assert light.count(f"fill: {PAPER}") == 1, "the legend's own ground alone"
    assert INKS[0] in light and INKS[0] not in dark and LIGHT_INK in dark
    assert PAPER not in dark and DARK_PAPER in dark and "#0072b2" in dark



def test_markers_keep_their_colours_in_the_dark_but_black(styled):
    figure, axes = styled()
    axes.plot([0, 1], "o", color="#d55e00")
    axes.plot([1, 0], "s", color="black")
    axes.errorbar([0.5], [0.5], [0.1], fmt="D", color="#0072b2", capsize=3)
    root = ET.fromstring(fitted(drawn(figure)).dark)
    shapes = {f"#{path.get('id')}": path for path in root.iter(f"{{{SVG}}}path") if path.get("id")}
    uses = [use for use in root.iter(f"{{{SVG}}}use") if use.get("style")]
    fills = {re.search("fill: (#[0-9a-f]{6})", use.get("style"))[1] for use in uses}
    assert {"#d55e00", "#0072b2", LIGHT_INK} == fills
    assert not any("fill" in shapes[use.get(f"{{{XLINK}}}href")].get("style", "") for use in uses)


def test_matplotlib_s_own_black_becomes_light_too():
    with plt.rc_context(plt.rcParamsDefault):
        figure, axes = plt.subplots()
        axes.bar([1, 2], [1, 2], color="black")
        drawing = fitted(drawn(figure))
    assert "#000000" not in drawing.dark.decode()
    texts = re.findall(r'<g id="text_\d+"([^>]*)>', drawing.dark.decode())
    assert texts and all(LIGHT_INK in text for text in texts)
    bars = re.findall(r'<path d="[^"]*" clip-path="[^"]*"([^>]*)/>', drawing.dark.decode())
    assert bars and all(LIGHT_INK in bar for bar in bars)


@pytest.mark.parametrize("show", ["imshow", "pcolormesh"])
def test_what_is_written_on_a_picture_keeps_its_colours(styled, show):
    figure, axes = styled()
    getattr(axes, show)(np.arange(9).reshape(3, 3))
    axes.text(1, 1, "dark")
    axes.text(1.5, 1, "white", color="white")
    axes.set_title("above")
    drawing = fitted(drawn(figure))
    titles = re.findall(r'<g style="fill: (#\w+)', drawing.dark.decode())
    assert titles.count(INKS[0]) == 1 and titles.count("#ffffff") == 1 and titles.count(LIGHT_INK) > 4


def test_text_that_a_dark_page_would_hide_keeps_the_white_ground(styled):
    figure, axes = styled()
    axes.set_title("dark", color="#262626")
    drawing = fitted(drawn(figure))
    assert drawing.dark is None and f"fill: {PAPER}" in drawing.content.decode()


def test_other_drawings_stay_as_they_are():
    drawing = fitted(clean_svg(ALIEN.encode()))
    assert drawing.dark is None and drawing.width is None and b"#ffffff" in drawing.content
    percent = '<clipPath id="a"><rect width="100%" height="1em"/></clipPath><rect/></svg>'
    assert fitted(clean_svg(ALIEN.replace("</svg>", percent).encode())).dark is None


@pytest.mark.parametrize(("points", "wide", "least"), [(11, 4, 288), (8, 8, 768), (22, 8, 288), (10, 4, 316.8)])
def test_a_drawing_is_as_wide_as_its_smallest_text_needs(styled, points, wide, least):
    """11 pixels of text, but never more than its own width."""
    figure, axes = styled(figsize=(wide, 2))
    axes.axis("off")
    axes.text(0, 0, "small", fontsize=points)
    axes.text(0, 0.5, "large", fontsize=30)
    assert abs(fitted(drawn(figure)).width - least) <= 1


def test_text_in_fonts_is_measured_too():
    text = ALIEN.replace("</svg>", '<text style="font: 10px sans-serif">a</text><text font-size="22">b</text></svg>')
    assert fitted(clean_svg(text.replace('width="60"', 'width="120" viewBox="0 0 60 40"', 1).encode())).width == 66


def test_a_photograph_in_a_drawing_is_stored_as_others_are(styled):
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
    noise = np.asarray(Image.fromarray(noise).resize((200, 200), Image.Resampling.BICUBIC))
    figure, axes = styled()
    axes.imshow(noise)
    before = drawn(figure)
    after = fitted(before).content
    assert b"data:image/png" in before and b"data:image/webp" in after and len(after) < len(before) / 2
    kept = base64.b64decode(re.search(rb'data:image/webp;base64,([^"]*)', after)[1])
    assert Image.open(io.BytesIO(kept)).size == (200, 200)


def test_a_page_has_both_and_a_link_that_enlarges(blog, styled):
    figure, axes = styled(figsize=(8, 2))
    axes.plot([0, 1])
    body = blog.body(code("#| alt: A line\nplot()", svg_output(drawn(figure))), code("p", picture_output()))
    light, dark, picture = re.findall(r"<img [^>]*>", body)
    for image in (light, dark):
        assert 'alt="A line"' in image and 'width="768" height="192"' in image and 'loading="lazy"' in image
    assert 'class="least-600 on-light"' in light and 'class="least-600 on-dark"' in dark and "class" not in picture
    address = re.search(r'src="([^"]*)"', light)[1]
    assert f'<a class="enlarge" href="{address}" title="Enlarge"><img' in body and body.count('class="pan"') == 2
    files = {path.name for path in (blog.root / "images" / "01_one").iterdir()}
    assert files == {"cell-01-1.svg", "cell-01-1-on-dark.svg", "cell-02-1.webp"}


def test_a_written_picture_is_dressed_alike(blog, styled):
    """One beside the notebook, and one of the site's own folder that has a twin; others of that folder stay there."""
    figure, axes = styled(figsize=(4.4, 2))
    axes.plot([0, 1])
    content = drawn(figure)
    (blog.root / "images").mkdir()
    for path in (blog.notebooks / "a.svg", blog.root / "images" / "b.svg"):
        path.write_bytes(content)
    (blog.root / "images" / "c.svg").write_text(ALIEN)
    body = blog.body(new_markdown_cell('![A](a.svg "One")\n\nIn text ![B](../images/b.svg).\n\n![C](../images/c.svg)'))
    assert body.count('class="on-light"') == body.count('class="on-dark"') == 2 and body.count("<img ") == 5
    assert body.count("<figure>") == 1 and body.count('class="enlarge"') == 1
    assert "/images/c.svg" in body and "/images/b.svg" not in body


def test_a_twin_never_stands_for_the_page(blog, styled):
    from _fastpages.pictures import PictureFolder

    figure, axes = styled()
    axes.plot([0, 1])
    folder = PictureFolder("01_one", "01_one.ipynb", "", blog.notebooks, blog.root)
    folder.add("a", "image/svg+xml", drawn(figure))
    folder.add_base64("b", "image/png", png())
    assert len(folder.files) == 3 and len(folder.covers()) == 2
    assert not any(LIGHT_INK.encode() in content for content in folder.covers().values())


def test_a_drawing_can_be_the_cover(blog, styled):
    """Although it says its size in points."""
    figure, axes = styled(figsize=(4, 2))
    axes.plot([0, 1])
    blog.body(code("plot()", svg_output(drawn(figure))))
    with Image.open(blog.root / "images" / "social" / "01_one.webp") as cover:
        pixels = np.asarray(cover.convert("RGB")).reshape(-1, 3)
    assert (np.abs(pixels - [0x00, 0x72, 0xB2]).sum(1) < 60).any()


def test_a_linked_picture_keeps_its_link():
    from _fastpages.tree import parse, write

    root = parse('<figure><a href="x"><img src="a"></a></figure><figure><img src="b"></figure>')
    make_large(root.xpath(".//img"), {"enlarge": "Enlarge"})
    shown = write(root)
    assert shown.count("<a ") == 2 and '<a href="x"><img src="a"></a>' in shown
    assert '<div class="pan"><a class="enlarge" href="b" title="Enlarge"><img src="b"></a></div>' in shown
