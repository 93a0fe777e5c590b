"""A network of places becomes a file that answers tiles and photographs as the network does."""

import json

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from recaptcha import places_release
from recaptcha.card import _training, challenge_rows
from recaptcha.files import DataError
from recaptcha.network import PLACES, SEAL, Network
from recaptcha.places import PlaceNetwork, about_places, load_places
from recaptcha.places_release import even_weights, export_places, square_thresholds, validation
from recaptcha.quantize import without_zeros
from recaptcha.toy import CLASSES

ABOUT = dict(name="small", arch="test_efficientnet", epochs=1, seed=1, start="")


@pytest.fixture(scope="module", autouse=True)
def toy_tiles(toy_home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECAPTCHA_DATA", str(toy_home))
        yield


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """An untrained network of places, as `benchmarks/place_network.py` leaves one."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_file({k: v.contiguous() for k, v in PlaceNetwork(ABOUT["arch"]).state_dict().items()}, path)
    path.with_suffix(".json").write_text(json.dumps(ABOUT))
    return path


@pytest.fixture(scope="module")
def released(weights, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places_release, "score_tables", lambda *args: "of too few tiles for intervals")
        rows = export_places(weights, out, (64, 128), {"Car": 0.5}, out / "none.csv", "toy")
    return out, rows


def test_it_says_what_the_network_says(weights, released):
    out, rows = released
    net, exact = load_places(weights), Network(out / "recaptcha-fp32.onnx")
    valid = validation("toy")
    tiles = valid.tiles[:4].float()
    small = torch.nn.functional.interpolate(tiles, (64, 64), mode="bilinear", antialias=True)
    with torch.inference_mode():
        logits = net.tile_logits(*net(small / 255)).numpy()
    said = exact.probs(small.round().to(torch.uint8).permute(0, 2, 3, 1).numpy())
    by = json.loads(exact.about["calibration"])
    expected = 1 / (1 + np.exp(-(by["slope"] * logits + by["shift"])))
    assert np.abs(said - expected).max() < 0.02
    assert rows.mAP_lost["ONNX int8"] < 0.05


def test_both_files_and_their_card(weights, released):
    out, _ = released
    assert about_places(weights) == ABOUT
    facts = json.loads((out / "recaptcha-int8.json").read_text())
    net = Network(out / "recaptcha-int8.onnx")
    assert net.about["format"] == PLACES and net.sizes == {"tile": 64, "photograph": 128}
    assert facts["sizes"] == net.sizes and np.allclose(facts["square_thresholds"], net.square_thresholds)
    card = (out / "README.md").read_text()
    assert "`small`" in card and "not measured on them yet" in card


def test_what_is_missing_is_named(tmp_path, weights):
    with pytest.raises(DataError, match="none.safetensors: missing"):
        export_places(tmp_path / "none.safetensors", tmp_path / "out", mode="toy")
    assert not (tmp_path / "out").exists()


def test_rare_folders_count_as_much():
    weights = even_weights(pd.Series(["Car"] * 90 + ["Bus"] * 10))
    assert weights[:90].sum() == pytest.approx(weights[90:].sum()) and weights.mean() == pytest.approx(1)
    assert even_weights(pd.Series(["Car"] * 99 + ["Bus"])).max() == 8


def test_a_square_may_have_to_be_surer():
    cells = np.full((4, 11, 16), np.nan)
    cells[:, 0] = [1] * 5 + [0] * 10 + [0.5]
    even, surer = square_thresholds(cells), square_thresholds(cells, {CLASSES[3]: 1.0})
    shifts = np.log(surer / (1 - surer) / even * (1 - even))
    assert len(set(even)) == 1 and shifts == pytest.approx([0, 0, 0, 1] + [0] * 7)
    assert square_thresholds(cells, share=5 / 15)[0] == pytest.approx(0.5, abs=0.01)


def test_real_challenges_stand_on_the_card_of_their_file(tmp_path):
    row = dict(network="ours", what="asked class", cut="found", metric="solved", sha256="a")
    rows = [{**row, "class": target} | dict(kind=kind, value=0.5, low=0.25, high=0.75, n=8)
            for kind in ("3x3", "4x4") for target in ("", "Car")]
    pd.DataFrame(rows).to_csv(tmp_path / "peer.csv", index=False)
    assert "| 4×4, a photograph | 0.50 | 0.25 to 0.75 | 8 | Car 4 of 8 |" in challenge_rows(tmp_path / "peer.csv", "a")
    assert "not measured" in challenge_rows(tmp_path / "peer.csv", "b")


def test_zero_points_that_are_zero_are_left_out(released):
    out, _ = released
    model = onnx.load(out / "recaptcha-int8.onnx")
    zeros = {each.name for each in model.graph.initializer if not onnx.numpy_helper.to_array(each).any()}
    dequantised = [node for node in model.graph.node if node.op_type == "DequantizeLinear"]
    assert dequantised and not any(len(node.input) == 3 and node.input[2] in zeros for node in dequantised)
    assert without_zeros(model).ByteSize() == model.ByteSize()
    assert Network(out / "recaptcha-int8.onnx").about[SEAL]


def test_a_card_says_how_the_network_was_trained():
    plain = dict(name="a", arch="net", epochs=40, seed=1, start="", teachers=[])
    taught = dict(plain, name="b", epochs=36, start="a", teachers=["a", "c"])
    assert _training(plain) == "It was trained for 40 epochs from ImageNet weights, seed 1."
    assert _training(dict(plain, epochs=0, members=[plain, taught])) == (
        "Its weights are the mean of those of 2 networks: `a`, 40 epochs from ImageNet weights, seed 1; `b`, 36 epochs "
        "more, from `a` on, seed 1, with the mean answers of `a` and `c` as targets beside the labels."
    )
