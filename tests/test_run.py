"""What makes two runs the same, the table of runs, which code is recorded, and which runs are averaged."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from claims_kit import KEYS, MORE_KEYS

from recaptcha import fit, learner
from recaptcha import run as run_module
from recaptcha.finished import asked_to_train, measured, read_logits, recorded
from recaptcha.fit import outcome
from recaptcha.methods import METHODS, planned
from recaptcha.network import model_path
from recaptcha.run import NEWER, Run, code_version
from recaptcha.runtable import COLUMNS, SCORES, add_row, check_table, counted, find_row, is_in, read_table
from recaptcha.tiles import LABELS_DIR, DataError
from recaptcha.train import score_runs

pytestmark = pytest.mark.usefixtures("a_machine_of_its_own")

RESULTS = Path(__file__).parent.parent / "results" / "runs.csv"
RUN = Run(labels="0123456789ab")


def row_of(run, **more):
    return {
        **run.columns(),
        "device": "cpu",
        "seconds": 9,
        "commit": "abc",
        "pretrained": True,
        **dict.fromkeys(SCORES, 0.5),
        **more,
    }


# The identity


def test_every_setting_makes_another_run():
    other = dict(
        method="mixup",
        arch="resnet18",
        size=64,
        epochs=6,
        freeze_epochs=2,
        seed=2,
        data="toy",
        bs=16,
        lr=0.02,
        fast=False,
        labels="ba9876543210",
        teacher="ba9876543210",
        label_source="complete",
        hidden="budget:0.1:doubt",
        constants="alpha=0.1 w=0:4",
    )
    assert list(other) == [f.name for f in fields(Run)]
    runs = [RUN, *(replace(RUN, **{k: v}) for k, v in other.items())]
    for what in (
        lambda r: r.id,
        lambda r: r.name,
        lambda r: r.folder("runs"),
        lambda r: r.logits(RESULTS),
        lambda r: tuple(r.columns().items()),
    ):
        assert len({what(r) for r in runs}) == len(runs)


def test_a_run_reads_itself_from_its_row():
    others = (
        dict(fast=False, freeze_epochs=2, epochs=4, teacher="ba9876543210"),
        dict(label_source="rounds", hidden="random_positive", constants="k=1.5"),
    )
    for run in (RUN, Run(), *(replace(RUN, **other) for other in others)):
        assert Run.of_row(row_of(run)) == run


def test_a_run_without_a_label_source_is_the_one_it_was():
    "Ids as they were computed before the setting was there; published folders and sweeps rely on them"
    assert RUN.id == "acc8f5113f8d"
    assert replace(RUN, method="mixup", data="toy", teacher="ba9876543210").id == "f6d379331382"
    assert RUN.name == "baseline-mobilenet_v2-128-full-e1+5-s1-acc8f5113f8d"


def test_command_line_of_a_run_makes_it(toy_home, monkeypatch):
    from recaptcha import train as runs

    made = []
    monkeypatch.setattr(runs, "train", lambda run, method, folder, results: made.append(run))
    for run in (
        planned(data="toy", fast=False, lr=0.02, freeze_epochs=0),
        planned(data="toy", method="recipe_distilled"),
        planned(data="toy", label_source="rounds"),
        planned(data="toy", method="recipe_with_gr", label_source="folder", constants="b=-3:-2 q3=0.5"),
    ):
        runs.main(run.arguments())
        assert made.pop() == run and run.labels


def test_same_number_of_epochs_is_not_the_same_run(tmp_path):
    "A sweep said of these that they are in the table already"
    add_row(tmp_path / "runs.csv", row_of(Run()))  # of before hashes, as the published ones
    add_row(tmp_path / "runs.csv", row_of(replace(RUN, seed=2)))
    table = read_table(tmp_path / "runs.csv")
    assert is_in(RUN, table) and is_in(replace(RUN, seed=2), table)
    for other in (
        dict(freeze_epochs=2, epochs=4),
        dict(fast=False),
        dict(lr=0.02),
        dict(seed=2, labels="ba9876543210"),
        dict(seed=2, teacher="ba9876543210"),
    ):
        assert not is_in(replace(RUN, **other), table), other


def test_runs_older_than_hashes_are_in_unless_a_release_taught_them(tmp_path):
    add_row(tmp_path / "runs.csv", row_of(Run()))
    table = read_table(tmp_path / "runs.csv")
    assert is_in(RUN, table) and not is_in(replace(RUN, teacher="ba9876543210"), table)


def test_labels_and_teacher_are_part_of_a_run(toy_root, tmp_path, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(toy_root, home / "toy")
    monkeypatch.setenv("RECAPTCHA_DATA", str(home))
    before, taught = planned(data="toy"), planned(data="toy", method="recipe_distilled")
    assert (
        not before.teacher
        and taught.teacher == hashlib.sha256(hashlib.sha256(model_path().read_bytes()).digest()).hexdigest()[:12]
    )
    small = home / "toy" / "labels" / "small.csv"
    small.write_text(small.read_text() + "\n")
    assert planned(data="toy").labels != before.labels
    network = tmp_path / "network.onnx"
    network.write_bytes(b"another")
    monkeypatch.setitem(METHODS, "recipe_distilled", replace(METHODS["recipe_distilled"], network=lambda: network))
    assert planned(data="toy", method="recipe_distilled").teacher != taught.teacher
    assert planned().labels != planned(data="toy").labels


def test_each_source_of_labels_has_the_hash_of_the_files_that_it_reads(toy_root, tmp_path, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(toy_root, home / "toy")
    monkeypatch.setenv("RECAPTCHA_DATA", str(home))

    def hashes():
        sources = "", "folder", "rounds", "complete"
        return {source: planned(data="toy", label_source=source).labels for source in sources}

    def changed(name):
        before, path = hashes(), home / "toy" / "labels" / name
        path.write_text(path.read_text() + "\n")
        return {source for source, digest in hashes().items() if digest != before[source]}

    assert changed("complete.csv") == {"folder", "rounds", "complete"}  # all are validated on it
    assert changed("checked.csv") == {"rounds"}  # without a source, it is the package's
    assert changed("small.csv") == {"", "folder", "rounds", "complete"}
    assert changed("cells.csv") == set()


@pytest.mark.parametrize(
    "settings",
    [
        dict(lr=float("inf")),
        dict(lr=1),
        dict(size=True),
        dict(size=64.0),
        dict(seed=-1),
        dict(data="big"),
        dict(method="../x"),
        dict(method=""),
        dict(arch="a/b"),
        dict(fast=1),
        dict(labels="x"),
        dict(epochs=0),
        dict(bs=1),
        dict(label_source="guesses"),
        dict(hidden="budget:much:random"),
        dict(constants="alpha"),
    ],
)
def test_settings_that_make_no_sense(settings):
    with pytest.raises(DataError, match=next(iter(settings))):
        Run(**settings)


def test_claims_name_a_run_by_what_it_is():
    "Its settings, where a line of `claims.csv` names a row of the table of runs"
    key = COLUMNS[: KEYS["results/runs.csv"]]
    assert set(key) <= RUN.columns().keys()
    assert MORE_KEYS["results/runs.csv"] == list(NEWER)


def test_the_default_rate_is_the_chosen_one():
    assert Run().lr == learner.LR


# The table of runs


def test_published_rows_are_what_they_were():
    "The 118 rows got columns at their end, with what is known of them, and nothing else of them has changed"
    lines = RESULTS.read_text().splitlines()[:119]
    old = "\n".join(line.rsplit(",", 8)[0] for line in lines) + "\n"
    assert (
        hashlib.sha256(old.encode()).hexdigest() == "cff3a2bba906c7c91aff18f78cefa876d7132d9dfb8edd72e011ed33fc9df4d4"
    )
    assert {tuple(line.rsplit(",", 8)[1:]) for line in lines[1:]} == {("1", "True", "", "", "", "", "", "")}


def test_logits_of_every_published_run_are_found():
    for row in read_table(RESULTS).to_dict("records"):
        read_logits(Run.of_row(row).logits(RESULTS))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "runs.csv"
    for seed in (1, 2):
        add_row(path, row_of(replace(RUN, seed=seed)))
    return path


def test_a_row_is_added_once(table):
    text = table.read_text()
    add_row(table, row_of(RUN, mAP=0.7))
    assert table.read_text() == text


def test_a_row_does_not_stick_to_an_unfinished_line(table):
    table.write_text(table.read_text().rstrip("\n"))
    add_row(table, row_of(replace(RUN, seed=3)))
    assert read_table(table).seed.tolist() == [1, 2, 3]


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_a_table_of_before_the_last_columns_is_read_and_goes_on(table, columns):
    whole = table.read_text()
    table.write_text("".join(line.rsplit(",", columns)[0] + "\n" for line in whole.splitlines()))
    assert read_table(table).label_source.tolist() == ["", ""]
    add_row(table, row_of(replace(RUN, label_source="complete")))
    assert table.read_text().startswith(whole)
    assert read_table(table).label_source.tolist() == ["", "", "complete"]


@pytest.mark.parametrize(
    "old, new",
    [
        ("0.5", "1.5"),
        ("0.5", "-0.1"),
        ("0.5", "inf"),
        ("0.5", ""),
        ("0.5", "high"),
        (",128,", ",8,"),
        (",128,", ",128.5,"),
        (",9,", ",-9,"),
        ("True", "yes"),
        (",0.01,", ",0,"),
        ("full", ""),
        ("full", "huge"),
        ("0123456789ab", "0123456789ac"),
        ("0123456789ab", "x"),
        ("abc,", "abc,abc,"),
        ("baseline,", "mixup,"),
        ("baseline,mobilenet_v2,", "baseline,"),
        ("abc", "a\0c"),
        ("abc", 'a"c'),
        ("cpu", '"cpu'),
    ],
)
def test_damaged_table_is_refused(table, old, new):
    text = table.read_text()
    assert old in text
    bad = text.replace(old, new, 1)
    table.write_text(bad)
    for read in (check_table, read_table, lambda path: add_row(path, row_of(replace(RUN, seed=3)))):
        with pytest.raises(DataError, match="runs.csv") as error:
            read(table)
        assert "\n" not in str(error.value)
    assert table.read_text() == bad


def test_a_run_twice_or_bytes_that_are_no_text_are_refused(table):
    text = table.read_text()
    table.write_text(text + text.splitlines()[1] + "\n")
    with pytest.raises(DataError, match="row 4: is the same run as row 2"):
        read_table(table)
    table.write_bytes(b"\xff\xfe" + text.encode())
    with pytest.raises(DataError, match="not a text"):
        read_table(table)


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: kept.update(logits=kept["logits"][:, :3]),
        lambda kept: kept.update(logits=kept["logits"] * np.nan),
        lambda kept: kept.pop("thresholds"),
        lambda kept: kept.update(thresholds=kept["thresholds"] + 2),
        lambda kept: kept.update(logits=np.array([{}], dtype=object)),
        lambda kept: kept.update(logits=np.array(["a"])),
    ],
)
def test_bad_logits_are_refused(tmp_path, change):
    kept = dict(logits=np.zeros((4, 11), dtype=np.float16), thresholds=np.full(11, 0.5, dtype=np.float32))
    path = tmp_path / "logits.npz"
    np.savez_compressed(path, **kept)
    assert read_logits(path)[0].shape == (4, 11)
    change(kept)
    np.savez_compressed(path, **kept)
    with pytest.raises(DataError, match="logits.npz.*delete"):
        read_logits(path)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\x93NUMPY\1\0v\0{}"])
def test_what_is_no_archive_of_logits_is_refused(tmp_path, content):
    path = tmp_path / "logits.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="logits.npz"):
        read_logits(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match="pipe"):
        read_logits(path)


# What is read instead of trained


@pytest.fixture
def kept(tmp_path):
    "A table with one run of before hashes and its logits, and that run"
    results = tmp_path / "runs.csv"
    add_row(results, row_of(Run(), mAP=0.75))
    path = Run().logits(results)
    path.parent.mkdir()
    np.savez_compressed(path, logits=np.zeros((4, 11), dtype=np.float16), thresholds=np.full(11, 0.25))
    return results


@pytest.mark.parametrize(
    ("mode", "wish", "asked"),
    [("full", None, False), ("full", "0", False), ("full", "1", True), ("small", None, True), ("toy", "0", True)],
)
def test_all_tiles_are_trained_on_only_where_asked(monkeypatch, mode, wish, asked):
    monkeypatch.setenv("RECAPTCHA_RUN", mode)
    if wish is not None:
        monkeypatch.setenv("RECAPTCHA_TRAIN", wish)
    assert asked_to_train() is asked


def test_another_wish_is_refused(monkeypatch):
    monkeypatch.setenv("RECAPTCHA_TRAIN", "yes")
    with pytest.raises(DataError, match="RECAPTCHA_TRAIN is 'yes'"):
        asked_to_train()


def test_a_recorded_run_is_not_trained(kept, monkeypatch):
    monkeypatch.setattr(fit, "train", None)
    there = outcome(RUN, runs=kept.parent / "runs", results=kept)
    assert (there.run, there.row["mAP"]) == (Run(), 0.75)
    assert there.probs.shape == (4, 11) and (there.probs == 0.5).all() and (there.thresholds == 0.25).all()


def test_a_recorded_run_is_trained_where_asked_and_another_in_any_case(kept, monkeypatch):
    def no_time(run, *args):
        raise InterruptedError(run.seed)

    monkeypatch.setattr(fit, "train", no_time)
    with pytest.raises(InterruptedError, match="2"):
        outcome(replace(RUN, seed=2), results=kept)
    assert recorded(replace(RUN, seed=2), kept) is None
    monkeypatch.setenv("RECAPTCHA_TRAIN", "1")
    with pytest.raises(InterruptedError, match="1"):
        outcome(RUN, results=kept)


def test_a_row_whose_logits_are_missing_is_told(kept):
    Run().logits(kept).unlink()
    with pytest.raises(DataError, match="no such file"):
        recorded(RUN, kept)


def test_the_row_with_the_hash_comes_before_the_older_one(kept):
    add_row(kept, row_of(RUN, mAP=0.875))
    table = read_table(kept)
    assert find_row(RUN, table)["mAP"] == 0.875 and find_row(Run(), table)["mAP"] == 0.75


def test_what_a_lesson_measured_is_read_or_written(tmp_path, monkeypatch):
    path, found = tmp_path / "lessons" / "a.csv", pd.DataFrame({"rate": [0.1, 0.2], "arch": ["a", "b"]})
    with pytest.raises(DataError, match="a.csv: no such file; RECAPTCHA_TRAIN=1"):
        measured(path, None)
    monkeypatch.setenv("RECAPTCHA_RUN", "toy")
    assert measured(path, lambda: found) is found and not path.exists()
    monkeypatch.setenv("RECAPTCHA_RUN", "full")
    monkeypatch.setenv("RECAPTCHA_TRAIN", "1")
    assert measured(path, lambda: found).equals(found) and path.read_text() == "rate,arch\n0.1,a\n0.2,b\n"
    monkeypatch.delenv("RECAPTCHA_TRAIN")
    assert measured(path, None).equals(found)
    path.write_text('a,b\n1,2,3\n"')
    with pytest.raises(DataError, match="a.csv: not a table"):
        measured(path, None)


# Which runs are averaged


def test_runs_from_changed_code_are_not_averaged_except_the_older_ones(tmp_path):
    runs = pd.DataFrame([row_of(RUN), row_of(RUN, commit="abc+"), row_of(Run()), row_of(Run(), commit="abc+")])
    assert counted(runs).index.tolist() == [0, 2, 3]
    published = read_table(RESULTS)
    older = published[published.run == ""]
    assert len(older) == 118 and older.commit.str.endswith("+").sum() == 16 and len(counted(older)) == 118

    results = tmp_path / "results" / "runs.csv"
    kept = next(RESULTS.parent.glob("test_logits/*.npz"))
    for seed, commit in ((1, "abc"), (2, "abc+"), (3, "abc")):
        run = replace(RUN, seed=seed)
        add_row(results, row_of(run, commit=commit))
        run.logits(results).parent.mkdir(exist_ok=True)
        shutil.copy(kept, run.logits(results))
    assert score_runs(["baseline"], results).seed.tolist() == [1, 3]


def test_runs_of_other_labels_are_not_averaged_with_the_older_ones(tmp_path):
    results = tmp_path / "results" / "runs.csv"
    kept = next(RESULTS.parent.glob("test_logits/*.npz"))
    for source in ("", "folder", "complete"):
        run = replace(RUN, label_source=source)
        add_row(results, row_of(run))
        run.logits(results).parent.mkdir(exist_ok=True)
        shutil.copy(kept, run.logits(results))
    assert score_runs(["baseline"], results).label_source.tolist() == [""]
    assert score_runs(["baseline"], results, label_source="complete").label_source.tolist() == ["complete"]


# Which code


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    "A git repository with one commit, and a function that says where the package is"
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    git = lambda *args: subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@localhost", *args],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )

    def install(folder, commit=True):
        (folder / "recaptcha" / "labels").mkdir(parents=True)
        (folder / "recaptcha" / "__init__.py").write_text("")
        (tmp_path / "other.txt").write_text("somebody else's")
        git("init")
        git("add", "other.txt", *(["."] if commit else []))
        git("commit", "-m", "one")
        monkeypatch.setattr(run_module, "LABELS_DIR", folder / "recaptcha" / "labels")
        return folder / "recaptcha" / "__init__.py"

    return install


def test_commit_of_the_own_checkout_is_recorded(checkout, tmp_path):
    code = checkout(tmp_path)
    clean = code_version()
    assert len(clean) >= 7 and int(clean, 16) >= 0
    code.write_text("x = 1\n")
    assert code_version() == clean + "+"
    code.write_text("")
    assert code_version() == clean
    (code.parent / "new.py").write_text("x = 1\n")
    assert code_version() == clean + "+", "a module that is not committed changes the code, too"


@pytest.mark.parametrize("place, commit", [(".venv/lib", False), ("vendored", True), (".", False)])
def test_commit_of_a_foreign_checkout_is_not(checkout, tmp_path, place, commit):
    "An environment in somebody's repository, a copy in a folder of theirs, a copy that they did not commit"
    checkout(tmp_path / place, commit)
    import recaptcha

    assert code_version() == recaptcha.__version__


def test_a_hook_does_not_lead_to_another_repository(checkout, tmp_path, monkeypatch):
    checkout(tmp_path)
    clean = code_version()
    monkeypatch.setenv("GIT_DIR", str(LABELS_DIR.parent.parent / ".git"))
    assert code_version() == clean
