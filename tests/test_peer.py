"""`benchmarks/peer.py`: the peer is asked as its authors ask it, answers are scored alike, and a table is written"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from golden_kit import demo_pictures
from onnx import numpy_helper, parser
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import peer

from recaptcha.compose import compose
from recaptcha.grid import Grid
from recaptcha.network import CLASSES, Network
from recaptcha.pictures import DataError

LABELS = ["Boat", *reversed(CLASSES), *(f"Other {k}" for k in range(5))]  # another order than ours, and more
RED, GREEN, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 0)
TILES = """<ir_version: 8, opset_import: ["" : 13]>
tiles (float[n, 3, 8, 8] image) => (float[n, 17, 1] probs) {
    mean = ReduceMean <axes = [2, 3], keepdims = 0> (image)
    company = ReduceMean <axes = [0], keepdims = 1> (mean)
    half = Constant <value = float {0.5}> ()
    others = Mul (company, half)
    alone = Mul (mean, half)
    judged = Add (alone, others)
    said = MatMul (judged, weights)
    axis = Constant <value = int64[1] {2}> ()
    probs = Unsqueeze (said, axis)
}"""  # half of what a tile says is what all tiles of its call say on average
PHOTOGRAPH = """<ir_version: 8, opset_import: ["" : 13]>
photographs (float[n, 3, 16, 16] image) => (float[n, 17, 16] probs) {
    squares = AveragePool <kernel_shape = [4, 4], strides = [4, 4]> (image)
    shape = Constant <value = int64[3] {0, 3, 16}> ()
    flat = Reshape (squares, shape)
    turned = Transpose <perm = [1, 0]> (weights)
    probs = MatMul (turned, flat)
}"""


def save_graph(text, path):
    """Red is the probability of a car, green that of a bus."""
    weights = np.zeros((3, 17), dtype=np.float32)
    weights[0, LABELS.index("Car")] = weights[1, LABELS.index("Bus")] = 1
    model = parser.parse_model(text)
    model.graph.initializer.append(numpy_helper.from_array(weights, "weights"))
    onnx.save(model, path)


def make_package(folder):
    """The files of the peer's package, a drawing of them."""
    folder.mkdir(parents=True)
    save_graph(TILES, folder / peer.TILES)
    save_graph(PHOTOGRAPH, folder / peer.PHOTOGRAPH)
    thresholds = {"threshold": 0.9, "tile_threshold": 0.5, "photo_threshold": 1.0}
    categories = [{"label": label, "channel": k, **thresholds} for k, label in enumerate(LABELS)]
    (folder / peer.HEAD).write_text(json.dumps({"tile": 8, "photo": 16, "categories": categories}))
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return make_package(tmp_path_factory.mktemp("peer") / "package")


@pytest.fixture(scope="module")
def theirs(package):
    return peer.Peer(package, threads=1)


@pytest.fixture(scope="module")
def ours():
    return peer.Ours(Network(threads=1))


