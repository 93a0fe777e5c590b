"""One training: a kill and a resume, what it writes, in which order, damaged state, the CPU path against fp32."""

import json
import os
import random
import signal
from dataclasses import asdict
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.vision.all import BCEWithLogitsLossFlat, Callback, Learner, set_seed
from safetensors.torch import load_file
from timm.layers import Conv2dSame
from train_kit import break_off, copy, only, rows, start, train, wait_for

from recaptcha import cpu, fit, learner
from recaptcha.batches import decode_tiles, encode_known, encode_labels, tile_dls
from recaptcha.checkpoints import Progress, with_state
from recaptcha.cpu import FastCPU
from recaptcha.finished import Finished, load_weights, read_about, read_sealed, write_sealed
from recaptcha.fit import Job, set_up, source_targets
from recaptcha.losses import AssumeNegative
from recaptcha.methods import METHODS, WeightAverage
from recaptcha.metrics import ap_per_class, complete_thresholds, mean_ap, report
from recaptcha.run import Run, label_files, sha256, short_hash
from recaptcha.runtable import COLUMNS
from recaptcha.tables import read_complete
from recaptcha.tiles import DataError, labels_folder, load_tiles, training_tiles, validation_fifth

pytestmark = pytest.mark.usefixtures("a_machine_of_its_own")

# A kill, and the same command again


def at_epoch(folder, phase, epoch):
    "Is the checkpoint of the only run that far?"
    checkpoint = next((folder / "runs").glob("*/checkpoint.pt"), None)
    if checkpoint is None:
        return False
    about, _, _ = read_about(checkpoint)
    return (about["phase"], about["epoch"]) >= (phase, epoch)


def weights(folder):
    return load_file(only(folder) / "model.safetensors")


@pytest.mark.parametrize(
    "args",
    [["--arch", "mobilenet_v2", "--epochs", "4"], ["--method", "em_apl", "--epochs", "6"]],
    ids=["plain", "em_apl"],
)  # em_apl has a buffer that remembers every tile
def test_killed_run_goes_on_to_the_same_result(tmp_path, args, capsys):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = start(killed, *args)
    wait_for(lambda: at_epoch(killed, 1, 1))  # in the middle of the second phase
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (killed / "runs.csv").exists()
    train(whole, *args)
    capsys.readouterr()
    train(killed, *args)
    assert "continuing after epoch" in capsys.readouterr().out

    a, b = weights(whole), weights(killed)
    assert all(torch.equal(a[k], b[k]) for k in a)
    a, b = rows(whole), rows(killed)
    assert len(b) == 1 and [a[0][k] for k in COLUMNS if k != "seconds"] == [b[0][k] for k in COLUMNS if k != "seconds"]
    assert not list(killed.rglob("checkpoint.pt"))  # a finished run leaves its weights, not its checkpoint

    train(killed, *args)  # a third time: nothing to do, no second row
    assert "trained already" in capsys.readouterr().out and rows(killed) == b


def test_parameters_of_a_loss_survive_an_interrupt(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(whole, "--method", "role")
    break_off(broken, "--method", "role")
    train(broken, "--method", "role")
    a, b = weights(whole), weights(broken)
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_table_opens_with_the_columns_that_others_read(finished_run):
    assert list(rows(finished_run)[0])[
        :14
    ] == "method,arch,size,epochs,seed,data,device,seconds,commit,mAP,F1,accuracy_multi,solved,solved_1err".split(",")
    last = ["freeze_epochs", "fast", "labels_sha256", "teacher_sha256", "run", "label_source", "hidden", "constants"]
    assert list(rows(finished_run)[0])[-8:] == last


def test_random_weights_are_told_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(learner, "_said", set())
    dls = tile_dls(training_tiles(load_tiles("toy")), 32, 16)
    learners = [learner.tile_learner(dls, "mobilenet_v2", hub=False) for _ in range(2)]
    said = capsys.readouterr().err
    assert said.count("random ones") == 1 and "RECAPTCHA_WEIGHTS" in said and len(said.splitlines()) == 1
    assert [learn.pretrained for learn in learners] == [False, False]


# What is written, and in which order


@pytest.mark.parametrize("step", ["record", "add_row", "unlink"])
def test_a_run_killed_while_it_writes_has_one_row(finished_run, tmp_path, monkeypatch, step):
    "It is done as soon as `row.json` is there; the table of runs, the logits and the checkpoint may be at any stage"
    folder = copy(finished_run, tmp_path)
    before = rows(folder)
    (only(folder) / "checkpoint.pt").write_bytes(b"left over")
    if step in ("record", "add_row"):
        (folder / "runs.csv").unlink()
    if step == "record":
        (folder / "test_logits").rename(folder / "gone")
    train(folder)
    assert rows(folder) == before and len(list((folder / "test_logits").iterdir())) == 1
    assert not (only(folder) / "checkpoint.pt").exists()


def test_row_json_is_written_last(tmp_path, monkeypatch):
    def no_more(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Finished, "write", no_more)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path)
    assert (
        (only(tmp_path) / "checkpoint.pt").exists()
        and not (tmp_path / "runs.csv").exists()
        and not (tmp_path / "test_logits").exists()
    )
    monkeypatch.undo()


