"""A run becomes a released network: all of its files or none, and one line where the run is none."""
import hashlib
import json
import os
import shutil
import tempfile

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import save_file
from torch import nn

from recaptcha import release
from recaptcha.card import spread
from recaptcha.challenge import Network
from recaptcha.cli import run as command
from recaptcha.data import load_tiles, training_tiles
from recaptcha.files import DataError
from recaptcha.learner import tile_dls, tile_learner

NAME = "baseline-mobilenet_v2-64-toy-e1+1-s1"
FILES = {"recaptcha-int8.onnx", "recaptcha-int8.json", "recaptcha-fp32.onnx", "README.md"}


@pytest.fixture(scope="module", autouse=True)
def toy_tiles(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECAPTCHA_DATA", str(tmp_path_factory.mktemp("data")))
        yield


def results_of(folder):
    return folder.parent.parent / "runs.csv"


@pytest.fixture(scope="module")
def finished(tmp_path_factory, toy_tiles):
    """The folder of a run as training leaves it, though nothing was learnt in it, beside its table of runs."""
    folder = tmp_path_factory.mktemp("finished") / "runs" / NAME
    folder.mkdir(parents=True)
    tiles = training_tiles(load_tiles("toy"))
    valid = np.arange(len(tiles)) % 5 == 0
    model = tile_learner(tile_dls(tiles, 64, 16, valid=valid), "mobilenet_v2", pretrained=False, fast=False).model
    save_file(model.state_dict(), folder / "model.safetensors")
    config = dict(method="baseline", arch="mobilenet_v2", size=64, bs=16, data="toy", seed=1)
    row = dict(method="baseline", arch="mobilenet_v2", size=64, epochs=2, valid_mAP=0.25)
    (folder / "row.json").write_text(json.dumps(dict(config=config, row=row, valid=tiles.file[valid].tolist())))
    scores = dict(mAP=0.2, F1=0.1, solved=0.0)
    pd.DataFrame([dict(row, data="toy", **scores)]).to_csv(results_of(folder), index=False)
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the run that a test may spoil."""
    shutil.copytree(finished, tmp_path / "runs" / NAME)
    return tmp_path / "runs" / NAME


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
    table = release.export(finished, out, 64, results_of(finished))
    assert table.max_difference["ONNX fp32"] < 1e-4
    assert table.mean_difference["ONNX int8"] < 0.1
    assert {path.name for path in out.iterdir()} == FILES
    net = Network(out / "recaptcha-int8.onnx")
    assert (net.about["run"], net.about["precision"], net.about["size"]) == (NAME, "int8", "64")
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
    monkeypatch.setattr(release, "write_up", lambda folder, made, *args: fails(made, tmp_path))
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


def test_best_is_a_run(copy, ended, tmp_path, monkeypatch):
    there = json.loads((copy / "row.json").read_text())
    for seed, score, valid in ((2, 0.5, there["valid"]), (3, 0.4, there["valid"]), (4, 0.9, there["valid"][:-1])):
        folder = copy.parent / f"{NAME[:-1]}{seed}"
        folder.mkdir()
        row = dict(there["row"], valid_mAP=score)
        (folder / "row.json").write_text(json.dumps(dict(there, row=row, valid=valid)))
        os.utime(folder / "row.json", (10 - seed, 10 - seed))  # the newest was validated as the first
    asked = []
    monkeypatch.setattr(release, "export", lambda folder, *args: asked.append(folder) or pd.DataFrame())
    for choice in ([], ["--run", "best"], ["--run", copy]):
        code, said, _ = ended("--runs", copy.parent, "--method", "baseline", *choice)
        assert code == 0 and asked[-1].name in said
    assert [folder.name for folder in asked] == [f"{NAME[:-1]}2", f"{NAME[:-1]}2", NAME]


@pytest.mark.parametrize("args", [["--method", "/etc"], ["--method", "["], ["--method", ""], ["--runs", "none"]])
def test_no_best_run(copy, ended, tmp_path, args):
    assert "no finished run" in refused(ended, "--runs", copy.parent, *args, out=tmp_path / "out")


@pytest.mark.parametrize("run", ["nonsense", "", "a\nb", "/dev/null", "x" * 300])
def test_no_run(ended, tmp_path, run):
    refused(ended, "--run", run, out=tmp_path / "out")


def changed(part, **values):
    return lambda there: {**there, part: {**there[part], **values}}


WRONG = {
    "a list": lambda there: [],
    "no config": lambda there: {**there, "config": None},
    "another program's": lambda there: {"name": "package", "version": "1.0"},
    "size is a word": changed("config", size="64"),
    "size is negative": changed("config", size=-1),
    "size is enormous": changed("config", size=10**9),
    "no batch": changed("config", bs=0),
    "no architecture": changed("config", arch=None),
    "unknown data": changed("config", data="../elsewhere"),
    "no score": changed("row", valid_mAP=None),
    "a score that is no number": changed("row", valid_mAP=float("nan")),
    "validated on nothing": lambda there: {**there, "valid": []},
    "validated on numbers": lambda there: {**there, "valid": [1, 2]},
    "older than the list": lambda there: {key: there[key] for key in ("config", "row")},
}


@pytest.mark.parametrize("what", WRONG)
def test_row_of_another_kind(copy, ended, tmp_path, what):
    there = json.loads((copy / "row.json").read_text())
    (copy / "row.json").write_text(json.dumps(WRONG[what](there)))
    assert "row.json" in refused(ended, "--run", copy, out=tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=["empty", "cut", "no text", "deep"])
def test_damaged_row(copy, ended, tmp_path, content):
    (copy / "row.json").write_bytes(content)
    assert "row.json" in refused(ended, "--run", copy, out=tmp_path / "out")


def test_row_that_is_no_file(copy, ended, tmp_path):
    (copy / "row.json").unlink()
    assert "not a finished run" in refused(ended, "--run", copy, out=tmp_path / "out")
    os.mkfifo(copy / "row.json")
    assert "no regular file" in refused(ended, "--run", copy, out=tmp_path / "out")
    assert "no such folder" in refused(ended, "--run", copy / "model.safetensors", out=tmp_path / "out")


def test_run_on_other_tiles(copy, ended, tmp_path):
    there = json.loads((copy / "row.json").read_text())
    (copy / "row.json").write_text(json.dumps({**there, "valid": ["Car/Car (0)"]}))
    assert "other tiles" in refused(ended, "--run", copy, out=tmp_path / "out")


def test_damaged_weights(copy, ended, tmp_path):
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    line = refused(ended, "--run", copy, out=tmp_path / "out")
    assert str(weights) in line and "train the run again" in line


def test_weights_that_do_not_fit(tmp_path):
    path, model = tmp_path / "model.safetensors", nn.Linear(2, 3)
    save_file(nn.Linear(2, 4).state_dict(), path)
    write = path.write_bytes
    for spoil in (lambda: None, lambda: write(b""), lambda: write(bytes(1000)), path.unlink, path.mkdir):
        spoil()
        with pytest.raises(DataError, match="model.safetensors") as error:
            release.load_weights(model, path)
        assert "\n" not in str(error.value)


# The rest of the command line


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "\0\0"], ids=["none", "empty", "another", "zeros"])
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