def coloured(n, colours, side=20):
    """A challenge whose squares are black but for some."""
    im = Image.new("RGB", (n * side, n * side))
    for k, colour in colours.items():
        im.paste(colour, (k % n * side, k // n * side, (k % n + 1) * side, (k // n + 1) * side))
    return im, Grid.square(n, 0, 0, side, side)


def clicks(shown, name):
    return np.flatnonzero(shown[:, CLASSES.index(name)]).tolist()


# The peer's way to answer


def test_tiles_are_judged_against_each_other(theirs):
    """A tile's thresholds hold for its whole round: a red tile among eight black ones is 0.56, alone it is 1."""
    red, black = np.full((9, 9, 3), RED, np.uint8), np.zeros((9, 9, 3), np.uint8)
    alone, first = theirs.tiles([red]), theirs.tiles([red, *[black] * 8])[0]
    assert alone[0, CLASSES.index("Car")] == pytest.approx(1)
    assert first[CLASSES.index("Car")] == pytest.approx(0.5 + 0.5 / 9) and first[CLASSES.index("Bus")] == 0


def test_a_tile_is_clicked_from_the_threshold_on(theirs):
    im, grid = coloured(3, {4: RED, 6: GREEN})
    assert clicks(theirs.shown(im, grid), "Car") == [4] and clicks(theirs.shown(im, grid), "Bus") == [6]
    darker, grid = coloured(3, {4: (220, 0, 0)})
    assert clicks(theirs.shown(darker, grid), "Car") == []


def test_squares_of_a_photograph_are_read_row_by_row_at_their_own_threshold(theirs):
    """1.0 is reached and not passed: `>` would click nothing."""
    im, grid = coloured(4, {1: RED, 7: RED, 12: GREEN, 13: (250, 0, 0)})
    assert clicks(theirs.shown(im, grid), "Car") == [1, 7] and clicks(theirs.shown(im, grid), "Bus") == [12]


def test_what_lies_between_squares_is_left_out(theirs):
    im, _ = coloured(4, {5: RED})
    spread, grid = compose([im], n=4, size=20, gutter=6, margin=9, header=30, ground=GREEN)
    shown = theirs.shown(spread, grid)
    assert clicks(shown, "Car") == [5] and clicks(shown, "Bus") == []


def test_a_test_tile_is_asked_in_company(theirs):
    """Every tile once a round; among black tiles red is less of a car than alone."""
    pictures = [Image.new("RGB", (9, 9), RED if k == 2 else BLACK) for k in range(20)]
    cars = peer.in_company(theirs, pictures)[:, CLASSES.index("Car")]
    assert 0.5 < cars[2] < 0.8 and (np.delete(cars, 2) < 0.3).all() and cars[np.arange(20) != 2].max() > 0
    assert peer.alone(theirs.tiles, pictures, "peer")[2, CLASSES.index("Car")] == pytest.approx(1)


def test_a_folder_without_the_package_is_named(tmp_path, package):
    assert peer.given_package(package) == package
    with pytest.raises(DataError, match=rf"{tmp_path}: has no tesseranet_3x3"):
        peer.given_package(tmp_path)
    (tmp_path / peer.HEAD).write_text(json.dumps({"tile": 8, "photo": 16, "categories": []}))
    with pytest.raises(DataError, match="cell_head.json: does not describe"):
        peer.Head.read(tmp_path / peer.HEAD)


def test_the_package_is_fetched_once_into_the_cache(tmp_path, monkeypatch):
    asked = []

    def pip(command, **_):
        asked.append(command)
        make_package(Path(command[command.index("--target") + 1]) / "azcrawlerpy_recaptcha_google")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(peer.subprocess, "run", pip)
    place = peer.fetched()
    assert place == peer.fetched() == tmp_path / "recaptcha" / "peer-2.0.3" / "azcrawlerpy_recaptcha_google"
    assert len(asked) == 1 and "--no-deps" in asked[0] and asked[0][-1] == "azcrawlerpy-recaptcha-google==2.0.3"
    assert [path.name for path in (tmp_path / "recaptcha").iterdir()] == ["peer-2.0.3"]


def test_a_package_that_pip_cannot_get_is_one_line(tmp_path, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "WARNING: slow\nERROR: No matching distribution found\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(peer.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(DataError, match="ERROR: No matching distribution found.*--peer FOLDER"):
        peer.fetched()
    assert list((tmp_path / "recaptcha").iterdir()) == []


# Answers


def shown(n, *numbers):
    seen = np.zeros((n * n, len(CLASSES)), dtype=bool)
    seen[[k - 1 for k in numbers], CLASSES.index("Car")] = True
    return seen


@pytest.mark.parametrize(
    ("clicked", "wrong"), [((2, 5), 0), ((2, 5, 6), 0), ((2,), 1), ((2, 5, 9), 1), ((1, 6), 3), ((), 2)]
)
def test_optional_squares_are_right_either_way(clicked, wrong):
    question = peer.Question("a.png", "3x3", Grid.square(3, 0, 0, 1, 1), "Car", {2, 5}, {6}, True)
    assert peer.mistakes(question, shown(3, *clicked)) == wrong


def test_no_grid_and_another_grid_are_all_wrong():
    question = peer.Question("a.png", "3x3", Grid.square(3, 0, 0, 1, 1), "Car", {2}, set(), True)
    assert peer.mistakes(question, None) == peer.mistakes(question, shown(4, 2)) == 9


class TilesAndPhotographs:
    """A network of both kinds, which says that a car is in the first square of either."""

    kinds = ("tile", "photograph")
    path = "net.onnx"
    thresholds, square_thresholds = np.full(len(CLASSES), 0.5), np.full(len(CLASSES), 0.2)

    def probs(self, tiles):
        return 0.6 * shown(3, 1)

    def look(self, photograph):
        assert photograph.shape == (80, 80, 3)
        return type("Look", (), {"squares": 0.3 * shown(4, 1)})


def test_a_photograph_is_looked_at_whole_where_the_network_can(ours, monkeypatch):
    monkeypatch.setattr(Grid, "photograph", lambda grid, im: np.asarray(im), raising=False)
    both = peer.Ours(TilesAndPhotographs())
    assert clicks(both.shown(*coloured(4, {})), "Car") == [0] and len(both.shown(*coloured(3, {}))) == 9
    assert ours.shown(*coloured(4, {})).shape == (16, len(CLASSES)), "a network for tiles is asked sixteen times"


def answers_file(folder, *lines, columns=peer.ANSWERS):
    (folder / "answers.csv").write_text("\n".join([",".join(columns), *lines]) + "\n")
    return folder


def test_questions_are_read(tmp_path):
    coloured(3, {})[0].save(tmp_path / "a.png")
    Image.new("RGB", (90, 50)).save(tmp_path / "s.png")
    (tmp_path / "boxes.csv").write_text("image,n,x,y,pitch\ns.png,3,11,7,10\n")
    answers_file(tmp_path, "a.png,3x3,Car,1;3,9,yes", "a.png,3x3,Bus,,,", "s.png,3x3,Car,4,,yes")
    of_a, of_s = peer.read_questions(tmp_path).values()
    assert [each.target for each in of_a] == ["Car", "Bus"] and of_a[0].required == {1, 3} and of_a[0].optional == {9}
    assert of_a[0].kind == "3x3" and [each.asked for each in of_a] == [True, False]
    assert of_s[0].kind == "screenshot" and (of_s[0].grid.x, of_s[0].grid.pitch) == (11, 10)


@pytest.mark.parametrize(
    "line",
    [
        "a.png,3x3,Car,10,,yes",
        "a.png,3x3,Cow,1,,yes",
        "a.png,5x5,Car,1,,",
        "a.png,3x3,Car,x,,",
        "a.png",
        "b.png,3x3,Car,1,,yes",
        "long.png,3x3,Car,1,,yes",
    ],
)
def test_a_line_that_is_no_question_is_named(tmp_path, line):
    coloured(3, {})[0].save(tmp_path / "a.png")
    Image.new("RGB", (90, 50)).save(tmp_path / "long.png")
    with pytest.raises(DataError, match="answers.csv, line 3: cannot be used"):
        peer.read_questions(answers_file(tmp_path, "a.png,3x3,Car,1,,yes", line))
    with pytest.raises(DataError, match="its columns are not picture,grid"):
        peer.read_questions(answers_file(tmp_path, columns=["image"]))
    with pytest.raises(DataError, match="has no questions"):
        peer.read_questions(answers_file(tmp_path))


# Intervals


def answered(found, given, by_peer, pictures):
    """A table of the mistakes that `compare_answers` reads."""
    ways = {("ours", "found"): found, ("ours", "given"): given, ("peer", "given"): by_peer}
    return pd.DataFrame({"picture": pictures, **ways})


def row_of(rows, **about):
    (one,) = [row for row in rows if all(getattr(row, name) == value for name, value in about.items())]
    return one


def test_differences_are_paired():
    """Both are right on half of the pictures, the same ones: no draw tells them apart, though each varies."""
    wrong = np.tile([0, 2], 20)
    table = answered(wrong, np.zeros(40, int), wrong, [f"{k}.png" for k in range(40)])
    rows = peer.compare_answers(table, peer.Row("", "asked class", "3x3", "", "", "", None))
    solved = row_of(rows, network="ours", cut="found", metric="solved")
    assert solved.value == 0.5 and solved.low == pytest.approx(0.35, abs=0.06) and solved.n == 40
    paired = row_of(rows, network=peer.DIFFERENCE, cut="found", metric="solved")
    assert (paired.value, paired.low, paired.high) == (0, 0, 0)
    given = row_of(rows, network=peer.DIFFERENCE, cut="given", metric="solved")
    assert given.value == 0.5 and 0.3 < given.low < given.high < 0.7


def test_one_mistake_is_counted_apart_and_few_pictures_have_no_interval():
    rows = peer.compare_answers(answered([0, 1], [1, 1], [2, 0], ["a", "b"]), peer.Row(*[""] * 6, None))
    assert row_of(rows, network="ours", cut="given", metric="solved").value == 0
    assert row_of(rows, network="ours", cut="given", metric="solved_1err").value == 1
    assert row_of(rows, network="peer", cut="given", metric="solved_1err").value == 0.5
    assert {row.low for row in rows} == {None}


def test_questions_of_one_picture_are_drawn_together():
    """Ten questions of one picture are as sure as one."""
    right = np.repeat([0.0, 1.0], 10)[:, None]
    draws = peer.resample(right, np.repeat(["a", "b"], 10))
    assert set(draws[:, 0]) == {0, 0.5, 1}


# The command


@pytest.fixture
def whole_run(toy_home, package, tmp_path, monkeypatch):
    """The command on drawn tiles, few draws, and two composed challenges."""
    monkeypatch.setenv("RECAPTCHA_DATA", str(toy_home))
    monkeypatch.setenv("RECAPTCHA_RUN", "toy")
    monkeypatch.delenv("RECAPTCHA_CHALLENGES", raising=False)
    for name, number in (("TILE_DRAWS", 3), ("COMPANIES", 1), ("REPEATS", 1), ("TABLE", tmp_path / "usual.csv")):
        monkeypatch.setattr(peer, name, number)
    pictures, truth = peer.test_tiles()  # of one class only one shows it; a bootstrap needs two
    monkeypatch.setattr(peer, "test_tiles", lambda: (2 * pictures, np.vstack([truth, truth])))
    return lambda *args: peer.main(["--peer", str(package), "--threads", "1", *map(str, args)])


def test_a_run_measures_all_that_is_at_hand(whole_run, tmp_path, monkeypatch, capsys):
    real = tmp_path / "challenges" / "real"
    real.mkdir(parents=True)
    compose(demo_pictures()[:9])[0].save(real / "three.png")
    coloured(4, {0: RED}, side=60)[0].save(real / "four.png")
    answers_file(real, "three.png,3x3,Car,1,,yes", "three.png,3x3,Bus,2,,", "four.png,4x4,Car,1,,yes")
    monkeypatch.setenv("RECAPTCHA_CHALLENGES", str(real.parent))
    whole_run("--rounds", 2, "--out", tmp_path / "peer.csv")
    table = pd.read_csv(tmp_path / "peer.csv", keep_default_na=False)
    assert list(table) == [
        "network",
        "what",
        "kind",
        "cut",
        "class",
        "metric",
        "value",
        "low",
        "high",
        "n",
        "peer",
        "date",
        "version",
        "sha256",
    ]
    assert not table.duplicated(["network", "what", "kind", "cut", "class", "metric"]).any()
    assert set(table.what) == {"test tiles", "tiles alone", "asked class", "every class", "time", "files"}
    assert set(table[table.what == "test tiles"].metric) == {
        "mAP",
        "F1",
        "accuracy_multi",
        "solved",
        "solved_1err",
        "AP",
    }
    assert len(set(table.sha256)) == 1 and len(table.sha256[0]) == 64
    four = table[(table.kind == "4x4") & (table.metric == "solved") & (table["class"] == "")]
    assert dict(zip(four.network + " " + four.cut, four.value.astype(float)))["peer given"] == 1
    assert (table[table.what == "time"].value.astype(float) > 0).all() and len(table[table.what == "time"]) == 2
    assert "ours - peer" in capsys.readouterr().out


def test_what_is_left_out_is_said_and_the_usual_table_stays(whole_run, tmp_path, capsys):
    whole_run("--tiles", "--rounds", 0)
    out = capsys.readouterr().out
    assert "left out: real challenges (--tiles)" in out and "left out: the time" in out and "not written" in out
    assert not (tmp_path / "usual.csv").exists()


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--peer", "nowhere"], 1, "nowhere: has no tesseranet_3x3.onnx"),
        (["--rounds", "-1"], 2, "--rounds is at least"),
        (["--model", "nowhere.onnx"], 1, "nowhere.onnx: no such file"),
        (["--help"], 0, ""),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_code(args, code, said, capsys):
    with pytest.raises(SystemExit) as ended:
        peer.main(args)
    err = capsys.readouterr().err
    assert ended.value.code == code and said in err and err.count("\n") == bool(said)


def test_the_usual_table_is_of_a_whole_run_of_the_released_network(monkeypatch):
    whole, part = peer.Measured(), peer.Measured(left_out=["the time"])
    monkeypatch.setenv("RECAPTCHA_RUN", "full")
    assert peer.place_of_table(peer.options([]), whole) == peer.TABLE
    assert peer.place_of_table(peer.options(["--model", "net.onnx"]), whole) is None
    assert peer.place_of_table(peer.options([]), part) is None
    assert peer.place_of_table(peer.options(["--out", "part.csv"]), part) == Path("part.csv")
    monkeypatch.setenv("RECAPTCHA_RUN", "toy")
    assert peer.place_of_table(peer.options([]), whole) is None