def test_only_what_has_a_state_of_its_own_is_kept(broken_off_run):
    "A callback passes questions on to the model, `state_dict` too: the whole network was stored for each of them"
    dls = tile_dls(training_tiles(load_tiles("toy")), 32, 16)
    learn = learner.tile_learner(dls, "test_efficientnet", pretrained=False, cbs=WeightAverage())
    assert hasattr(learn.recorder, "state_dict") and list(with_state(learn)) == ["weight_average"]
    _, content = read_sealed(only(broken_off_run) / "checkpoint.pt")
    assert torch.load(BytesIO(content), weights_only=True)["extra"] == {}


# Checkpoints are not trusted


def refused(folder, path, *words):
    "The run is refused in one line that names `path` and says what to delete, and nothing is recorded"
    with pytest.raises(DataError) as error:
        train(folder)
    message = str(error.value)
    assert message.startswith(str(path)) and "delete" in message and "\n" not in message, message
    assert all(word in message for word in words), message
    assert not (folder / "runs.csv").exists()


def damaged(path, how):
    if how == "empty":
        path.write_bytes(b"")
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-1000])
    if how == "header":
        path.write_bytes(path.read_bytes()[:40])
    if how == "text":
        path.write_text("{}\n")
    if how == "nested":
        path.write_text("[" * 100_000)
    if how in ("pipe", "folder", "pickle"):
        path.unlink()
    if how == "pipe":
        os.mkfifo(path)
    if how == "folder":
        path.mkdir()
    if how == "pickle":
        torch.save(dict(config={}, phase=0, epoch=1, seconds=0.0), path)  # the format of earlier versions
    return path


@pytest.mark.parametrize("how", ["empty", "truncated", "header", "text", "nested", "pipe", "folder", "pickle"])
def test_damaged_checkpoint_is_refused(broken_off_run, tmp_path, how):
    folder = copy(broken_off_run, tmp_path)
    path = damaged(only(folder) / "checkpoint.pt", how)
    if how in ("pipe", "folder"):
        with pytest.raises(DataError, match="pipe|folder"):
            train(folder)
    else:
        refused(folder, path)


def test_a_flipped_bit_in_a_checkpoint_is_noticed(broken_off_run, tmp_path):
    good = (only(broken_off_run) / "checkpoint.pt").read_bytes()
    about, _, start = read_about(only(broken_off_run) / "checkpoint.pt")
    run, path, draw = Run(**about["config"]), tmp_path / "checkpoint.pt", random.Random(0)
    for place in [*range(0, start, 40), *(draw.randrange(len(good)) for _ in range(20))]:
        bad = bytearray(good)
        bad[place] ^= 1 << draw.randrange(8)
        path.write_bytes(bad)
        with pytest.raises(DataError, match="delete"):
            Progress.read(path, run)


def rewritten(folder, change):
    "The checkpoint with changed content and a checksum that fits"
    path = only(folder) / "checkpoint.pt"
    about, content = read_sealed(path)
    state = torch.load(BytesIO(content), weights_only=True)
    change(about, state)
    content = BytesIO()
    torch.save(state, content)
    write_sealed(path, content.getvalue(), **about)
    return path


def shrink(state):
    name = next(k for k, v in state["model"].items() if v.ndim == 4)
    state["model"][name] = state["model"][name][:1]


def shrink_average(state):
    kept = next(s for s in state["opt"]["state"] if "grad_avg" in s)
    kept["grad_avg"] = torch.zeros(1, 2, 3)


