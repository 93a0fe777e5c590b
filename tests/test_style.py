"""Figures have one style, which is light to import."""
import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib_inline.backend_inline import configure_inline_support
from PIL import Image

from recaptcha.style import BLUE, INK, SETTINGS, style

ROOT = Path(__file__).resolve().parent.parent
# Notebooks of the series that set matplotlib up by themselves.
BY_THEMSELVES = set()


@pytest.fixture(autouse=True)
def own_settings():
    with plt.rc_context():
        style()
        yield
    plt.close("all")


@pytest.fixture
def drawn():
    """Gives the SVG that a notebook stores of a figure."""
    shell = InteractiveShell.instance()
    configure_inline_support(shell, "inline")
    style()
    yield lambda figure: shell.display_formatter.format(figure)[0]["image/svg+xml"]
    configure_inline_support(shell, "agg")
    InteractiveShell.clear_instance()


def embedded(svg: str) -> list:
    """(type, picture) of each picture in a drawing."""
    found = re.findall(r'"data:(image/\w+);base64,\s*([^"]*)"', svg)
    return [(kind, Image.open(io.BytesIO(base64.b64decode(text)))) for kind, text in found]


def photograph(side: int) -> np.ndarray:
    """Smooth light with some noise, as a camera has it."""
    ramp = np.linspace(0, 255, side)
    noise = np.random.default_rng(0).normal(0, 6, (side, side, 3))
    return (np.stack([ramp[None] + 0 * ramp[:, None], ramp[:, None] + 0 * ramp, ramp[::-1, None] * 0.5 + ramp / 2], -1)
            + noise).clip(0, 255).astype(np.uint8)


def test_style_needs_matplotlib_alone():
    code = "import sys, recaptcha.style; assert not {'torch', 'fastai', 'pandas', 'IPython'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_figure_brings_its_own_ground():
    """A dark theme sets dark grounds and light labels; after `style()` figures are white again, and labels dark."""
    with plt.rc_context({"figure.facecolor": "black", "text.color": "white", "axes.spines.top": True}):
        style()
        figure, axes = plt.subplots()
        (line,) = axes.plot([0, 1])
        assert figure.get_facecolor() == (1, 1, 1, 1) and plt.rcParams["savefig.facecolor"] == "white"
        assert axes.set_title("A title").get_color() == INK
        assert line.get_color() == BLUE and not axes.spines["top"].get_visible()


def test_no_text_is_smaller_than_eleven_points(drawn):
    figure, axes = plt.subplots()
    axes.plot([0, 1], label="a line")
    axes.set(xlabel="across", ylabel="up", title="A title")
    axes.legend(title="a legend")
    sizes = [float(size) * 100 for size in re.findall(r"scale\((0\.\d+) -0", drawn(figure))]
    assert len(sizes) > 5 and 11 <= min(sizes) <= max(sizes) <= 13
    assert SETTINGS["figure.figsize"][0] * 72 * 11 <= 328 * min(sizes), "wider than a phone's 328 pixels at 11 each"


def test_a_notebook_stores_a_figure_as_the_same_drawing_each_time(drawn):
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    first, second = drawn(figure), drawn(figure)
    assert first == second and "<dc:date>" not in first and "matplotlib.org" not in first
    assert SETTINGS["svg.fonttype"] == "path" and "<text" not in first


def test_a_photograph_keeps_its_own_pixels_and_is_no_png(drawn):
    figure, axes = plt.subplots(figsize=(2, 2))
    pixels = photograph(150)
    axes.imshow(pixels)
    svg = drawn(figure)
    ((kind, shown),) = embedded(svg)
    assert kind == "image/webp" and shown.size == (150, 150) and "pixelated" not in svg
    assert np.abs(np.asarray(shown.convert("RGB"), float) - pixels).mean() < 8


def test_a_matrix_keeps_its_edges(drawn):
    figure, axes = plt.subplots()
    axes.imshow(np.arange(9).reshape(3, 3))
    svg = drawn(figure)
    ((kind, shown),) = embedded(svg)
    assert kind == "image/png" and shown.size == (3, 3) and "pixelated" in svg


def test_thousands_of_points_are_stored_as_pixels(drawn):
    figure, axes = plt.subplots()
    axes.scatter(*np.random.default_rng(0).random((2, 3_000)), s=1)
    axes.plot(np.random.default_rng(0).random(3_000))
    few, axes = plt.subplots()
    axes.scatter([0, 1], [0, 1])
    svg = drawn(figure)
    assert embedded(svg) and svg.count("<use") < 500 and not embedded(drawn(few))


@pytest.mark.parametrize("path", sorted((ROOT / "_notebooks").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_style_stands_in_one_place(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sets_up = any("rcParams" in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert sets_up == (path.stem in BY_THEMSELVES | {"style"})
