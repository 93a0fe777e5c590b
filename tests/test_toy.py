"""Drawn tiles: the same bytes in every process, the layout and the faults of the real data, and the errors of
`make_tiles`.
"""
import hashlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from recaptcha.files import DataError
from recaptcha.scenes import CLASSES, draw_scene, draw_tile
from recaptcha.tables import read_cells, read_complete
from recaptcha.toy import FOLDERS, make_tiles

MANIFEST = ["file", "folder", "git_blob_sha1", "bytes", "width", "height", "duplicate_group", "set"]


def read(path):
    return pd.read_csv(path, keep_default_na=False)


def fingerprint(root):
    """One hash over the names and contents of all files under `root`."""
    total = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def shown(table):
    """The exact labels of each tile, as sets."""
    return [set(filter(None, labels.split(";"))) for labels in table.labels]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp("toy") / "tiles"
    return root, make_tiles(root, n=2000, seed=3)


def test_same_bytes_in_another_process(tmp_path):
    prints = []
    for hash_seed in ("1", "2"):
        root = tmp_path / hash_seed
        code = "import sys; from recaptcha.toy import make_tiles; make_tiles(sys.argv[1], n=60, seed=5)"
        subprocess.run(
            [sys.executable, "-c", code, str(root)], check=True, env={**os.environ, "PYTHONHASHSEED": hash_seed}
        )
        prints.append(fingerprint(root))
    np.random.seed(0)  # the global generator plays no part
    make_tiles(tmp_path / "here", n=60, seed=5)
    make_tiles(tmp_path / "other", n=60, seed=6)
    assert prints == [fingerprint(tmp_path / "here")] * 2
    assert not set(read(tmp_path / "here/manifest.csv").git_blob_sha1) & set(
        read(tmp_path / "other/manifest.csv").git_blob_sha1
    )


def test_a_thousand_tiles_in_three_seconds(tmp_path):
    seconds = []
    for i in range(3):
        start = time.process_time()  # not the wall clock: other programs may share the processor
        make_tiles(tmp_path / str(i))
        seconds.append(time.process_time() - start)
    assert min(seconds) < 3


def test_module_needs_no_torch():
    code = "import sys, recaptcha.toy; assert not {'torch', 'fastai', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_layout(drawn):
    root, table = drawn
    manifest, everything = read(root / "manifest.csv"), read(root / "labels/all.csv")
    assert list(manifest) == MANIFEST
    assert sorted(p.name for p in root.iterdir()) == ["Large", "labels", "manifest.csv"]
    files = ["all.csv", "cells.csv", "checked.csv", "complete.csv", "small.csv", "test.csv"]
    assert sorted(p.name for p in (root / "labels").iterdir()) == files
    assert sorted(p.name for p in (root / "Large").iterdir()) == FOLDERS
    assert sorted(manifest.file) == sorted(
        p.relative_to(root / "Large").with_suffix("").as_posix() for p in (root / "Large").rglob("*.png")
    )
    assert list(manifest.file) == sorted(manifest.file) and len(manifest) == len(everything) == 2000
    for folder, names in manifest.groupby("folder").file:
        assert set(names) == {f"{folder}/{folder} ({k})" for k in range(1, len(names) + 1)}
    for name in ("small", "test"):
        labels = read(root / f"labels/{name}.csv")
        assert list(labels) == ["file", "folder", "labels"] and set(labels.file) == set(
            manifest.file[manifest.set == name]
        )
        assert labels.equals(everything[everything.file.isin(labels.file)].reset_index(drop=True))
    assert set().union(*shown(everything)) == set(CLASSES)
    assert set(MANIFEST + ["labels"]) == set(table) and len(table) == 2000
    assert (table.labels == everything.labels).all() and (
        table[MANIFEST] == manifest.astype({"duplicate_group": str})
    ).all(axis=None)


