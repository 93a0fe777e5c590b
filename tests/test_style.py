"""Figures have one style, which is light to import."""
import json
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from recaptcha.style import BLUE, style

ROOT = Path(__file__).resolve().parent.parent
# Notebooks of the series that set matplotlib up by themselves.
BY_THEMSELVES = set()


def test_style_needs_matplotlib_alone():
    code = "import sys, recaptcha.style; assert not {'torch', 'fastai', 'pandas', 'IPython'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_figure_brings_its_own_ground():
    """A dark theme sets dark grounds and light labels; after `style()` figures are white again."""
    with plt.rc_context({"figure.facecolor": "black", "savefig.facecolor": "black", "axes.spines.top": True}):
        style()
        figure, axes = plt.subplots()
        (line,) = axes.plot([0, 1])
        assert figure.get_facecolor() == (1, 1, 1, 1) and plt.rcParams["savefig.facecolor"] == "white"
        assert line.get_color() == BLUE and not axes.spines["top"].get_visible()
        plt.close(figure)


@pytest.mark.parametrize("path", sorted((ROOT / "_notebooks").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_style_stands_in_one_place(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sets_up = any("rcParams" in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert sets_up == (path.stem in BY_THEMSELVES | {"style"})
