"""A model file is checked before it runs: what is wrong with it is one line, soon; no crash, no hang, no gigabytes."""

import hashlib
import json
import os
import random
import subprocess
import sys
import time

import numpy as np
import onnx
import pytest
from command_kit import one_line
from notebook_kit import ROOT
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from recaptcha import network
from recaptcha.network import (
    CLASSES,
    FORMAT,
    PLACES,
    SEAL,
    SQUARES,
    STRIDE,
    DataError,
    Network,
    checked_model,
    model_path,
    sealed,
)
from recaptcha.toy import CLASSES as DRAWN
from recaptcha.words import KNOWN

DATA = model_path().read_bytes()
TILE = np.zeros((1, 60, 60, 3), dtype=np.uint8)


def resealed(model, **about):
    """The bytes of a model with other metadata (None: without) and a seal that fits, as if changed on purpose."""
    metadata = {entry.key: entry.value for entry in model.metadata_props} | about
    del model.metadata_props[:]
    for key, value in metadata.items():
        if key != SEAL and value is not None:
            model.metadata_props.add(key=key, value=value)
    model.metadata_props.add(key=SEAL, value="0" * 64)
    data = model.SerializeToString()
    return data.replace(b"0" * 64, sealed(data).encode())


def released():
    return onnx.load_from_string(DATA)


def small(*nodes, weights=(), tiles=None, probabilities=None, opsets=(("", 18),)):
    """A model of a few nodes with the released one's metadata."""
    tiles = tiles or helper.make_tensor_value_info("tiles", TensorProto.UINT8, ["n", "height", "width", 3])
    probabilities = probabilities or helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 11])
    graph = helper.make_graph(nodes, "g", [tiles], [probabilities], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets], ir_version=8)
    model.metadata_props.extend(released().metadata_props)
    next(entry for entry in model.metadata_props if entry.key == "format").value = FORMAT # of tiles alone
    return model


def node(op, sources, results, **attributes):
    return helper.make_node(op, sources.split(), results.split(), **attributes)


