"""`benchmarks/place_network.py`: bags of places, squares, cells under a crop, and what a mosaic knows"""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import place_network as places

from recaptcha.places import PlaceNetwork, square_ids
from recaptcha.toy import CLASSES


def some_tiles(n=8):
    """Tiles whose cells differ in colour: cell k has the value 16*k; the first tile shows a car in cell 6."""
    images = torch.arange(16).reshape(4, 4).repeat_interleave(30, 0).repeat_interleave(30, 1) * 16
    images = images.expand(n, 3, 120, 120).to(torch.uint8).contiguous()
    labels = torch.zeros(n, len(CLASSES))
    labels[0, 3] = 1
    answers = [{"file": "0", "class": "Car", "required": [6], "optional": [7]}]
    files = [str(k) for k in range(n)]
    cells = torch.where(labels == 0, 0.0, -1.0)[..., None].repeat(1, 1, 16)
    cells[0, 3] = torch.tensor([0.0] * 5 + [1, -1] + [0] * 9)
    detected = torch.zeros_like(cells, dtype=torch.bool)
    return places.Tiles(files, images, labels, cells, detected, torch.ones_like(cells)), answers


def test_a_bag_is_pooled_by_log_mean_exp():
    z = torch.tensor([[[0.0, 2.0, 5.0, -1.0]]])
    ids = torch.tensor([[0, 0, 1, 2]])  # the last place is in no bag of two
    pooled, count = places.pool(z, ids, 2, torch.tensor([1.0]))
    assert pooled[0, 0].tolist() == pytest.approx([math.log((1 + math.exp(2)) / 2), 5.0])
    assert count.tolist() == [[2, 1]]
    sharp, _ = places.pool(z, ids, 2, torch.tensor([50.0]))
    assert sharp[0, 0, 0] == pytest.approx(2, abs=0.02)  # close to the largest


def test_squares_lie_over_their_places():
    assert square_ids(8, 4, "cpu").reshape(8, 8)[::2, ::2].flatten().tolist() == list(range(16))


def test_cells_are_read():
    tiles, answers = some_tiles()
    assert torch.equal(places.cells_of(tiles.files, tiles.labels, pd.DataFrame(answers)), tiles.cells)


def test_the_cell_of_a_place_is_the_one_that_is_seen_there():
    torch.manual_seed(0)
    tiles, _ = some_tiles()
    batch = places.plain_part(tiles, torch.arange(8), 256)
    seen = batch.x[:, 0, 8::16, 8::16].flatten(1) * 255 / 16  # at the middle of each place
    inside = batch.ids < places.REGIONS * places.CELLS
    near = (seen - batch.ids).abs() < 0.6
    assert inside.all() and near.float().mean() > 0.9  # what is left lies on the border of two cells


