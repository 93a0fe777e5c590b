"""What the tests of training share: drawn tiles, no network, a run that is done and one that was broken off."""

import csv
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from recaptcha import checkpoints
from recaptcha.train import main

SMALL = ["--data", "toy", "--size", "32", "--epochs", "2", "--arch", "test_efficientnet"]  # timm's smallest network


def set_up(home, monkeypatch):
    def no_network(*args, **kwargs):
        raise AssertionError("a network was asked for")

    for name in (
        "RECAPTCHA_WEIGHTS",
        "RECAPTCHA_RUN",
        "RECAPTCHA_TRAIN",
        "RECAPTCHA_DATA_URL",
        "WORLD_SIZE",
        "RANK",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RECAPTCHA_DATA", str(home))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    torch.set_num_threads(1)


def where(folder):
    return ["--runs", str(folder / "runs"), "--results", str(folder / "runs.csv")]


def train(folder, *args):
    "`recaptcha-train` in this process"
    main([*SMALL, *where(folder), *args])


def start(folder, *args, command=(sys.executable, "-m", "recaptcha", "train")):
    "`recaptcha-train` as a process, and the leader of a group of processes"
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [*command, *SMALL, *where(folder), *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def rows(folder):
    return list(csv.DictReader(open(folder / "runs.csv")))


def only(folder, pattern="*"):
    "The one run in a folder of runs"
    (run,) = (folder / "runs").glob(pattern)
    return run


def wait_for(condition, seconds=240):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, "waited too long"
        time.sleep(0.05)


def break_off(folder, *args, phase=1, epoch=1):
    "`train`, ended when the checkpoint of that epoch is written, as Ctrl-C would end it"

    def write_and_end(callback, write=checkpoints.Checkpoint.after_epoch):
        write(callback)
        if (callback.phase, callback.epoch + 1) == (phase, epoch):
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoints.Checkpoint, "after_epoch", write_and_end)
        train(folder, *args)


def copy(folder, to) -> Path:
    return Path(shutil.copytree(folder, to / folder.name))
