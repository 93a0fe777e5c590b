"""`recaptcha.answer` and what it gives back: an answer is computed once, whatever it is asked for."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from command_kit import predict
from golden_kit import demo_pictures
from notebook_kit import ROOT
from PIL import Image

import recaptcha
from recaptcha import answers
from recaptcha.answers import MAP, TRUST, Trust, all_right, every_answer
from recaptcha.compose import compose
from recaptcha.grid import GRIDS, Grid
from recaptcha.network import CLASSES, Network
from recaptcha.pictures import DataError

KEYS = ["picture", "target", "grid", "boxes", "tiles", "probabilities", "threshold", "predictions"]
CAR, BUS = CLASSES.index("Car"), CLASSES.index("Bus")


class Seeing:
    """A network that has looked at photographs, and remembers what it is shown."""

    kinds = ("tile", "photograph")
    thresholds = np.full(len(CLASSES), 0.5)
    square_thresholds = np.full(len(CLASSES), 0.2)

    def __init__(self):
        self.shown = []

    def probs(self, tiles):
        return np.full((len(tiles), len(CLASSES)), 0.01)

    def look(self, photograph):
        self.shown.append(photograph)
        squares, places = np.full((16, len(CLASSES)), 0.01), np.zeros((8, 8, len(CLASSES)))
        squares[[5, 9], CAR] = 0.9, 0.3
        places[2:4, 2:4, CAR] = 1  # under the sixth square
        return SimpleNamespace(squares=squares, places=places)


class Tiles(Seeing):
    """One that knows whole tiles only, and sees a car in the second."""

    kinds = ("tile",)
    square_thresholds = None

    def probs(self, tiles):
        probabilities = super().probs(tiles)
        probabilities[1, CAR] = 0.99
        return probabilities


def said_of(probabilities, target="Bus", n=3, **more):
    """An answer from probabilities, whose thresholds are one half."""
    grid = Grid.square(n, 0, 0, 100, 100)
    size = (100 * n, 100 * n)
    return recaptcha.Answer(Image.new("RGB", size), target, grid, probabilities, np.full(len(CLASSES), 0.5), **more)


@pytest.fixture(scope="module")
def network():
    return Network(threads=1)


@pytest.fixture(scope="module")
def challenge():
    return compose(demo_pictures()[:9], size=100, gutter=4, margin=7, header=90)[0]


@pytest.fixture(scope="module")
def photograph():
    return compose(demo_pictures()[:1], n=4, size=100, gutter=4, margin=7, header=90)[0]


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


# Photographs


def test_a_photograph_is_looked_at_as_one(photograph):
    network = Seeing()
    found = recaptcha.answer(photograph, "cars", network=network)
    assert found.grid.n == 4 and found.kind == "photograph" and found.clicks() == [6, 10]
    assert len(network.shown) == 1 and (network.shown[0] == found.grid.photograph(photograph)).all()
    said = json.loads(found.json())
    assert list(said)[:10] == [*KEYS, "kind", "confidence"] and said["threshold"] == 0.2
    assert np.shape(said["map"]) == (8, 8) and said["map"][2][2] == 1 and said["map"][0][0] == 0


def test_the_map_lies_over_the_squares(photograph):
    """Squares that a gutter keeps apart have the parts of the map that belong to them."""
    found = recaptcha.answer(photograph, "cars", network=Seeing())
    drawn = np.asarray(found.draw(), dtype=int)
    box = found.grid.boxes()[5]
    centre = [round((box[0] + box[2]) / 2), round((box[1] + box[3]) / 2)]
    before = np.asarray(photograph, dtype=int)[centre[1], centre[0]]
    assert np.abs(drawn[centre[1], centre[0]] - (0.4 * before + 0.6 * np.array(MAP))).max() <= 2
    left, top, right, bottom = found.grid.boxes()[15]
    inside = np.s_[top + 30 : bottom - 10, left + 10 : right - 10]
    assert (drawn[inside] == np.asarray(photograph)[inside]).all(), "nothing is there"


def test_a_network_of_tiles_answers_squares_and_is_unsure(photograph):
    found = recaptcha.answer(photograph, "cars", network=Tiles())
    assert found.clicks() == [2] and found.probabilities.shape == (16, len(CLASSES)) and found.kind == "photograph"
    assert "whole tiles" in found.unsure and "map" not in json.loads(found.json())


# Every class


def test_without_a_target_every_class_that_is_there_is_named():
    probabilities = np.zeros((9, len(CLASSES)))
    probabilities[[4, 7], CAR] = probabilities[1, BUS] = 0.9
    found = said_of(probabilities, target=None)
    assert found.text().splitlines()[:3] == [
        "picture: cars 5, 8; bus 2",
        "Image: 1, 1.jpg Prediction: []",
        "Image: 1, 2.jpg Prediction: ['Bus']",
    ]
    said = json.loads(found.json())
    assert list(said) == [*KEYS, "kind", "confidence", "answers"] and said["answers"] == {"Car": [5, 8], "Bus": [2]}
    assert said["target"] is said["tiles"] is None and np.shape(said["probabilities"]) == (9, len(CLASSES))
    assert said["threshold"] == [0.5] * len(CLASSES)
    framed = [found.draw().getpixel((left + 1, top + 1)) == (0, 158, 115) for left, top, _, _ in found.grid.boxes()]
    assert [k for k, there in enumerate(framed, 1) if there] == [2, 5, 8]
    assert said_of(np.zeros((9, len(CLASSES))), target=None).text().startswith("picture: none of the eleven classes\n")


def test_the_answer_to_every_class_is_as_sure_as_its_least_sure_class():
    probabilities = np.full((9, len(CLASSES)), 0.001)
    probabilities[3, BUS] = 0.52
    every, bus, car = (said_of(probabilities, target) for target in (None, "Bus", "Car"))
    assert every.confidence == bus.confidence < 0.6 < 0.9 < car.confidence
    probabilities[4:7, BUS] = probabilities[0:2, CAR] = 0.48
    unsure = said_of(probabilities, None).unsure
    assert unsure.startswith("a tile may be wrong: all are right about Bus with probability 0.")
    assert unsure.count("about") == 2 and ", about Car with probability 0." in unsure, "the least sure class first"
    assert said_of(probabilities, "Car").unsure.count("about") == 1 and not said_of(probabilities, "Palm").unsure


# How sure


def test_all_tiles_are_right_with_the_product_of_theirs():
    """At its threshold a tile is right half of the time, whatever the threshold; far from it always."""
    thresholds = np.array([0.5, 0.1])
    assert np.allclose(all_right(np.array([[0.5, 0.1], [0.8, 1.0], [0.1, 0.0]]), thresholds), [0.5 * 0.8 * 0.9, 0.5])
    odds = 0.4 / 0.6 / (0.1 / 0.9)
    assert np.allclose(all_right(np.array([[0.5, 0.4]]), thresholds)[1], odds / (1 + odds))


def test_trust_is_monotone_and_of_a_kind():
    products = np.array([0, 1e-9, 0.2, 0.5, 0.9, 1])
    assert set(TRUST) == {"tile", "tiles", "photograph"}
    for trust in TRUST.values():
        assert (np.diff(trust.calibrated(products)) >= 0).all() and trust.slope > 0
    assert np.allclose(Trust(2.0, 1.0).calibrated(np.array([0.5])), 1 / (1 + np.exp(-1)))


def test_what_is_unsure_says_why():
    sure = np.zeros((9, len(CLASSES)))
    assert said_of(sure).unsure == "" and "unsure" not in json.loads(said_of(sure).json())
    unsure = said_of(np.full((9, len(CLASSES)), 0.5))
    assert unsure.confidence < answers.SURE
    assert unsure.unsure.startswith("a tile may be wrong: all are right about Bus with")
    said = json.loads(unsure.json())
    assert said["unsure"] == unsure.unsure and said["confidence"]["answer"] == round(unsure.confidence, 4)
    grid = Grid(3, 0, 0, 100, 100, 100, confidence=0.3)
    elsewhere = recaptcha.Answer(Image.new("RGB", (300, 300)), "Bus", grid, sure, np.full(len(CLASSES), 0.5))
    assert elsewhere.unsure == "the tiles may lie elsewhere (right with probability 0.30)"
    assert json.loads(elsewhere.json())["confidence"]["grid"] == 0.3


def test_what_json_had_it_has_as_before():
    """New keys stand behind the old ones, which have not changed by a byte."""
    probabilities = np.full((9, len(CLASSES)), 0.123449, dtype=np.float32)
    probabilities[2, BUS] = 0.87655
    found = said_of(probabilities, name="c.png")
    boxes = [[x, y, x + 100, y + 100] for y in (0, 100, 200) for x in (0, 100, 200)]
    before = {"picture": "c.png", "target": "Bus", "grid": "3x3", "boxes": boxes, "tiles": [3]}
    before["probabilities"] = [round(float(p), 4) for p in probabilities[:, BUS]]
    before |= {"threshold": 0.5, "predictions": [["Bus"] if k == 2 else [] for k in range(9)]}
    assert found.json().startswith(json.dumps(before)[:-1] + ', "kind": "tiles", "confidence": {"grid": ')


# Several challenges in one picture


@pytest.fixture
def two(monkeypatch, tmp_path):
    """A picture of two challenges, one over the other, of which the lower one is surer."""
    picture = Image.new("RGB", (300, 700), "teal")
    grids = [Grid.square(3, 0, 400, 100, 100), Grid.square(3, 0, 0, 100, 100)]
    monkeypatch.setattr(answers, "locate_all", lambda im, grid, name: grids)
    monkeypatch.setattr(answers, "locate", lambda im, grid, name: grids[0])
    picture.save(tmp_path / "two.png")
    return tmp_path / "two.png"


def test_each_of_several_challenges_is_answered(two):
    found = every_answer(two, "cars", network=Tiles())
    assert [one.title for one in found] == [f"{two}#1", f"{two}#2"] and [one.clicks() for one in found] == [[2], [2]]
    said = [json.loads(one.json()) for one in found]
    assert [(one["picture"], one["challenge"]) for one in said] == [(str(two), 1), (str(two), 2)]
    alone = recaptcha.answer(two, "cars", network=Tiles())
    assert alone.title == str(two) and alone.grid == found[0].grid and "challenge" not in json.loads(alone.json())


def test_the_command_answers_and_draws_each(two, capsys, monkeypatch):
    monkeypatch.setattr("recaptcha.predict.Network", lambda path: Tiles())
    code, said, complaints = predict(capsys, two, "--target", "cars", "--save", two.parent / "a.png")
    assert code == 0 and not complaints
    assert [line for line in said.splitlines() if line.startswith("/")] == [
        f"{two}#1: Car in tile 2",
        f"{two}#2: Car in tile 2",
    ]
    drawn = Image.open(two.parent / "a.png")
    assert drawn.getpixel((101, 1)) == drawn.getpixel((101, 401)) == (0, 158, 115)
    code, said, _ = predict(capsys, two, "--json")
    assert [json.loads(line)["challenge"] for line in said.splitlines()] == [1, 2]


def test_an_unsure_answer_is_given_and_ends_with_three(two, capsys, monkeypatch):
    monkeypatch.setattr("recaptcha.predict.Network", lambda path: Tiles())
    monkeypatch.setattr(answers, "SURE", 1)
    code, said, complaints = predict(capsys, two, "--target", "cars")
    assert code == 3 and said.count("Car in tile 2") == 2 and len(complaints) == 2
    line = f"recaptcha-predict: {two}#1: unsure: a tile may be wrong: all are right about Car with"
    assert complaints[0].startswith(line)
    code, said, complaints = predict(capsys, two, two.parent / "none.png", "--target", "cars")
    assert code == 1 and len(complaints) == 3, "what failed counts more"
    monkeypatch.setattr(answers, "SURE", 0)
    assert predict(capsys, two, "--target", "cars")[0] == 0


def test_help_explains_exit_codes(capsys):
    code, said, _ = predict(capsys, "--help")
    said = " ".join(said.split())
    assert code == 0 and "3 all answered, some unsure" in said and "Chinese (default: every class)" in said


# Whatever is no challenge


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
