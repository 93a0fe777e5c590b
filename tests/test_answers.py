"""`recaptcha.answer` and what it gives back: an answer is computed once, whatever it is asked for."""

import json
import subprocess
import sys

import numpy as np
import pytest
from golden_kit import demo_pictures
from notebook_kit import ROOT
from PIL import Image

import recaptcha
from recaptcha.compose import compose
from recaptcha.grid import GRIDS, Grid
from recaptcha.network import CLASSES, Network
from recaptcha.pictures import DataError


@pytest.fixture(scope="module")
def network():
    return Network(threads=1)


@pytest.fixture(scope="module")
def challenge():
    return compose(demo_pictures()[:9], size=100, gutter=4, margin=7, header=90)[0]


def test_a_picture_and_its_file_have_one_answer(tmp_path, challenge, network):
    challenge.save(tmp_path / "c.png")
    of_file = recaptcha.answer(tmp_path / "c.png", "Select all images with buses", network=network)
    of_picture = recaptcha.answer(challenge, "Bus", network=network)
    assert of_file.target == of_picture.target == "Bus" and of_file.grid == of_picture.grid
    assert (of_file.probabilities == of_picture.probabilities).all()
    assert json.loads(of_file.json())["picture"] == str(tmp_path / "c.png") and of_picture.name == "picture"


def test_clicks_words_json_and_picture_say_the_same(challenge):
    """Above a threshold means to click; at it does not."""
    grid = recaptcha.answer(challenge, "Bus", grid="3x3").grid
    probabilities = np.zeros((9, len(CLASSES)))
    probabilities[[1, 5, 6], CLASSES.index("Bus")] = 0.9, 0.6, 0.5
    found = recaptcha.Answer(challenge, "Bus", grid, probabilities, np.full(len(CLASSES), 0.5), "c.png")
    said = json.loads(found.json())
    assert found.clicks() == said["tiles"] == [2, 6] and found.text().startswith("c.png: Bus in tile 2, 6\n")
    assert said["predictions"] == found.classes() == [["Bus"] if k in (1, 5) else [] for k in range(9)]
    drawn = found.draw()
    framed = [drawn.getpixel((left + 1, top + 1)) == (0, 158, 115) for left, top, _, _ in grid.boxes()]
    assert [k for k, there in enumerate(framed, 1) if there] == [2, 6] and drawn.size == challenge.size


@pytest.mark.parametrize("size", [(120, 80), (80, 120), (1, 1)])
def test_one_tile_of_any_shape_is_a_grid(size, network):
    """It was a square of the shorter side, which five places had to know."""
    picture = Image.new("RGB", size, "teal")
    found = recaptcha.answer(picture, "cars", grid="none", network=network)
    assert found.grid == Grid.one(size) and found.grid.boxes() == [(0, 0, *size)]
    assert found.grid.cut(picture).shape == (1, size[1], size[0], 3) and found.probabilities.shape == (1, len(CLASSES))
    assert json.loads(found.json())["grid"] == "1x1"


def test_tiles_that_are_wider_than_high_are_cut_as_they_are():
    a = np.arange(60 * 90 * 3, dtype=np.uint32).reshape(60, 90, 3).astype(np.uint8)
    tiles = Grid(2, 5, 10, 30, 20, 35).cut(Image.fromarray(a))
    assert tiles.shape == (4, 20, 30, 3) and (tiles[3] == a[40:60, 40:70]).all(), "the last begins where it fits"


def test_what_cannot_be_answered_says_so(tmp_path, challenge):
    for wrong in ({"target": "unicorns"}, {"target": "cars", "grid": "5x5"}):
        with pytest.raises(DataError, match="target 'unicorns'|grid '5x5': one of " + ", ".join(GRIDS)):
            recaptcha.answer(challenge, **wrong)
    with pytest.raises(DataError, match="none.png: no such file"):
        recaptcha.answer(tmp_path / "none.png", "cars")
    with pytest.raises(DataError, match="picture: no grid"):
        recaptcha.answer(Image.new("RGB", (300, 200), "teal"), "cars")


def test_the_package_shows_four_names_and_loads_them_when_asked():
    """The function keeps its name, whatever is imported: no module is called `answer`."""
    code = (
        "import sys, recaptcha\n"
        "assert {'answer', 'Answer', 'Grid', 'Network'} <= set(dir(recaptcha))\n"
        "assert 'numpy' not in sys.modules and 'onnxruntime' not in sys.modules\n"
        "import recaptcha.answers, recaptcha.predict\n"
        "assert callable(recaptcha.answer) and recaptcha.answer is recaptcha.answers.answer\n"
        "assert not hasattr(recaptcha, 'question')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
