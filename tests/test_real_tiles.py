"""On the real tiles, where RECAPTCHA_DATA_URL leads to their archive: collecting them, and what the label files say of
them.
"""
import os

import pandas as pd
import pytest

from recaptcha.collect import collect
from recaptcha.labels import pass_answers
from recaptcha.tables import LABELS_DIR
from recaptcha.tiles import load_tiles, tile_table, training_tiles
from recaptcha.verify import verify_tiles

ARCHIVE = os.environ.get("RECAPTCHA_DATA_URL")


@pytest.mark.real
@pytest.mark.skipif(not ARCHIVE, reason="RECAPTCHA_DATA_URL names no archive of the real tiles")
def test_real_tiles_are_collected_and_every_one_is_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("RECAPTCHA_DATA", str(tmp_path))
    root = collect(url=ARCHIVE)
    report = verify_tiles(root)
    assert len(report) == 12 and report.expected.sum() == 11_774
    assert report.found.sum() >= 11_565  # a mirror may lack 209 of them
    table = tile_table(root)
    assert table.equals(load_tiles("full"))
    assert (table.set == "test").sum() == 441 and (table.set == "small").sum() == 225
    assert table.labels[table.set != ""].map(lambda labels: isinstance(labels, list)).all()
    copies = set(table.duplicate_group[table.set == "test"]) - {""}
    assert copies.isdisjoint(training_tiles(table).duplicate_group), "a copy of a test tile would be trained on"
    labelled = pass_answers(pd.read_csv(LABELS_DIR / "complete.csv", keep_default_na=False)).index
    assert set(labelled) <= set(training_tiles(table).file)
    assert len(training_tiles(table)) - len(labelled) == len(table) - 11_565, "a tile of the mirror is not labelled"
