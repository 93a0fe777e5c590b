"""The released network with bits the other way round; and networks with a right seal that say or do strange things."""

import json
import os
import re
import struct
import warnings

import numpy as np
from mutate import flip
from watch import Fault, Part, command, refusal

RESEALED = 20  # every so many-th input is a network with a right seal
STRANGE = (
    "",
    "null",
    "0",
    "[]",
    "{}",
    "[",
    "[[]]",
    '""',
    "[null]",
    "NaN",
    "[NaN]",
    "Infinity",
    "1e999",
    "[1e999]",
    "true",
    "-1",
    "9" * 5000,
    "[" * 100_000,
    '["\\u001b[2J"]',
    '["Car"]',
    '["Car", "Car"]',
    "[0.5]",
    '["0.5"]',
    '{"Car": 0.5}',
    "\ud800",
    "x" * 100_000,
    "\x00",
    "../../etc/passwd",
    "1",
    "2",
)


class Model(Part):
    """2,000 models given to `recaptcha-predict --model`."""

    count = 2000

    def start(self):
        from recaptcha import network

        warnings.simplefilter("always", UserWarning)
        warnings.simplefilter("always", RuntimeWarning)
        self.network = network
        self.data = network.model_path().read_bytes()
        from PIL import Image

        noise = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
        Image.fromarray(noise).save(self.home / "tile.png")

    def _sealed(self, model) -> bytes:
        """A model's bytes with the seal that belongs to them."""
        seal = self.network.SEAL
        rest = [p for p in model.metadata_props if p.key != seal]
        about = {p.key: p.value for p in rest}
        del model.metadata_props[:]
        for key, value in {**about, seal: "0" * 64}.items():
            model.metadata_props.add(key=key, value=value)
        data = model.SerializeToString()
        mark = seal.encode() + b"\x12\x40"
        return re.sub(re.escape(mark) + b"0{64}", mark + self.network.sealed(data).encode(), data)

    def _resealed(self, rng) -> bytes:
        import onnx

        model = onnx.load_from_string(self.data)
        rng.choice([_about, _about, _about, _values, _ports, _shapes, _outside, _endless, _unknown])(model, rng)
        return self._sealed(model)

    def draw(self, index, folder):
        rng = self.rng(index)
        if index % RESEALED == RESEALED - 1:
            data = self._resealed(rng)
        else:
            part = rng.choice([(0, None), (0, None), (0, 2000), (len(self.data) - 3000, None)])
            data = flip(self.data, rng, 1, *part)
        (folder / "model.onnx").write_bytes(data)

    def ask(self, index, folder):
        model, tile = folder / "model.onnx", self.home / "tile.png"
        code, out, err = command("predict", tile, "--grid", "none", "--target", "cars", "--json", "--model", model)
        kind = refusal("predict", code, err)
        flipped = index % RESEALED != RESEALED - 1
        if flipped and kind == "answered":
            raise Fault("wrong", f"accepted with a bit the other way round: {out}")
        if kind == "answered":
            said = json.loads(out)
            if len(said["probabilities"]) != 1 or not 0 <= said["probabilities"][0] <= 1:
                raise Fault("wrong", f"answered {out}")
        if os.listdir(folder) != ["model.onnx"]:
            raise Fault("left", f"{os.listdir(folder)}")
        return kind


def _about(model, rng):
    """Metadata that is missing, or says something strange."""
    i = rng.randrange(len(model.metadata_props))
    if rng.random() < 0.2:
        del model.metadata_props[i]
    else:
        model.metadata_props[i].value = rng.choice([s for s in STRANGE if s.isprintable() or s.isascii()])


def _values(model, rng):
    """Classes or thresholds of another number or kind."""
    key = rng.choice(["classes", "thresholds"])
    prop = next(p for p in model.metadata_props if p.key == key)
    values = json.loads(prop.value)
    i = rng.randrange(len(values))
    change = rng.randrange(4)
    if change == 0:
        values.pop(i)
    elif change == 1:
        values.append(values[i])
    elif change == 2:
        values[i] = rng.choice([None, "", "\x1b[2J", -1, 2, 1e300, float("nan"), float("inf"), [], {}, True, 10**400])
    else:
        values[i] = values[i - 1]
    prop.value = json.dumps(values)


def _ports(model, rng):
    """Another name, type or number of what goes in and comes out."""
    graph = model.graph
    port = rng.choice([graph.input[0], graph.output[0]])
    change = rng.randrange(3)
    if change == 0:
        _renamed(graph, port.name, "x" * rng.choice([1, 1000]))
    elif change == 1:
        port.type.tensor_type.elem_type = rng.choice([1, 2, 7, 8, 10, 11])
    else:
        graph.input.append(graph.input[0])
        graph.input[-1].name = "more"


def _renamed(graph, name, other):
    for names in [[*graph.input, *graph.output]]:
        for port in names:
            port.name = other if port.name == name else port.name
    for node in graph.node:
        for names in (node.input, node.output):
            for i, n in enumerate(names):
                names[i] = other if n == name else n


def _shapes(model, rng):
    """Another shape of what goes in and comes out, declared or real."""
    port = rng.choice([model.graph.input[0], model.graph.output[0]])
    dims = port.type.tensor_type.shape.dim
    dims[rng.randrange(len(dims))].dim_value = rng.choice([1, 2, 12, 10**6, 2**40])


def _outside(model, rng):
    """Weights that shall be read from another file."""
    tensor = max(model.graph.initializer, key=lambda t: len(t.raw_data))
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", rng.choice(["/etc/passwd", "../../../etc/passwd", "/dev/zero", "weights"])


def _endless(model, rng):
    """A loop that does not end, before the answer."""
    from onnx import TensorProto, helper

    last = model.graph.output[0].name
    _renamed(model.graph, last, "before")
    model.graph.output[0].name = last
    same = helper.make_node("Identity", ["go"], ["on"])
    value = helper.make_node("Identity", ["state"], ["next"])
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [same, value],
        "body",
        [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, []), info("state", TensorProto.FLOAT, None)],
        [info("on", TensorProto.BOOL, []), info("next", TensorProto.FLOAT, None)],
    )
    model.graph.initializer.append(helper.make_tensor("true", TensorProto.BOOL, [], [True]))
    most = helper.make_tensor("most", TensorProto.INT64, [], [rng.choice([2**62, 10**12])])
    model.graph.initializer.append(most)
    model.graph.node.append(helper.make_node("Loop", ["most", "true", "before"], [last], body=body))


def _unknown(model, rng):
    """An operator that there is not, or constants that are no numbers."""
    if rng.random() < 0.3:
        rng.choice(model.graph.node).op_type = rng.choice(["Nothing", "", "Scan"])
        return
    tensor = rng.choice([t for t in model.graph.initializer if t.data_type == 1 and len(t.raw_data) >= 4])
    tensor.raw_data = struct.pack("<f", rng.choice([float("nan"), float("inf"), 3e38, 0])) * (len(tensor.raw_data) // 4)