def test_a_mosaic_knows_its_regions():
    torch.manual_seed(0)
    tiles, _ = some_tiles()
    batch = places.mosaic_part(tiles, torch.arange(8).reshape(2, 4), 256)
    assert batch.x.shape == (2, 3, 256, 256) and batch.labels.shape == (2, len(CLASSES), 4)
    assert batch.labels[0, 3].tolist() == [1, 0, 0, 0] and batch.cells[0, 3, 5] == 1
    cell = torch.where(batch.ids < 64, batch.ids % 16, -1)
    seen = batch.x[:, 0, 8::16, 8::16].flatten(1) * 255 / 16
    assert ((seen - cell).abs() < 0.6)[cell >= 0].float().mean() > 0.8
    assert {0, 1, 2, 3} == set((batch.ids[batch.ids < 64] // 16).tolist())


def test_every_parameter_learns_once():
    net = PlaceNetwork("efficientnet_lite0")
    groups = places.parameter_groups(net, places.Settings("x"))
    assert sorted(id(p) for g in groups for p in g["params"]) == sorted(id(p) for p in net.parameters())
    z, whole = net(torch.rand(2, 3, 64, 64))
    assert z.shape == (2, len(CLASSES), 4, 4) and whole.shape == (2, len(CLASSES))
    assert net.tile_logits(z, whole).shape == whole.shape and net.square_logits(z, 2).shape == (2, len(CLASSES), 4)


def test_what_is_unknown_costs_nothing():
    cost, known = places.known_bce(torch.tensor([3.0, -2.0]), torch.tensor([-1.0, 1.0]))
    assert cost.tolist() == pytest.approx([0, math.log(1 + math.exp(2))]) and known.tolist() == [False, True]


def test_a_pair_is_solved_when_all_its_cells_are():
    cells = np.full((2, len(CLASSES), 16), -1.0)
    cells[:, 3] = 0
    cells[:, 3, 5] = 1
    logits = np.full((2, len(CLASSES), 16), -4.0)
    logits[:, 3, 5] = 4
    assert places.squares_solved(logits, cells) == 1
    logits[1, 3, 9] = 4.5  # one too many, above any threshold that finds the right one
    assert places.squares_solved(logits, cells) == 0.5


def test_a_step_moves_the_weights_by_the_rate_that_is_set():
    torch.manual_seed(0)
    tiles, _ = some_tiles()
    net = PlaceNetwork("test_efficientnet").train()
    settings = places.Settings("x", batch=8)
    steps = places.Steps(net, settings, [], torch.device("cpu"))
    before = net.places.weight.detach().clone()
    batch = places.next_batch(tiles, places.drawing_weights(tiles), settings, 64)
    steps.set_rate(0.0)
    steps.step(batch)
    assert torch.equal(net.places.weight, before)
    steps.set_rate(1.0)
    assert math.isfinite(steps.step(batch).item()) and not torch.equal(net.places.weight, before)


def test_a_network_is_taught_what_its_teachers_say():
    torch.manual_seed(0)
    tiles, _ = some_tiles()
    batch = places.plain_part(tiles, torch.arange(8), 64)
    teacher, other = (PlaceNetwork("test_efficientnet").eval() for _ in range(2))

    def cost(net):
        z, whole = (t.float() for t in net(batch.x))
        return places.taught(net, z, whole, batch, [teacher]).item()

    assert cost(teacher) < cost(other)


def test_a_detector_is_asked_only_where_annotation_says_nothing(tmp_path):
    """Of two tiles with cars, one is annotated; the detector finds a car on both, and a bus that is not there."""
    path = tmp_path / "tile.png"
    Image.new("RGB", (120, 120)).save(path)
    table = pd.DataFrame({"file": ["a", "b"], "path": [path, path]})
    truth = np.zeros((2, len(CLASSES)))
    car, bus = CLASSES.index("Car"), CLASSES.index("Bus")
    truth[:, car] = 1
    answers = pd.DataFrame([{"file": "a", "class": "Car", "required": [1], "optional": []}])
    found = pd.DataFrame(
        [{"file": file, "class": name, "required": [16], "optional": [15]} for file in "ab" for name in ("Car", "Bus")]
    )
    tiles = places.tiles_of(table, truth, np.ones_like(truth, dtype=bool), answers, found, "cpu")
    assert tiles.cells[0, car].tolist() == [1] + [0] * 15 and not tiles.detected[0].any()
    assert tiles.cells[1, car].tolist() == [0] * 14 + [-1, 1] and tiles.detected[1, car].sum() == 15
    assert tiles.cells[:, bus].eq(0).all() and not tiles.detected[:, bus].any()


def test_a_class_that_a_detector_finds_often_weighs_less():
    detected = torch.zeros(8, 3, 16, dtype=torch.bool)
    detected[:8, 0], detected[:2, 1], detected[:1, 2] = True, True, True
    weights = places.cell_weights(detected, 0.5)
    assert weights[0, :, 0].tolist() == [0.125, 0.5, 0.5] and weights[7, :, 0].tolist() == [0.125, 1, 1]
    assert places.cell_weights(torch.zeros(8, 3, 16, dtype=torch.bool), 0.5).eq(1).all()


def test_the_mean_of_networks(tmp_path):
    for value, name in enumerate(("lite0", "lite0_short", "lite0_taught")):
        net = PlaceNetwork("efficientnet_lite0")
        nn.init.constant_(net.places.bias, float(value))
        places.save(tmp_path / f"{name}.safetensors", net.state_dict())
        about = {"name": name, "arch": "efficientnet_lite0", "epochs": 1}
        (tmp_path / f"{name}.json").write_text(json.dumps(about))
    settings = places.planned("lite0_averaged")
    net, seconds, steps = places.trained_or_mean(settings, some_tiles()[0], tmp_path, 0)
    assert net.places.bias.tolist() == [1.0] * len(CLASSES) and (seconds, steps) == (0, 0)
    assert not net.training


def test_a_plan_changes_what_its_name_says():
    whole = places.planned("lite2_short:9")
    assert (whole.epochs, whole.detected, whole.seed) == (9, 0.5, 1)
    for part, change in places.PARTS.items():
        assert replace(whole, name=f"lite2_{part}", **change) == places.planned(f"lite2_{part}:9") != whole
    assert places.planned("lite2_s2:40").seed == 2


def test_the_corners_of_four_regions_cover_the_canvas():
    split = torch.tensor([[0.2, -0.3]])
    corners = [places.corners(split, region) for region in range(places.REGIONS)]
    areas = [(high - low).prod().item() for low, high in corners]
    assert sum(areas) == pytest.approx(4)
    low, high = corners[1]  # above, on the right
    assert low[0].tolist() == pytest.approx([0.2, -1]) and high[0].tolist() == pytest.approx([1, -0.3])
