"""`benchmarks/detect_cells.py`: from boxes to cells; and `benchmarks/keep_places.py`: what is kept of networks."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import detect_cells as detector
import keep_places

from recaptcha.labels import pass_answers
from recaptcha.places import cell_answers
from recaptcha.tables import LABELS_DIR, read_cells, read_complete
from recaptcha.tiles import load_cells
from recaptcha.toy import CLASSES

ROOT = Path(__file__).parent.parent
CAR, LORRY, PERSON = 2, 7, 0  # of COCO


def box(left, top, right, bottom, score=0.9, of=CAR):
    return np.array([[left, top, right, bottom, score, of]], np.float32)


def test_a_box_covers_the_cells_under_it():
    share = detector.covers(box(0, 0, 0.5, 0.125))[0].reshape(4, 4)
    assert share.tolist() == [[0.5, 0.5, 0, 0], *[[0] * 4] * 3]
    assert detector.covers(box(-1, -1, 2, 2)).tolist() == [[1] * 16]


@pytest.mark.parametrize(
    ("boxes", "required", "left_open"),
    [
        (box(0, 0, 0.5, 0.25), [1, 2], []),
        (box(0, 0, 0.27, 0.25), [1], [2]),  # of the second cell, 8 % are covered
        (box(0, 0, 0.26, 0.25), [1], []),
        (box(0, 0, 0.25, 0.25, score=0.12), [], []),
        (np.concatenate([box(0, 0, 0.25, 0.25), box(0.5, 0, 0.75, 0.25, score=0.12)]), [1], [3]),
        (box(0, 0, 0.5, 0.25, of=PERSON), [], []),
        (box(0, 0, 0.5, 0.25, of=LORRY), [1, 2], []),
        (np.zeros((0, 6), np.float32), [], []),
    ],
)
def test_cells_of_a_car(boxes, required, left_open):
    assert detector.cells_of(boxes, "Car", detector.Limits()) == [required, left_open]


def test_a_tile_gets_the_boxes_whose_middle_is_on_it():
    found = np.concatenate([box(0, 0, 128, 64), box(200, 300, 500, 500), box(520, 10, 530, 20)])
    on = [detector.of_tile(found, place) for place in range(4)]
    assert [len(boxes) for boxes in on] == [1, 1, 0, 1]  # a box beyond the picture belongs to the tile at its edge
    assert on[0][0, :4].tolist() == [0, 0, 0.5, 0.25]
    assert on[3][0, :4] == pytest.approx([-56 / 256, 44 / 256, 244 / 256, 244 / 256])


def test_four_tiles_in_a_picture(tmp_path):
    for k in range(3):
        Image.new("RGB", (100, 100), (50 * k, 0, 0)).save(tmp_path / f"{k}.png")
    picture = np.asarray(detector.sheet([tmp_path / f"{k}.png" for k in range(3)]))
    assert picture.shape == (512, 512, 3)
    assert [int(picture[y, x, 0]) for y, x in ((9, 9), (9, 300), (300, 9), (300, 300))] == [0, 50, 100, 114]


def test_an_object_that_is_not_there_is_not_looked_for():
    boxes = {"a": box(0, 0, 0.5, 0.25), "b": box(0, 0, 0.5, 0.25)}
    rows = detector.table(boxes, {"a": {"Car", "Palm"}, "b": {"Bus"}}, detector.Limits())
    assert rows.to_dict("records") == [{"file": "a", "class": "Car", "required": "1;2", "optional": ""}]


def test_agreement_counts_cells_and_pairs():
    boxes = {"a": box(0, 0, 0.5, 0.25), "b": box(0, 0, 0.25, 0.25), "c": np.zeros((0, 6), np.float32)}
    annotated = pd.DataFrame(
        {"file": ["a", "b", "c"], "class": "Car", "required": [[1], [1, 2], [1]], "optional": [[2], [], []]}
    )
    said = detector.agreement(boxes, annotated, detector.Limits())
    assert (said["tiles"], said["found"], said["alike"], said["precision"]) == (3, 2, 0.5, 1)
    assert said["no_is_wrong"] == pytest.approx(1 / (14 + 14 + 1))


def test_detected_cells_are_of_training_tiles_that_show_the_object():
    found, complete = load_cells("full", "detector"), read_complete(LABELS_DIR / "complete.csv")
    assert len(found) == len(found[["file", "class"]].drop_duplicates())
    assert all(name in complete.labels[file] for file, name in zip(found.file, found["class"]))
    assert set(found["class"]) == set(detector.OF_COCO)
    assert len(load_cells("toy", "detector")) == 0


def test_kept_logits_are_measured_by_the_labels_of_the_project():
    kept = np.load(ROOT / "results/place_logits.npz")
    answers = pass_answers(pd.read_csv(LABELS_DIR / "complete.csv", keep_default_na=False)).loc[kept["files"], CLASSES]
    assert np.array_equal(kept["labels"], answers.fillna(-1).to_numpy())
    said = cell_answers(kept["files"][kept["with_cells"]].tolist(), read_cells(LABELS_DIR / "cells.csv"))
    known = ~np.isnan(said)
    assert np.array_equal(kept["cells"][known], np.where(said == 0.5, -1, said)[known])
    table = pd.read_csv(ROOT / "results/place_network.csv")
    for row in table[(table["size"] == 192) & (table.detected > 0)].itertuples():
        scored = keep_places.known_map(kept[f"{row.name}/valid_192"].astype(float), kept["labels"])
        assert scored == pytest.approx(row.valid_mAP, abs=2e-4), row.name