def test_manifest_tells_the_truth(drawn):
    root, table = drawn
    for tile in table[::40].itertuples():
        path = root / "Large" / f"{tile.file}.png"
        data = path.read_bytes()
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "RGB", (tile.width, tile.height))
        assert tile.bytes == len(data)
        assert tile.git_blob_sha1 == hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    assert set(table.width) == {100, 120} and (table.width == table.height).all()
    assert 0.05 < (table.width == 100).mean() < 0.13


def test_labels_and_folders_are_faulty_as_the_real_ones(drawn):
    _, table = drawn
    truth = shown(table)
    named = table.folder != "Other"
    wrong = np.array([folder not in labels for folder, labels in zip(table.folder, truth)])[named].mean()
    assert 0.04 <= wrong <= 0.06
    assert 0.45 <= np.mean([bool(labels) for labels, keep in zip(truth, ~named) if keep]) <= 0.55
    assert 1.25 <= np.mean([len(labels) for labels in truth]) <= 1.5
    counts = table.folder.value_counts()
    assert counts.index[:2].tolist() == ["Car", "Other"] and counts.min() >= 20
    assert np.mean(["Car" in labels for labels, folder in zip(truth, table.folder) if folder == "Crosswalk"]) > 0.5


def test_copies(drawn):
    _, table = drawn
    copies = table[table.duplicate_group != ""]
    groups = copies.groupby("duplicate_group")
    assert 0.005 <= len(copies) / len(table) <= 0.015
    assert (
        (groups.size() == 2).all()
        and (groups.git_blob_sha1.nunique() == 1).all()
        and (groups.labels.nunique() == 1).all()
    )
    assert 0 < (groups.folder.nunique() > 1).sum() < len(groups)
    assert (copies.set == "").all()
    assert all(folder in labels for folder, labels in zip(copies.folder, shown(copies)))
    assert not table[table.duplicate_group == ""].git_blob_sha1.duplicated().any()


def test_sets(drawn):
    _, table = drawn
    assert 0.13 <= (table.set == "test").mean() <= 0.17
    small, test = (table[table.set == name].folder.value_counts() for name in ("small", "test"))
    assert set(small.index) == set(test.index) == set(FOLDERS) and small.max() <= 10


def test_every_training_tile_has_complete_labels_and_what_is_hidden_is_in_doubt(drawn):
    root, table = drawn
    complete = read_complete(root / "labels/complete.csv")
    training = table[table.set != "test"].set_index("file")
    assert sorted(complete.index) == sorted(training.index)
    there = complete.labels + complete.doubt
    assert {file: set(labels) for file, labels in there.items()} == dict(zip(training.index, shown(training)))
    assert 0 < complete.doubt.map(len).sum() < 0.05 * there.map(len).sum()


def test_cells_are_where_the_object_was_drawn(drawn):
    "The same chance with and without a lone object gives the same scene: what differs lies in its cells"
    root, _ = drawn
    cells = read_cells(root / "labels/cells.csv")
    labels = read_complete(root / "labels/complete.csv").labels
    assert set(zip(cells.file, cells["class"])) == {(file, c) for file, there in labels.items() for c in there}
    for name in ("Bicycle", "Bus", "Car", "Hydrant", "Motorcycle", "Palm"):
        tile, seen = draw_scene([name], np.random.default_rng(9), 120)
        empty, _ = draw_scene([], np.random.default_rng(9), 120)
        changed = np.abs(tile.astype(int) - empty).max(-1) > 30
        marked = seen[::2, ::2] == CLASSES.index(name) + 1
        assert (changed & marked).sum() > 0.8 * marked.sum(), name
        assert (changed & ~marked).mean() < 0.04, name  # its shadow


def test_answers_of_the_rounds_are_right(drawn):
    root, table = drawn
    checked, truth = read(root / "labels/checked.csv"), dict(zip(table.file, shown(table)))
    assert not set(checked.file) & set(table.file[table.set != ""])
    for row in checked.itertuples():
        present, absent = (set(filter(None, names.split(";"))) for names in (row.present, row.absent))
        assert present <= truth[row.file] and not absent & truth[row.file] and len(present | absent) == 3


