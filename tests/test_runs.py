"""Sweeps over methods and seeds: what they skip, a kill, a signal, a run that fails; and two processes against one."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from train_kit import SMALL, rows, start, train, wait_for

from recaptcha import train as runs
from recaptcha.cli import guard
from recaptcha.finished import write_sealed
from recaptcha.methods import planned
from recaptcha.tiles import DataError
from recaptcha.train import Child, epochs_done, sweep

pytestmark = pytest.mark.usefixtures("a_machine_of_its_own")


def runs_of(*seeds, **settings):
    return [
        planned(**{**dict(data="toy", size=32, epochs=2, arch="test_efficientnet"), **settings, "seed": s})
        for s in seeds
    ]


def children_of(pid):
    "Processes below a process that are trainings, by number"
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    parts = [line.split(maxsplit=2) for line in listed.splitlines()]
    return [int(number) for number, parent, command in parts if int(parent) == pid and "recaptcha train" in command]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_sweep_ends_with_its_children_and_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    "SIGTERM to the sweep, this process, in the middle of two trainings; the same command again, twice"
    args = ["--method", "baseline", "ll_r", "--epochs", "4", "--jobs", "2"]
    children = []

    def terminate():
        wait_for(lambda: list(tmp_path.rglob("checkpoint.pt")))
        children.extend(children_of(os.getpid()))
        os.kill(os.getpid(), signal.SIGTERM)

    killer = threading.Thread(target=terminate)
    killer.start()
    with pytest.raises(SystemExit) as end, guard("recaptcha-train"):
        train(tmp_path, *args)
    killer.join()
    assert end.value.code == 143 and len(children) == 2 and not any(map(alive, children))
    assert "0 of 2 runs are in" in capsys.readouterr().out and not list(tmp_path.rglob("*.partial"))

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)  # a bar is for a terminal alone
    train(tmp_path, *args)
    logs = [path.read_text() for path in tmp_path.rglob("log.txt")]
    assert len(logs) == 2 and any("continuing after epoch" in log for log in logs)
    assert "100%" in capsys.readouterr().err  # the bar ends full
    after = rows(tmp_path)
    assert sorted(r["method"] for r in after) == ["baseline", "ll_r"]
    train(tmp_path, *args)
    assert "2 of 2 runs are in" in capsys.readouterr().out and rows(tmp_path) == after


@pytest.fixture
def stand_ins(monkeypatch):
    """Processes of a sweep that do no training: Python that ends as `ends` says for a seed, or sleeps; and what was
    started
    """
    started, ends = [], {}

    def popen(command, **kwargs):
        seed = command[command.index("--seed") + 1]
        process = real([sys.executable, "-S", "-c", ends.get(seed, "import time; time.sleep(60)")], **kwargs)
        started.append((command, process, kwargs["env"]["OMP_NUM_THREADS"]))
        return process

    real = subprocess.Popen
    monkeypatch.setattr(runs.subprocess, "Popen", popen)
    yield started, ends
    for _, process, _ in started:
        process.kill()


@pytest.mark.parametrize("signal_as", [KeyboardInterrupt, SystemExit(143)])
def test_no_child_stays_behind(tmp_path, stand_ins, monkeypatch, signal_as):
    def interrupted(seconds):
        raise signal_as

    monkeypatch.setattr(runs.time, "sleep", interrupted)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        sweep(runs_of(1, 2, 3), tmp_path / "runs", tmp_path / "runs.csv", jobs=2)
    assert len(stand_ins[0]) == 2 and all(process.poll() is not None for _, process, _ in stand_ins[0])


def test_a_child_that_ignores_a_signal_is_killed(tmp_path, monkeypatch):
    process = subprocess.Popen(
        [
            sys.executable,
            "-S",
            "-c",
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    wait = process.wait
    monkeypatch.setattr(process, "wait", lambda timeout=None: wait(timeout and 0.2))
    Child(runs_of(1)[0], tmp_path, process, 0).stop()
    assert process.returncode == -signal.SIGKILL


def test_a_sweep_has_as_many_threads_as_asked_for(tmp_path, stand_ins, monkeypatch):
    "Two threads beside another busy process wait for each other: a run took twenty times as long"
    started, ends = stand_ins
    ends["1"] = ""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    sweep(runs_of(1), tmp_path / "runs", tmp_path / "runs.csv", jobs=1)
    assert [threads for _, _, threads in started] == ["1"]


def test_a_run_that_fails_takes_no_other_with_it(tmp_path, stand_ins, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    started, ends = stand_ins
    ends.update({"1": "print('something is wrong'); raise SystemExit(1)", "2": "", "3": ""})
    wrong = sweep(runs_of(1, 2, 3, 3), tmp_path / "runs", tmp_path / "runs.csv", jobs=2)
    assert len(wrong) == 1 and wrong[0].endswith("log.txt: something is wrong") and runs_of(1)[0].name in wrong[0]
    assert len(started) == 3  # the same run twice is one
    assert {threads for _, _, threads in started} == {str(max(1, os.cpu_count() // 2))}
    for command, _, _ in started:
        assert command[1:6] == ["-W", "ignore", "-m", "recaptcha", "train"] and "--fp32" not in command


def test_a_failure_is_the_command_s_failure(tmp_path, stand_ins):
    stand_ins[1].update({"1": "print('something is wrong'); raise SystemExit(1)", "2": ""})
    with pytest.raises(DataError, match="log.txt: something is wrong$"):
        train(tmp_path, "--seed", "1", "2")


def test_a_sweep_skips_what_is_done_and_nothing_else(finished_run, tmp_path, stand_ins, capsys):
    "Runs that differ in how epochs are shared out, or in arithmetic, were taken for done"
    started, ends = stand_ins
    ends.update({"1": "", "2": ""})
    for args in ([], ["--freeze-epochs", "2", "--epochs", "1"], ["--fp32"], ["--lr", ".02"]):
        started.clear()
        results = tmp_path / "runs.csv"
        results.write_text((finished_run / "runs.csv").read_text())
        train(tmp_path, "--seed", "1", "2", *args)
        done = 0 if args else 1
        assert f"{done} of 2 runs are in" in capsys.readouterr().out and len(started) == 2 - done, args


def test_a_finished_run_comes_into_another_table_too(finished_run, tmp_path):
    "It was `trained already`, and a sweep with another table asked for it for ever"
    from recaptcha.train import main

    main([*SMALL, "--runs", str(finished_run / "runs"), "--results", str(tmp_path / "other.csv")])
    assert (tmp_path / "other.csv").read_text() == (finished_run / "runs.csv").read_text()


@pytest.mark.parametrize("jobs", [0, -1])
def test_jobs_that_make_no_sense(tmp_path, jobs):
    with pytest.raises(DataError, match="at least 1"):
        sweep(runs_of(1), tmp_path / "runs", tmp_path / "runs.csv", jobs=jobs)


def test_a_damaged_table_stops_a_sweep_before_it_starts(tmp_path, stand_ins):
    (tmp_path / "runs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="columns"):
        train(tmp_path, "--seed", "1", "2")
    assert not stand_ins[0]


def test_epochs_are_counted_from_the_checkpoint(tmp_path):
    assert epochs_done(tmp_path) == 0
    for about, done in (
        (dict(phase=0, epoch=1), 1),
        (dict(phase=1, epoch=2), 5),
        (dict(phase=1), 0),
        (dict(phase=1, epoch=2, config=7), 0),
        (dict(phase=0, epoch="1"), 0),
        (dict(phase=0, epoch=[1]), 0),
    ):
        write_sealed(tmp_path / "checkpoint.pt", b"", **{"config": dict(freeze_epochs=3), **about})
        assert epochs_done(tmp_path) == done
    (tmp_path / "checkpoint.pt").write_bytes(b"\xff")
    assert epochs_done(tmp_path) == 0  # the run itself will say what is wrong


# Several processes


def accelerate(n):
    "`accelerate launch` as the help says it; it starts several processes for several GPUs only, and they find none"
    return [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",
        "--num_processes",
        str(n),
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--main_process_port",
        "0",
        "-m",
        "recaptcha",
        "train",
    ]


def test_two_processes_equal_one_within_the_spread(tmp_path):
    spread = ["--epochs", "6", "--bs", "16"]
    process = start(tmp_path / "two", *spread, command=accelerate(2))
    for seed in "123":
        train(tmp_path / "one", *spread, "--seed", seed)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    ones = [float(r["valid_mAP"]) for r in rows(tmp_path / "one")]
    (two,) = rows(tmp_path / "two")
    spread = max(ones) - min(ones)
    assert min(ones) - 2 * spread <= float(two["valid_mAP"]) <= max(ones) + 2 * spread
    assert float(two["mAP"]) > 0.15  # it has learnt something


@pytest.mark.parametrize("args, word", [(["--seed", "1", "2"], "one run"), (["--method", "role"], "one process")])
def test_what_several_processes_refuse(tmp_path, monkeypatch, args, word):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(DataError, match=word):
        train(tmp_path, *args)