@pytest.mark.parametrize(
    "change",
    [
        lambda about, state: about.update(phase=5),
        lambda about, state: about.update(phase=-1),
        lambda about, state: about.update(phase=True),
        lambda about, state: about.update(epoch=3),
        lambda about, state: about.update(epoch=0),
        lambda about, state: about.update(epoch="1"),
        lambda about, state: about.update(epoch=1.0),
        lambda about, state: about.update(seconds=None),
        lambda about, state: about.update(seconds=float("nan")),
        lambda about, state: about.pop("seconds"),
        lambda about, state: about.update(more=1),
        lambda about, state: about["config"].update(lr=0.5),
        lambda about, state: about["config"].update(labels="0" * 12),
        lambda about, state: state.pop("opt"),
        lambda about, state: state.update(extra=dict(loss={})),
        lambda about, state: state.update(model={}),
        lambda about, state: state.update(model=7),
        lambda about, state: shrink(state),
        lambda about, state: state["opt"].update(state=[]),
        lambda about, state: state["opt"].update(hypers=7),
        lambda about, state: shrink_average(state),
    ],
)
def test_checkpoint_that_no_run_leaves_is_refused(broken_off_run, tmp_path, change):
    "Its checksum fits, as if somebody had made it"
    folder = copy(broken_off_run, tmp_path)
    refused(folder, rewritten(folder, change))


def test_code_in_a_checkpoint_does_not_run(broken_off_run, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "trapped"),)

    folder = copy(broken_off_run, tmp_path)
    refused(folder, rewritten(folder, lambda about, state: state.update(extra=Trap())))
    assert not (tmp_path / "trapped").exists()


# Results are not trusted either


def resealed(path, change):
    there = json.loads(path.read_text())
    there.pop("sha256")
    change(there)
    there["sha256"] = sha256(json.dumps(there, sort_keys=True, ensure_ascii=False).encode())
    path.write_text(json.dumps(there))


@pytest.mark.parametrize(
    "how", ["empty", "truncated", "text", "nested", "bit", "config", "thresholds", "valid", "row", "keys", "score"]
)
def test_changed_row_json_is_refused(finished_run, tmp_path, how):
    folder = copy(finished_run, tmp_path)
    (folder / "runs.csv").unlink()
    path = only(folder) / "row.json"
    if how == "bit":
        path.write_text(path.read_text().replace('"seed": 1', '"seed": 3', 1))
    elif how == "config":
        resealed(path, lambda r: r["config"].update(lr="x"))
    elif how == "thresholds":
        resealed(path, lambda r: r.update(thresholds=[2.0] * 11))
    elif how == "valid":
        resealed(path, lambda r: r.update(valid=[1]))
    elif how == "row":
        resealed(path, lambda r: r["row"].update(seed=9))
    elif how == "keys":
        resealed(path, lambda r: r.pop("files"))
    elif how == "score":
        resealed(path, lambda r: r["row"].update(mAP=7))
    else:
        damaged(path, how)
    refused(folder, path)


def test_row_json_of_another_run_or_an_earlier_version_is_refused(finished_run, tmp_path):
    folder = copy(finished_run, tmp_path)
    (folder / "runs.csv").unlink()
    run = Finished.of_folder(only(folder)).run
    (only(folder)).rename(Run(**{**asdict(run), "seed": 2}).folder(folder / "runs"))
    with pytest.raises(DataError, match="another run.*delete"):
        train(folder, "--seed", "2")
    path = only(folder) / "row.json"
    path.write_text(json.dumps(dict(config=dict(method="baseline"), row={}, thresholds=[], valid=[])))
    with pytest.raises(DataError, match="earlier version; delete"):
        Finished.of_folder(only(folder))
    with pytest.raises(DataError, match="not a finished run"):
        Finished.of_folder(tmp_path / "best")