@pytest.mark.parametrize("n", [40, 41, 300])
def test_every_folder_is_there_however_few_tiles(tmp_path, n):
    table = make_tiles(tmp_path / "tiles", n=n)
    assert len(table) == n and set(table.folder) == set(FOLDERS)
    assert set(table[table.set == "test"].folder) == set(FOLDERS)
    if n >= 300:
        assert set(table[table.set == "small"].folder) == set(FOLDERS)
        assert (
            pd.Series([label for labels in shown(table) for label in labels]).value_counts().reindex(CLASSES).min() >= 5
        )


def test_another_size(tmp_path):
    assert set(make_tiles(tmp_path / "tiles", n=60, size=60).width) == {50, 60}
    for size in (32, 101):
        assert draw_tile(CLASSES, np.random.default_rng(0), size).shape == (size, size, 3)


def test_leaves_other_peoples_folders_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="not a folder of drawn tiles") as error:
        make_tiles(tmp_path, n=40)
    assert str(tmp_path) in str(error.value)
    with pytest.raises(ValueError, match="thesis.txt"):
        make_tiles(tmp_path / "thesis.txt", n=40)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_replaces_its_own_folder_unless_something_was_added(tmp_path):
    root = tmp_path / "tiles"
    root.mkdir()  # empty: welcome
    make_tiles(root, n=60)
    before = fingerprint(root)
    next((root / "Large/Car").iterdir()).unlink()
    make_tiles(root, n=60)
    assert fingerprint(root) == before
    assert len(make_tiles(str(root), n=40)) == len(list(root.rglob("*.png"))) == 40
    (root / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="not a folder of drawn tiles"):
        make_tiles(root, n=40)


def test_nothing_is_left_behind_when_the_disk_is_full(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recaptcha.toy._tile_png", full)
    with pytest.raises(DataError, match="tiles: .*No space left"):
        make_tiles(tmp_path / "tiles", n=40)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["recaptcha.toy._tile_png", "recaptcha.toy.swap_in", "recaptcha.files.shutil.rmtree"])
def test_a_killed_one_leaves_nothing_for_long(tmp_path, monkeypatch, place):
    """Killed while it draws, before the swap, or while the old tiles are removed: what is there is whole."""
    root = tmp_path / "tiles"
    make_tiles(root, n=40)
    if not (child := os.fork()):
        try:
            monkeypatch.setattr(place, lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL))
            make_tiles(root, n=60)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL and len(list(tmp_path.iterdir())) == 2
    assert len(list(root.rglob("*.png"))) == len(read(root / "labels/all.csv"))
    make_tiles(root, n=50)
    assert [p.name for p in tmp_path.iterdir()] == ["tiles"] and len(list(root.rglob("*.png"))) == 50


def test_a_link_to_a_larger_disk_stays_one(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "tiles").symlink_to("disk/toy")
    for n in (40, 50):
        make_tiles(tmp_path / "tiles", n=n)
        assert (tmp_path / "tiles").is_symlink() and len(list((tmp_path / "disk" / "toy").rglob("*.png"))) == n


def test_two_at_once(tmp_path):
    code = "import sys; from recaptcha.toy import make_tiles; make_tiles(sys.argv[1], n=100)"
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "tiles")]) for _ in range(2)]
    assert [p.wait(timeout=60) for p in both] == [0, 0]
    assert [p.name for p in tmp_path.iterdir()] == ["tiles"] and len(list(tmp_path.rglob("*.png"))) == 100


@pytest.mark.parametrize(
    "bad", [dict(n=0), dict(n=39), dict(n=-5), dict(n=100.0), dict(n="100"), dict(n=None), dict(size=16), dict(seed=-1)]
)
def test_bad_numbers(tmp_path, bad):
    with pytest.raises(ValueError, match=rf"^{next(iter(bad))}=.* or more$"):
        make_tiles(tmp_path / "tiles", **bad)
    assert not list(tmp_path.iterdir())


def test_bad_objects():
    with pytest.raises(ValueError, match="'Lorry' is not one of the classes"):
        draw_tile(["Car", "Lorry"], np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least 32 pixels"):
        draw_tile(["Car"], np.random.default_rng(0), size=8)
