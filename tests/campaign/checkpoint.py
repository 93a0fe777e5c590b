"""A checkpoint with bits the other way round, from which `recaptcha-train` is to go on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from mutate import flip
from watch import Fault, Part, command

ARGS = ("--data", "toy", "--size", "32", "--epochs", "3", "--seed", "5")
SAVED = 3  # the checkpoint after this many epochs of four


def train(runs: Path, **kwargs) -> subprocess.Popen:
    """The training whose checkpoint is damaged."""
    args = [
        sys.executable,
        "-m",
        "recaptcha",
        "train",
        *ARGS,
        "--runs",
        str(runs / "runs"),
        "--results",
        str(runs / "runs.csv"),
    ]
    return subprocess.Popen(args, cwd=runs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kwargs)


def same_weights(a: Path, b: Path) -> bool:
    """Did the trainings in two folders come to the same weights, bit by bit?"""
    from safetensors.numpy import load_file

    files = [sorted(f.glob("runs/*/model.safetensors")) for f in (a, b)]
    if [len(f) for f in files] != [1, 1]:
        return False
    first, second = (load_file(f[0]) for f in files)
    return first.keys() == second.keys() and all(first[k].tobytes() == second[k].tobytes() for k in first)


class Checkpoint(Part):
    """200 checkpoints: `recaptcha-train` refuses each, or comes to the same result where the bit means nothing."""

    count = 200
    patience = 120
    timed = False  # training takes its time

    def start(self):
        import recaptcha.train  # noqa: F401, so that the clock of the first case does not count it
        from recaptcha.tiles import load_tiles

        self.whole, self.killed = self.home / f"whole-{os.getpid()}", self.home / f"killed-{os.getpid()}"
        load_tiles("toy")
        for folder in (self.whole, self.killed):
            folder.mkdir()
        process = train(self.killed)
        self.path = self._wait(process)
        if train(self.whole).wait():
            raise SystemExit("the training that nobody disturbs failed")
        self.data = (self.killed / self.path).read_bytes()

    def _wait(self, process) -> Path:
        """Kill the training once it has saved `SAVED` checkpoints; the last one's place."""
        seen, path = [], None
        while len(seen) < SAVED:
            if process.poll() is not None:
                raise SystemExit(f"the training ended with {process.returncode} and {len(seen)} checkpoints")
            path = next(self.killed.glob("runs/*/checkpoint.pt"), None)
            if path and (now := path.stat().st_mtime_ns) not in seen:
                seen.append(now)
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return path.relative_to(self.killed)

    def draw(self, index, folder):
        rng = self.rng(index)
        shutil.copytree(self.killed, folder, dirs_exist_ok=True)
        part = rng.choice(
            [(0, None), (0, 5000), (0, 100_000), (len(self.data) - 100_000, None), (len(self.data) - 1000, None)]
        )
        (folder / self.path).write_bytes(flip(self.data, rng, 1, *part))

    def ask(self, index, folder):
        before = self._files(folder)
        code, out, err = command("train", *ARGS, "--runs", folder / "runs", "--results", folder / "runs.csv")
        lines = [line for line in err.splitlines() if line.startswith("recaptcha-train: ")]
        if code == 1 and len(lines) == 1 and "Traceback" not in err and lines[0] == err.splitlines()[-1]:
            if self._files(folder) != before:
                raise Fault("left", f"refused, with other files: {sorted(self._files(folder) ^ before)}")
            if "checkpoint" not in lines[0]:
                raise Fault("wrong", f"does not name the checkpoint: {lines[0]}")
            return "refused"
        if code:
            raise Fault("wrong", f"exit code {code}:\n{err[-2000:]}")
        if not same_weights(self.whole, folder):
            raise Fault("wrong", f"accepted in silence, to another result\n{out[-1000:]}")
        return "answered"

    @staticmethod
    def _files(folder) -> set:
        return {(str(p.relative_to(folder)), p.stat().st_size) for p in folder.rglob("*") if p.is_file()}