def weight(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


# From tiles to eleven numbers of each: cast, means over everything, times a matrix, sigmoid
BEFORE = (node("Transpose", "tiles", "planes", perm=[0, 3, 1, 2]), node("Cast", "planes", "x", to=TensorProto.FLOAT))
AFTER = (
    node("GlobalAveragePool", "y", "means"),
    node("Flatten", "means", "flat"),
    node("MatMul", "flat w", "logits"),
    node("Sigmoid", "logits", "probabilities"),
)
W = weight("w", np.full((3, 11), 0.001, dtype=np.float32))


def refused(tmp_path, data, within=5):
    """The line in which a model is refused, when it is loaded or asked."""
    (tmp_path / "m.onnx").write_bytes(data)
    start = time.process_time()  # not the wall clock: other programs may share the processor
    with pytest.raises(DataError) as caught:
        Network(tmp_path / "m.onnx").probs(TILE)
    line = str(caught.value)
    assert time.process_time() - start < within and line.startswith(f"{tmp_path}/m.onnx: ") and "\n" not in line
    return line


def test_released_model_is_small_and_says_what_it_is():
    net = Network()
    assert model_path().stat().st_size <= 5_000_000 and ((net.thresholds > 0) & (net.thresholds < 1)).all()
    assert net.classes == CLASSES == DRAWN == list(KNOWN)
    assert {"version", "run", "preprocessing", "precision", "calibration", "licence", "dataset"} <= set(
        net.about
    ) and net.about["precision"] == "int8"
    beside = json.loads(model_path().with_suffix(".json").read_text())  # what the demo page reads
    assert (
        beside["sha256"] == hashlib.sha256(DATA).hexdigest()
        and beside["sha256"] in (model_path().parent / "README.md").read_text()
    )
    assert (
        beside["classes"] == net.classes
        and np.allclose(beside["thresholds"], net.thresholds)
        and beside["run"] == net.about["run"]
    )


def test_what_is_allowed_works(tmp_path):
    (tmp_path / "m.onnx").write_bytes(resealed(small(*BEFORE, node("Relu", "x", "y"), *AFTER, weights=[W])))
    assert Network(tmp_path / "m.onnx").probs(np.repeat(TILE, 33, 0)).shape == (33, 11)
    (tmp_path / "m.onnx").write_bytes(resealed(released(), run=None, licence=None))
    assert (Network(tmp_path / "m.onnx").probs(TILE) == Network().probs(TILE)).all()


# Files


def test_damaged_and_foreign_files(tmp_path):
    at = DATA.index(b"thresholds") + 16
    flip = lambda at: DATA[:at] + bytes([DATA[at] ^ 1]) + DATA[at + 1 :]
    for content, what in (
        (DATA[:-5000], "not an ONNX model"),
        (flip(len(DATA) // 2), "damaged"),
        (flip(at), "damaged"),
        (DATA + b"\n", "not an ONNX model"),
        (DATA.replace(b"format\x12\x012", b"format\x12\x019"), "format '9'"),
        (b"", "format 'missing'"),
        (b"no model", "not an ONNX model"),
        (os.urandom(5000), ""),
        (released().graph.SerializeToString(), ""),
    ):
        assert what in refused(tmp_path, content)


def test_flipped_bits(tmp_path):
    rng = random.Random(0)
    for _ in range(20):
        data, at = bytearray(DATA), rng.randrange(len(DATA))
        data[at] ^= 1 << rng.randrange(8)
        refused(tmp_path, bytes(data))


@pytest.mark.nightly
def test_many_flipped_bits(tmp_path):
    rng = random.Random(1)
    for _ in range(2000):
        data, at = bytearray(DATA), rng.randrange(len(DATA))
        data[at] ^= 1 << rng.randrange(8)
        refused(tmp_path, bytes(data))


def test_what_is_no_file_is_not_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for path, what in {
        tmp_path / "pipe": "not a regular file",
        "/dev/zero": "not a regular file",
        tmp_path: "folder",
        tmp_path / "none": "no such file",
    }.items():
        with pytest.raises(DataError, match=what):
            Network(path)
    (tmp_path / "large").write_bytes(b"")
    os.truncate(tmp_path / "large", network.MAX_BYTES + 1)
    with pytest.raises(DataError, match="more than"):
        Network(tmp_path / "large")


# Metadata with a seal that fits


@pytest.mark.parametrize(
    "about",
    [
        {"classes": json.dumps(CLASSES[::-1])},
        {"classes": json.dumps(CLASSES[:-1] + ["Car"])},
        {"classes": json.dumps({name: 1 for name in CLASSES})},
        {"classes": '"Bicycle"'},
        {"classes": "[" * 100_000},
        {"classes": json.dumps(["x" * 10**6])},
        {"classes": None},
        {"classes": "no JSON"},
        {"thresholds": json.dumps([0.5] * 10)},
        {"thresholds": json.dumps([0.5] * 12)},
        {"thresholds": json.dumps([0.5] * 10 + [float("nan")])},
        {"thresholds": json.dumps([0.5] * 10 + [1.5])},
        {"thresholds": json.dumps([0.5] * 10 + [0])},
        {"thresholds": json.dumps([0.5] * 10 + [-1e999])},
        {"thresholds": json.dumps(["0.5"] * 11)},
        {"thresholds": json.dumps([True] * 11)},
        {"thresholds": json.dumps([[0.5]] * 11)},
        {"thresholds": "0.5"},
        {"thresholds": "[" * 9000},
        {"thresholds": "[" + "9" * 9000 + "]"},
        {"thresholds": None},
        {"thresholds": ""},
    ],
    ids=lambda about: "-".join(f"{key} {str(value)[:20]}" for key, value in about.items()),
)
def test_metadata_is_checked(tmp_path, about):
    """Each was a traceback, or answers by thresholds that mean nothing."""
    [key] = about
    line = refused(tmp_path, resealed(released(), **about))
    assert f"its {key} are" in line and len(line) < 400


def test_metadata_that_says_something_twice(tmp_path):
    model = released()
    model.metadata_props.add(key="thresholds", value=json.dumps([0.9] * 11))
    data = model.SerializeToString()
    assert "two entries 'thresholds'" in refused(tmp_path, data)


# Graphs


def loop():
    """A loop without end."""
    body = helper.make_graph(
        [node("Identity", "go", "on"), node("Identity", "carried", "kept")],
        "body",
        [
            helper.make_tensor_value_info(*value)
            for value in (
                ("i", TensorProto.INT64, []),
                ("go", TensorProto.BOOL, []),
                ("carried", TensorProto.FLOAT, None),
            )
        ],
        [
            helper.make_tensor_value_info(*value)
            for value in (("on", TensorProto.BOOL, []), ("kept", TensorProto.FLOAT, None))
        ],
    )
    return small(
        *BEFORE,
        node("Loop", "most true x", "y", body=body),
        *AFTER,
        weights=[W, weight("most", np.int64(2**62)), weight("true", np.bool_(True))],
    )


def branch():
    """A branch whose graph sits in a node that is allowed otherwise."""
    model = small(*BEFORE, node("Relu", "x", "y"), *AFTER, weights=[W])
    model.graph.node[2].attribute.add(name="body", type=onnx.AttributeProto.GRAPH).g.CopyFrom(
        helper.make_graph([], "body", [], [])
    )
    return model


def function():
    """An operation that the file defines itself."""
    model = small(*BEFORE, node("Relu", "x", "y"), *AFTER, weights=[W])
    model.functions.append(
        helper.make_function("", "Relu", ["a"], ["b"], [node("Identity", "a", "b")], [helper.make_opsetid("", 18)])
    )
    return model


def elsewhere():
    """Weights in another file."""
    far = weight("w", np.zeros((3, 11), dtype=np.float32))
    far.ClearField("raw_data")
    far.data_location = TensorProto.EXTERNAL
    far.external_data.add(key="location", value="/etc/passwd")
    return small(*BEFORE, node("Relu", "x", "y"), *AFTER, weights=[far])


def claims():
    """A tensor of terabytes in a few bytes, as a weight."""
    return small(
        *BEFORE,
        node("Relu", "x", "y"),
        *AFTER,
        weights=[TensorProto(name="w", dims=[10**6, 10**6], data_type=TensorProto.FLOAT)],
    )


def constant_claims():
    """The same in a node."""
    value = TensorProto(dims=[10**9], data_type=TensorProto.FLOAT)
    return small(
        *BEFORE, node("Relu", "x", "y"), helper.make_node("Constant", [], ["c"], value=value), *AFTER, weights=[W]
    )


def folded():
    """Hours of work on constants, which ONNX Runtime does while it loads the file."""
    steps = [node("MatMul", f"c{i} c0", f"c{i + 1}") for i in range(300)]
    return small(
        *BEFORE,
        node("Relu", "x", "y"),
        *steps,
        *AFTER,
        weights=[W, weight("c0", np.zeros((300, 300), dtype=np.float32))],
    )


GRAPHS = {
    loop: "Loop is not allowed",
    branch: "field 6 of its attribute",
    function: "field 25 of its model",
    elsewhere: "another file",
    claims: "claims more",
    constant_claims: "claims more",
    folded: "MatMul is done with constants alone",
}


@pytest.mark.parametrize("make, what", GRAPHS.items(), ids=[make.__name__ for make in GRAPHS])
def test_graphs_that_do_more_than_look_at_tiles(tmp_path, make, what):
    assert what in refused(tmp_path, resealed(make()))


@pytest.mark.parametrize(
    "op, domain",
    [
        ("Scan", ""),
        ("If", ""),
        ("SequenceMap", ""),
        ("RandomNormal", ""),
        ("Expand", ""),
        ("ConstantOfShape", ""),
        ("Tile", ""),
        ("Gelu", "com.microsoft"),
    ],
)
def test_other_operations(tmp_path, op, domain):
    assert f"{op} is not allowed" in refused(
        tmp_path, resealed(small(*BEFORE, node(op, "x", "y", domain=domain), *AFTER, weights=[W]))
    )


def test_a_flood_of_parts_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "MAX_FIELDS", 5000)
    assert "more than 5,000 parts" in refused(tmp_path, DATA)


def resize(result):
    return helper.make_node("Resize", ["x", "", "", "sizes"], [result], axes=[2, 3])


def test_memory_has_a_bound(tmp_path):
    """A tile of 60 pixels, enlarged to 30,000 a side: eleven gigabytes."""
    enlarged = small(*BEFORE, resize("y"), *AFTER, weights=[W, weight("sizes", np.array([30_000, 30_000]))])
    assert "gives no answer" in refused(tmp_path, resealed(enlarged))


def test_time_has_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "MAX_SECONDS", 0.2)
    steps = [node("Exp", f"y{i}", f"y{i + 1}") for i in range(400)]
    slow = small(
        *BEFORE,
        resize("y0"),
        *steps,
        node("Identity", "y400", "y"),
        *AFTER,
        weights=[W, weight("sizes", np.array([3000, 3000]))],
    )
    assert "gives no answer" in refused(tmp_path, resealed(slow), within=20)


def test_other_ends(tmp_path):
    """Inputs and outputs of other names, types and shapes."""
    info, middle = helper.make_tensor_value_info, (*BEFORE, node("Relu", "x", "y"), *AFTER)
    for tiles in (
        info("tiles", TensorProto.FLOAT, ["n", "height", "width", 3]),
        info("tiles", TensorProto.UINT8, ["n", "height", "width", 4]),
        info("tiles", TensorProto.UINT8, ["n", "height", 3]),
    ):
        assert "m.onnx: " in refused(tmp_path, resealed(small(*middle, weights=[W], tiles=tiles)))
    renamed = resealed(
        small(
            *middle[:-1],
            node("Sigmoid", "logits", "p"),
            weights=[W],
            probabilities=info("p", TensorProto.FLOAT, ["n", 11]),
        )
    )
    assert "does not turn tiles into probabilities" in refused(tmp_path, renamed)
    ten = weight("w", np.zeros((3, 10), dtype=np.float32))
    fewer = resealed(small(*middle, weights=[ten], probabilities=info("probabilities", TensorProto.FLOAT, ["n", 10])))
    assert "does not turn tiles into probabilities" in refused(tmp_path, fewer)


def test_what_are_no_probabilities(tmp_path):
    for last in (node("Identity", "logits", "probabilities"), node("Log", "logits", "probabilities")):
        large = weight("w", np.full((3, 11), -5, dtype=np.float32))
        shifted = small(*BEFORE, node("Exp", "x", "y"), *AFTER[:-1], last, weights=[large])
        assert "not probabilities" in refused(tmp_path, resealed(shifted))


def test_the_command_says_it_in_one_line(tmp_path, capsys):
    Image.new("RGB", (60, 60)).save(tmp_path / "c.png")
    (tmp_path / "m.onnx").write_bytes(resealed(loop()))
    assert "Loop is not allowed" in one_line(
        capsys, tmp_path / "c.png", "--target", "car", "--model", tmp_path / "m.onnx"
    )
    table = tmp_path / "o.csv"
    assert "Loop is not allowed" in one_line(
        capsys, "--tiles", tmp_path, "--csv", table, "--model", tmp_path / "m.onnx"
    )
    assert not table.exists()


def test_a_check_takes_no_time_to_speak_of():
    took = []
    for _ in range(5):
        start = time.process_time()
        checked_model(model_path())
        took.append(time.process_time() - start)
    assert min(took) < 0.1


def test_onnx_runtime_keeps_no_note_of_sessions(tmp_path):
    """Importing it writes the file `.ses` into the folder for temporary files, unless it is told before."""
    environment = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", "import recaptcha.network"]
    subprocess.run(command, env={**environment, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}, check=True)
    assert list(tmp_path.iterdir()) == []


def test_an_error_without_words_is_one_line_too():
    class Silent:
        def run(self, *args):
            raise RuntimeError

    net = Network()
    net.session = Silent()
    with pytest.raises(DataError, match=r"gives no answer \(RuntimeError\)"):
        net.probs(TILE)


# Places


def of_places(sizes="[64, 128]", **about):
    """A small network of format 2: its places are grey values, a square's the mean over a quarter of a side."""
    shape = helper.make_tensor_value_info
    mean = [
        node("Cast", "tiles", "x", to=TensorProto.FLOAT),
        helper.make_node("Concat", ["side", "side"], ["sizes"], axis=0),
        helper.make_node("Resize", ["x", "", "", "sizes"], ["seen"], axes=[1, 2]),
        node("Transpose", "seen", "planes", perm=[0, 3, 1, 2]),
        node("AveragePool", "planes", "means", kernel_shape=[STRIDE] * 2, strides=[STRIDE] * 2),
        node("Transpose", "means", "rows", perm=[0, 2, 3, 1]),
        node("MatMul", "rows w", "logits"),
        node("Sigmoid", "logits", "places"),
        node("ReduceMean", "places between", "probabilities", keepdims=0),
        node("Reshape", "places sixteen", "cut"),
        node("ReduceMean", "cut within", "squares", keepdims=0),
    ]
    weights = [
        W,
        weight("between", np.array([1, 2])),
        weight("sixteen", np.array([0, SQUARES, -1, 11])),
        weight("within", np.array([2])),
    ]
    inputs = [shape("tiles", TensorProto.UINT8, ["n", "h", "w", 3]), shape("side", TensorProto.INT64, [1])]
    outputs = [
        shape("probabilities", TensorProto.FLOAT, ["n", 11]),
        shape("squares", TensorProto.FLOAT, ["n", SQUARES, 11]),
        shape("places", TensorProto.FLOAT, ["n", "y", "x", 11]),
    ]
    graph = helper.make_graph(mean, "g", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    half = json.dumps([0.5] * 11)
    facts = dict(format=PLACES, classes=json.dumps(CLASSES), sizes=sizes, thresholds=half, square_thresholds=half)
    return resealed(model, **(facts | about))


def test_a_network_of_places_answers_photographs(tmp_path):
    (tmp_path / "m.onnx").write_bytes(of_places())
    net = Network(tmp_path / "m.onnx")
    assert net.kinds == ["tile", "photograph"] and net.sizes == {"tile": 64, "photograph": 128}
    assert net.square_thresholds.tolist() == [0.5] * 11
    bright = np.zeros((80, 80, 3), dtype=np.uint8)
    bright[:, 40:] = 255
    seen = net.look(bright)
    assert seen.squares.shape == (16, 11) and seen.places.shape == (8, 8, 11)
    assert seen.places[:, -1].min() > seen.places[:, 0].max(), "the right half is brighter"
    assert net.maps(np.stack([bright] * 33)).shape == (33, 4, 4, 11)
    assert net.probs(bright[None]).shape == (1, 11)


@pytest.mark.parametrize("sizes", ["[64]", "[64, 100]", "[64, 1024]", '["64", 128]', "[true, 64]", "", "[[64], 128]"])
def test_sizes_are_checked(tmp_path, sizes):
    assert "its sizes are n" in refused(tmp_path, of_places(sizes))


def test_thresholds_of_squares_are_checked(tmp_path):
    assert "its square_thresholds are" in refused(tmp_path, of_places(square_thresholds="[0.5]"))


def test_a_network_of_tiles_knows_no_places(tmp_path):
    (tmp_path / "m.onnx").write_bytes(resealed(small(*BEFORE, node("Relu", "x", "y"), *AFTER, weights=[W])))
    net = Network(tmp_path / "m.onnx")
    assert net.kinds == ["tile"] and net.square_thresholds is None
    for ask in (lambda: net.look(TILE[0]), lambda: net.maps(TILE)):
        with pytest.raises(DataError, match="knows tiles alone"):
            ask()


def test_the_format_says_what_goes_in_and_comes_out(tmp_path):
    assert "does not turn tiles" in refused(tmp_path, of_places(format=FORMAT))
    assert "format '3'" in refused(tmp_path, of_places(format="3"))