@pytest.mark.parametrize("name", ["model.safetensors", "test_logits.npz"])
def test_changed_weights_and_logits_are_noticed(finished_run, tmp_path, name):
    folder = copy(finished_run, tmp_path)
    there = Finished.of_folder(only(folder))
    data = bytearray((there.folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (there.folder / name).write_bytes(data)
    with pytest.raises(DataError, match="damaged.*delete"):
        there.file(name)
    if name == "model.safetensors":
        with pytest.raises(DataError, match="damaged"):
            load_weights(torch.nn.Linear(1, 1), there)


def test_weights_of_another_network_are_refused(finished_run):
    with pytest.raises(DataError, match="not the weights of this network"):
        load_weights(torch.nn.Linear(1, 1), Finished.of_folder(only(finished_run)))


# What is refused before anything is trained


@pytest.mark.parametrize(
    "args, word",
    [
        (["--arch", "resnet99"], "resnet99"),
        (["--arch", "vit_b_16"], "vit_b_16"),
        (["--epochs", "0"], "epochs"),
        (["--bs", "1"], "bs"),
        (["--lr", "nan"], "lr"),
        (["--size", "8"], "size"),
        (["--seed", "-1"], "seed"),
        (["--freeze-epochs", "-1"], "freeze_epochs"),
        (["--jobs", "0"], "--jobs is 0"),
        (["--jobs", "-1", "--seed", "1", "2"], "--jobs is -1"),
    ],
)
def test_bad_arguments(tmp_path, args, word):
    with pytest.raises(DataError, match=word):
        train(tmp_path, *args)
    assert not list(tmp_path.iterdir())


def test_unknown_method_names_those_there_are(tmp_path):
    with pytest.raises(DataError, match="magic.*ls_v2"):
        train(tmp_path, "--method", "magic")


@pytest.mark.parametrize(
    "make, word",
    [(lambda p: p.write_text("a,b\n1,2\n"), "columns"), (lambda p: p.mkdir(), "folder"), (os.mkfifo, "pipe")],
)
def test_table_that_is_none_is_refused_before_training(tmp_path, make, word):
    make(tmp_path / "runs.csv")
    with pytest.raises(DataError, match=f"runs.csv.*{word}"):
        train(tmp_path)
    assert not (tmp_path / "runs").exists()


# What it learns from


def set_up_of(source, method="baseline"):
    job = Job(Run(method=method, data="toy", size=32, bs=16, label_source=source))
    return set_up(job, METHODS[method], load_tiles("toy"))


def entries(items):
    "What the label files say of tiles: complete labels, doubt and folder, each of shape (tiles, classes)"
    complete = read_complete(labels_folder("toy") / "complete.csv").loc[items.file]
    return *(encode_labels(complete[c]).numpy() for c in complete), source_targets(items, "folder")


def test_each_source_has_its_targets_and_the_same_validation():
    kept = {}
    for source in ("folder", "rounds", "complete"):
        setup = set_up_of(source)
        dls, loss = setup.dls, setup.settings["loss_func"]
        assert isinstance(loss, AssumeNegative) and loss.skip_nan
        items, valid = (ds.items.reset_index(drop=True) for ds in (dls.train_ds, dls.valid_ds))
        assert validation_fifth(valid).all() and not validation_fifth(items).any()
        truth, doubt, _ = entries(valid)
        assert doubt.any() and np.isnan(dls.valid.targets.numpy()[doubt == 1]).all()
        assert (dls.valid.targets.numpy()[doubt == 0] == truth[doubt == 0]).all()
        kept[source] = dls.train.targets.numpy()
    truth, doubt, named = entries(items)
    assert (kept["folder"] == named).all()
    assert np.array_equal(kept["complete"], np.where(doubt == 1, np.nan, truth), equal_nan=True)
    there, known = encode_known(load_tiles("toy", labels="rounds").set_index("file").loc[items.file])
    assert (kept["rounds"] == np.where(known, there, named)).all() and (kept["rounds"] != named).any()
    assert known.any(1).sum() > known.all(1).sum() > 0  # of the rounds and of the small set


def test_methods_that_correct_labels_know_what_their_source_does():
    for source in ("folder", "complete"):
        setup = set_up_of(source, "corrected")
        dls, change = setup.dls, setup.settings
        truth, doubt, named = entries(dls.train_ds.items)
        loss, small = change["loss_func"], (dls.train_ds.items.set == "small").to_numpy()
        if source == "complete":
            assert (loss.weights.numpy() == (doubt == 0)).all() and (loss.targets.numpy() == truth)[doubt == 0].all()
        else:
            assert (loss.targets.numpy()[~small] == named[~small]).all()
            assert (loss.targets.numpy() == truth)[small][doubt[small] == 0].all()


def test_without_a_source_nothing_is_other_than_it_was():
    setup = set_up_of("")
    plain = tile_dls(training_tiles(load_tiles("toy")), 32, 16)
    for ours, theirs in zip(setup.dls, plain):
        assert torch.equal(ours.targets, theirs.targets) and ours.items.file.tolist() == theirs.items.file.tolist()
    assert setup.settings == {} and setup.thresholds is fit._usual_thresholds


def test_a_run_on_complete_labels(tmp_path, finished_run, monkeypatch):
    scored = []

    def watched(probs, truth):
        scored.append((probs, truth))
        return mean_ap(probs, truth)

    monkeypatch.setattr(fit, "mean_ap", watched)
    train(tmp_path, "--labels", "complete", "--epochs", "1")
    (row,) = rows(tmp_path)
    there = Finished.of_folder(only(tmp_path))
    assert row["label_source"] == there.run.label_source == "complete" and "-complete-" in there.folder.name
    assert row["labels_sha256"] == short_hash(*label_files("toy", "complete"))
    assert row["labels_sha256"] != rows(finished_run)[0]["labels_sha256"]
    tiles = training_tiles(load_tiles("toy"))
    assert there.valid == tiles.file[validation_fifth(tiles)].tolist()
    probs, truth = scored[-1]
    labels, doubt, _ = entries(pd.DataFrame(dict(file=there.valid, folder="Other")))
    assert np.array_equal(truth, np.where(doubt == 1, np.nan, labels), equal_nan=True)
    assert float(row["valid_mAP"]) == round(mean_ap(probs, truth), 4)
    train(tmp_path, "--labels", "complete", "--epochs", "1")
    assert rows(tmp_path) == [row]


def test_average_precision_leaves_out_what_is_unknown():
    rng = np.random.default_rng(0)
    probs, truth = rng.random((40, 2)), rng.integers(0, 2, (40, 2)).astype(float)
    unknown = np.zeros_like(truth, dtype=bool)
    unknown[:9, 0] = True
    found = ap_per_class(probs, np.where(unknown, np.nan, truth))
    assert found.tolist() == [ap_per_class(probs[9:], truth[9:])[0], ap_per_class(probs, truth)[1]]


def test_thresholds_of_complete_labels_predict_a_class_as_often_as_it_occurs():
    "One folder is to count three times as much as in validation; what is in doubt has a score that would mislead"
    rng = np.random.default_rng(0)
    folders = np.array(["a", "b"] * 500)
    truth = (rng.random((1000, 11)) < np.where(folders == "a", 0.6, 0.1)[:, None]).astype(float)
    probs = rng.random((1000, 11))
    like = pd.Series(["a"] * 3 + ["b"])
    cut = complete_thresholds(probs, truth, folders, like)
    weights = np.where(folders == "a", 0.75, 0.25)[:, None]
    said, there = ((weights * v).sum(0) / weights.sum() for v in (probs > cut, truth))
    assert np.abs(said - there).max() < 0.01
    more = np.concatenate([probs, np.ones((300, 11))]), np.concatenate([truth, np.full((300, 11), np.nan)])
    again = complete_thresholds(*more, np.concatenate([folders, np.array(["a", "b"] * 150)]), like)
    assert np.allclose(cut, again, atol=0.005)  # one tile further, where two weights were rounded differently


# The tiles, and the CPU


def test_no_test_tile_is_trained_on(toy_root):
    table = load_tiles("toy")
    dls = tile_dls(training_tiles(table), 32, 16)
    used = set(dls.train_ds.items.file) | set(dls.valid_ds.items.file)
    assert used and not used & set(table.file[table.set == "test"])
    a, b = (set(ds.items.duplicate_group) - {""} for ds in (dls.train_ds, dls.valid_ds))
    assert a and not a & b


def test_falls_back_without_bf16_and_says_so_once(monkeypatch, capsys):
    monkeypatch.setattr(cpu, "cpu_has_bf16", lambda: False)
    monkeypatch.setattr(FastCPU, "told", False)
    dls = tile_dls(training_tiles(load_tiles("toy")), 32, 16)
    for _ in range(2):
        net = torch.nn.Sequential(torch.nn.Conv2d(3, 11, 3, 2), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
        learn = Learner(dls, net, BCEWithLogitsLossFlat(), cbs=FastCPU())
        with learn.no_bar(), learn.no_logging():
            learn.fit(1, 1e-3)
        assert not learn.fast_cpu.bf16
    assert capsys.readouterr().out.count("no bf16") == 1


def test_wide_depthwise_convolutions_stay_in_float32():
    def depthwise(side):
        return torch.nn.Conv2d(4, 4, side, padding=side // 2, groups=4)

    net = torch.nn.ModuleList([depthwise(3), depthwise(5), depthwise(7), torch.nn.Conv2d(4, 4, 5, padding=2)])
    spared = cpu.spare_wide_depthwise(net)
    x = torch.rand(2, 4, 9, 9)
    exact = [layer._conv_forward(x, layer.weight, layer.bias) for layer in net]
    with torch.autocast("cpu", torch.bfloat16):
        said = [layer(x) for layer in net]
    assert [y.dtype for y in said] == [torch.bfloat16, torch.float32, torch.float32, torch.bfloat16]
    assert spared == list(net[1:3]) and all(torch.equal(said[i], exact[i]) for i in (1, 2))


def test_a_wide_convolution_that_pads_by_itself_does_so_in_float32():
    "TensorFlow's networks in timm, such as tf_efficientnet_lite0: without their padding each lost rows and columns"
    net = torch.nn.Sequential(Conv2dSame(4, 4, 5, stride=2, groups=4))
    x = torch.randn(1, 4, 8, 8)
    want = net(x)
    assert len(cpu.spare_wide_depthwise(net)) == 1
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(net(x), want) and want.shape == (1, 4, 4, 4)


class Interrupt(Callback):
    order = 11  # after `FastCPU` began a batch

    def before_batch(self):
        raise KeyboardInterrupt


def test_a_training_after_an_interrupted_one_learns():
    "Its bf16 stayed on, with the weights of that moment: all later trainings in the notebook ran, and learnt nothing"
    dls = tile_dls(training_tiles(load_tiles("toy")).head(64), 32, 16)
    first = Learner(dls, small_network(), BCEWithLogitsLossFlat(), cbs=[FastCPU(True), Interrupt()])
    with pytest.raises(KeyboardInterrupt), first.no_bar(), first.no_logging():
        first.fit(1, 1e-3)
    learn = Learner(dls, small_network(), BCEWithLogitsLossFlat(), cbs=FastCPU(True))
    x, _ = dls.one_batch()
    with learn.no_bar(), learn.no_logging():
        learn.fit(1, 1e-2)
        assert not torch.is_autocast_enabled("cpu")
        before = learn.model(x)
        learn.fit(2, 1e-2)
    assert not torch.allclose(learn.model(x), before)


def small_network():
    layers = [
        layer
        for i, o in ((3, 16), (16, 32), (32, 64))
        for layer in (torch.nn.Conv2d(i, o, 3, 2, 1), torch.nn.BatchNorm2d(o), torch.nn.ReLU())
    ]
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 11))


def test_bf16_is_within_the_spread_of_fp32():
    "On drawn tiles: the means over seeds differ by less than twice the spread that fp32 itself has"
    table = load_tiles("toy")
    test = table[table.set == "test"].reset_index(drop=True)
    truth, tiles = encode_labels(test.labels).numpy(), decode_tiles(test.path)
    fit = training_tiles(table)
    fit_tiles = decode_tiles(fit.path)

    def score(bf16, seed):
        set_seed(seed)
        dls = tile_dls(fit, 48, 16, tiles=fit_tiles)
        set_seed(seed)
        learn = Learner(dls, small_network(), BCEWithLogitsLossFlat(), cbs=FastCPU(bf16))
        with learn.no_bar(), learn.no_logging():
            learn.fit_one_cycle(6, 1e-2)
        return mean_ap(learner.predict_probs(learn, test, tiles), truth)

    fp32, bf16 = (np.array([score(b, s) for s in range(4)]) for b in (False, True))
    assert fp32.mean() > 0.2  # it has learnt something
    assert abs(fp32.mean() - bf16.mean()) < 2 * max(fp32.std(ddof=1), 0.01)


def test_scores_refuse_what_is_no_probability():
    truth = np.zeros((3, 11), dtype=int)
    for probs, word in ((np.full((3, 11), np.nan), "NaN"), (np.zeros((2, 11)), "tiles"), (np.zeros(3), "tiles")):
        with pytest.raises(ValueError, match=word):
            report(probs, truth)
    with pytest.raises(ValueError, match="0 or 1"):
        report(np.zeros((3, 11)), truth + 2)


def test_nothing_warns_of_what_is_usual(recwarn):
    """`recaptcha-train` printed two of Python's warnings: tiles that may not be written to, and means of nothing."""
    torch.set_warn_always(True)
    try:
        decode_tiles(load_tiles("toy").path[:1])
    finally:
        torch.set_warn_always(False)
    assert np.isnan(mean_ap(np.zeros((2, 11)), np.zeros((2, 11))))
    assert [str(warning.message) for warning in recwarn] == []
