"""A run becomes a released network: all of its files or none, and one line where the run is none."""
import hashlib
import json
import os
import shutil
import tempfile

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save

from recaptcha import export as exported
from recaptcha import release
from recaptcha.batches import encode_labels
from recaptcha.card import spread
from recaptcha.cli import run as command
from recaptcha.files import DataError
from recaptcha.finished import TEST_LOGITS, TEST_PROBS, WEIGHTS, Finished
from recaptcha.learner import tile_dls, tile_learner
from recaptcha.network import Network
from recaptcha.run import Run, sha256
from recaptcha.runtable import add_row
from recaptcha.tables import read_complete
from recaptcha.tiles import labels_folder, load_tiles, training_tiles, validation_fifth

# With timm's smallest network.
SETTINGS = dict(method="baseline", arch="test_efficientnet", size=32, epochs=1, data="toy", bs=16)
FILES = {"recaptcha-int8.onnx", "recaptcha-int8.json", "recaptcha-fp32.onnx", "README.md"}


@pytest.fixture(scope="module", autouse=True)
def toy_tiles(toy_home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECAPTCHA_DATA", str(toy_home))
        yield


def leave(runs, valid, content, seed=1, score=0.25, label_source=""):
    """What `recaptcha-train` leaves of a run in a folder of runs."""
    run = Run.here(**SETTINGS, seed=seed, label_source=label_source)
    folder = run.folder(runs)
    folder.mkdir(parents=True)
    kept = {WEIGHTS: content, TEST_PROBS: b"", TEST_LOGITS: b""}
    for name, there in kept.items():
        (folder / name).write_bytes(there)
    scores = dict(mAP=0.2, F1=0.1, accuracy_multi=0.9, solved=0.0, solved_1err=0.1, valid_mAP=score)
    row = dict(run.columns(), device="cpu", seconds=1, commit="abc", pretrained=False, **scores)
    files = {name: sha256(there) for name, there in kept.items()}
    there = Finished(folder, run, row, [0.5] * 11, valid, files)
    there.write()
    return there


@pytest.fixture(scope="module")
def finished(tmp_path_factory, toy_tiles):
    """The folder of a run as training leaves it, though nothing was learnt in it, beside its table of runs."""
    runs = tmp_path_factory.mktemp("finished") / "runs"
    tiles = training_tiles(load_tiles("toy"))
    valid = np.arange(len(tiles)) % 5 == 0
    dls = tile_dls(tiles, SETTINGS["size"], SETTINGS["bs"], valid=valid)
    model = tile_learner(dls, SETTINGS["arch"], pretrained=False, fast=False).model
    weights = save({name: value.contiguous() for name, value in model.state_dict().items()})
    there = leave(runs, tiles.file[valid].tolist(), weights)
    add_row(results_of(there.folder), there.row)
    return there.folder


def test_a_run_with_a_source_is_calibrated_on_the_complete_labels_of_its_fifth(finished, tmp_path):
    """Those of its own source would be the folders here, beside the small set. What is in doubt is left out."""
    tiles = training_tiles(load_tiles("toy"))
    valid = tiles.file[validation_fifth(tiles)].tolist()
    there = leave(tmp_path / "runs", valid, (finished / WEIGHTS).read_bytes(), label_source="folder")
    items = release.load_run(there.folder).dls.valid_ds.items.reset_index(drop=True)
    rows, truth = release.complete_tiles(items)
    complete = read_complete(labels_folder("toy") / "complete.csv").loc[items.file]
    assert items.file.tolist() == valid and (rows == (complete.doubt.map(len) == 0).to_numpy()).all() and not rows.all()
    assert (truth[rows] == encode_labels(complete.labels).numpy()[rows]).all()


def results_of(folder):
    return folder.parent.parent / "runs.csv"


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the run that a test may spoil."""
    return shutil.copytree(finished, tmp_path / "runs" / finished.name)


@pytest.fixture
def ended(capsys, finished):
    """Runs `recaptcha-export` and gives its exit code, what it printed, and its complaints by line."""
    def ended(*args):
        code = 0
        try:
            command("export", ["--results", str(results_of(finished)), *map(str, args)])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return code, said.out, said.err.splitlines()
    return ended


def refused(ended, *args, out):
    """The one line of a command that does nothing."""
    before = contents(out)
    code, said, complaints = ended(*args, "--out", out)
    assert (code, said, len(complaints)) == (1, "", 1), complaints
    assert contents(out) == before, "something was written, or something is gone"
    return complaints[0]


def contents(folder):
    """What lies in a folder, by name: bytes, or nothing for what is no file; None where there is no folder."""
    if not folder.is_dir():
        return None
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


# A release


def test_release(finished, tmp_path, monkeypatch):
    out = tmp_path / "a" / "models"
    leftover = out / ".recaptcha-int8.onnx.0123456789ab.partial"  # as a release that was killed leaves it
    leftover.mkdir(parents=True)
    (leftover / "raw.onnx").write_bytes(b"half")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))  # nothing may lie in the system's folder
    monkeypatch.setattr(release, "some_tiles", lambda tiles, most: tiles[:32])
    monkeypatch.setattr(
        release, "score_tables", lambda *args: "TABLES"
    )  # which the notebook on the card tests, on more tiles
    table = release.export(finished, out, 128, results_of(finished))
    assert table.max_difference["ONNX fp32"] < 1e-4
    assert table.mean_difference["ONNX int8"] < 0.1
    assert {path.name for path in out.iterdir()} == FILES
    net = Network(out / "recaptcha-int8.onnx")
    assert (net.about["run"], net.about["precision"], net.about["size"]) == (finished.name, "int8", "128")
    sha256 = hashlib.sha256((out / "recaptcha-int8.onnx").read_bytes()).hexdigest()
    assert json.loads((out / "recaptcha-int8.json").read_text())["sha256"] == sha256
    card = (out / "README.md").read_text()
    assert sha256 in card and "there is one run of `baseline` alone" in card


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), DataError("no"), KeyboardInterrupt()])
def test_a_release_that_fails_changes_nothing(finished, ended, tmp_path, monkeypatch, error):
    def fails(made, out):
        (made / "README.md").write_text("new")
        raise error
    monkeypatch.setattr(release, "release", lambda *args: None)
    monkeypatch.setattr(release, "document", lambda folder, made, *args: fails(made, tmp_path))
    for name in FILES:
        (tmp_path / name).write_text(f"old {name}")
    before = contents(tmp_path)
    code, _, complaints = ended("--run", finished, "--out", tmp_path)
    assert code in {1, 130} and len(complaints) == 1
    assert contents(tmp_path) == before


def test_all_files_are_replaced_or_none(tmp_path):
    made, out = tmp_path / "made", tmp_path / "out"
    made.mkdir()
    out.mkdir()
    for name in FILES:
        (made / name).write_text(f"new {name}")
        (out / name).write_text(f"old {name}")
    (made / "README.md").unlink()
    with pytest.raises(OSError):
        release.deliver(made, out)
    assert contents(out) == {name: f"old {name}".encode() for name in FILES}
    (made / "README.md").write_text("new README.md")
    release.deliver(made, out)
    assert contents(out) == {name: f"new {name}".encode() for name in FILES}


@pytest.mark.parametrize("name", sorted(FILES))
def test_only_regular_files_are_replaced(finished, ended, tmp_path, name):
    (tmp_path / "fifo").mkdir()
    os.mkfifo(tmp_path / "fifo" / name)
    (tmp_path / "folder" / name).mkdir(parents=True)
    assert name in refused(ended, "--run", finished, out=tmp_path / "fifo")
    assert name in refused(ended, "--run", finished, out=tmp_path / "folder")
    (tmp_path / "file").write_text("in the way")
    assert "file" in refused(ended, "--run", finished, out=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "in the way"


# Which run


def test_best_is_a_run(copy, ended, monkeypatch):
    first = Finished.of_folder(copy)
    better, _, best_elsewhere = (leave(copy.parent, valid, b"", seed, score).folder for seed, score, valid in
                                 ((2, 0.5, first.valid), (3, 0.4, first.valid), (4, 0.9, first.valid[:-1])))
    os.utime(best_elsewhere / "row.json", (0, 0))  # the newest was validated as the first
    asked = []
    monkeypatch.setattr(exported, "export", lambda folder, *args: asked.append(folder) or pd.DataFrame())
    for choice in ([], ["--run", "best"], ["--run", copy]):
        code, said, _ = ended("--runs", copy.parent, "--method", "baseline", *choice)
        assert code == 0 and asked[-1].name in said
    assert asked == [better, better, copy]


@pytest.mark.parametrize("args", [["--method", "/etc"], ["--method", "["], ["--method", ""], ["--runs", "none"]])
def test_no_best_run(copy, ended, tmp_path, args):
    assert "no finished run" in refused(ended, "--runs", copy.parent, *args, out=tmp_path / "out")


@pytest.mark.parametrize("run", ["nonsense", "", "a\nb", "/dev/null", "x" * 300])
def test_no_run(ended, tmp_path, run):
    refused(ended, "--run", run, out=tmp_path / "out")


DAMAGED = {"empty": b"", "cut": b"{", "list": b"[]", "no text": b"\xff\xfe", "deep": b"[" * 100_000}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_row(copy, ended, tmp_path, content):
    (copy / "row.json").write_bytes(content)
    assert "row.json" in refused(ended, "--run", copy, out=tmp_path / "out")


def test_row_that_is_no_file(copy, ended, tmp_path):
    (copy / "row.json").unlink()
    assert "not a finished run" in refused(ended, "--run", copy, out=tmp_path / "out")
    os.mkfifo(copy / "row.json")
    assert "row.json" in refused(ended, "--run", copy, out=tmp_path / "out")
    assert "not a finished run" in refused(ended, "--run", copy / "model.safetensors", out=tmp_path / "out")


def test_changed_row(copy, ended, tmp_path):
    text = (copy / "row.json").read_text()
    (copy / "row.json").write_text(text.replace('"size": 32', '"size": 64'))
    assert "row.json" in refused(ended, "--run", copy, out=tmp_path / "out")


def test_run_on_other_tiles(ended, tmp_path):
    elsewhere = leave(tmp_path / "runs", ["Car/Car (0)"], b"")
    assert "validated on tiles that are not here" in refused(ended, "--run", elsewhere.folder, out=tmp_path / "out")


def test_damaged_weights(copy, ended, tmp_path):
    weights = copy / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-100] ^= 1  # a bit of a number: the file can be read
    weights.write_bytes(content)
    assert str(weights) in refused(ended, "--run", copy, out=tmp_path / "out")


def test_weights_of_another_network(finished, ended, tmp_path):
    valid = Finished.of_folder(finished).valid
    other = leave(tmp_path / "runs", valid, save({"a": torch.zeros(1)}))
    assert WEIGHTS in refused(ended, "--run", other.folder, out=tmp_path / "out")


# The rest of the command line


@pytest.mark.parametrize("content", [None, "a,b\n1,2\n", "\0\0"], ids=["none", "another", "zeros"])
def test_table_of_runs(finished, ended, tmp_path, content):
    table = tmp_path / "table.csv"
    if content is not None:
        table.write_text(content)
    assert "table.csv" in refused(ended, "--run", finished, "--results", table, out=tmp_path / "out")


def test_commands_that_make_no_sense(ended):
    for args in (["--size", "7"], ["--size", "many"], ["--no-such"]):
        code, _, complaints = ended(*args)
        assert code == 2 and len(complaints) == 1 and complaints[0].startswith("recaptcha-export: ")


def test_spread_of_scores():
    runs = pd.DataFrame(dict(method="a", arch="net", data="toy", size=64, epochs=2, mAP=[0.5, 0.7], F1=0.5, solved=0.2))
    assert "mAP 0.600 (sd 0.141), F1 0.500 (sd 0.000)" in spread(runs, "a", "net", "toy")
    assert spread(runs[:1], "a", "net", "toy") == "there is one run of `a` alone"
