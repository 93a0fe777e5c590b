"""Asks one input after another in a process of its own, which may hang or crash without ending the campaign."""

import faulthandler
import io
import multiprocessing
import os
import random
import shutil
import signal
import time
import traceback
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

SLOW = (
    5  # seconds of work, and of sleep, that an input may take, not counting time that other programs have the processor
)

GOOD = ("answered", "refused")


class Fault(Exception):
    """An input was not treated as it should have been: `kind` is a column of the table."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


class Hang(BaseException):
    """Raised in an input that takes too long; not an `Exception`, so that no decoder's handler takes it for its own."""


@dataclass
class Result:
    """What became of an input: `kind` is `answered`, `refused`, or a kind of `Fault`."""

    index: int
    kind: str
    note: str = ""
    busy: float = 0.0  # seconds of processor time


class Clock:
    """Seconds of work and of sleep since it was made."""

    def __init__(self):
        self.start = self._now()

    @staticmethod
    def _now():
        try:
            ran, queued, _ = map(int, Path("/proc/thread-self/schedstat").read_text().split())
        except OSError:  # not Linux: what other programs take counts as sleep
            ran, queued = time.process_time_ns(), 0
        return time.process_time(), time.monotonic() - (ran + queued) / 1e9

    def read(self) -> tuple[float, float]:
        return tuple(now - then for now, then in zip(self._now(), self.start))


class Part:
    """A part of the campaign. An input depends on the seed and its number alone, and lies in a folder of its own."""

    count = 1  # inputs of a full campaign
    patience = 30  # seconds after which an input is given up
    timed = True  # is more than `SLOW` a fault?

    def __init__(self, home: Path, seed: int):
        self.home, self.seed = home, seed
        (home / "inputs").mkdir(parents=True)

    def rng(self, index) -> random.Random:
        return random.Random(f"{self.seed} {type(self).__name__} {index}")

    def folder(self, index) -> Path:
        return self.home / "inputs" / str(index)

    def start(self):
        """What is needed once, in the process that asks."""

    def draw(self, index: int, folder: Path):
        """Write an input into an empty folder."""

    def ask(self, index: int, folder: Path) -> str:
        """Give the input to the code under test: `answered` or `refused`; `Fault` where it is neither."""

    def keep(self, index, note):
        """Move an input that failed to where it is not removed."""
        kept = self.home / "failures" / str(index)
        kept.parent.mkdir(exist_ok=True)
        self.folder(index).mkdir(exist_ok=True)
        self.folder(index).rename(kept)
        (kept / "WHY.txt").write_text(note + "\n", encoding="utf-8", errors="backslashreplace")


def command(name, *args) -> tuple[int, str, str]:
    """Run a command of the package in this process: exit code, standard output and standard error."""
    from recaptcha import cli

    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    code = 0
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        try:
            cli.run(name, [str(a) for a in args])
        except SystemExit as e:
            code = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
            if isinstance(e.code, str):
                streams[1].write(e.code + "\n")
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in streams)
    return code, out, err


def refusal(name, code, err) -> str:
    """`answered` or `refused`, from how a command ended; `Fault` where it said more, less or something else."""
    lines = err.splitlines()
    if code == 0 and not lines:
        return "answered"
    if code == 1 and len(lines) == 1 and lines[0].startswith(f"recaptcha-{name}: "):
        return "refused"
    raise Fault("wrong", f"exit code {code} and {len(lines)} lines on standard error:\n{err[-2000:]}")


@contextmanager
def _limited(seconds):
    def give_up(signum, frame):
        raise Hang(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ask(part, index, said) -> Result:
    folder = part.folder(index)
    folder.mkdir()
    part.draw(index, folder)
    said.seek(0, os.SEEK_END)
    clock = Clock()
    kind, note = "answered", ""
    try:
        with _limited(part.patience):
            kind = part.ask(index, folder)
    except Fault as e:
        kind, note = e.kind, str(e)
    except Hang:
        kind, note = "slow", traceback.format_exc()
    except BaseException:
        kind, note = "traceback", traceback.format_exc()
    busy, asleep = clock.read()
    written = said.read()
    if kind in GOOD and written:
        kind, note = "wrong", f"written past Python to standard error: {written[:2000]}"
    if kind in GOOD and part.timed and max(busy, asleep) > SLOW:
        kind, note = "slow", f"{busy:.1f} s of work, {asleep:.1f} s of sleep"
    return Result(index, kind, note, busy)


def _work(part, indices, pipe):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    said = open(part.home / "stderr.txt", "a+", errors="replace")
    terminal = os.dup(2)
    os.dup2(said.fileno(), 2)
    faulthandler.enable()
    part.start()
    pipe.send(None)
    for index in indices:
        result = _ask(part, index, said)
        if result.kind in GOOD:
            shutil.rmtree(part.folder(index), ignore_errors=True)
        else:
            part.keep(index, result.note)
        pipe.send(result)
    os.dup2(terminal, 2)


def _listen(part, waiting, pipe, child):
    """Results as they come, the last one about an input that hung or crashed, if one did."""
    limit = 600  # for `start`, which may import torch
    for index in [None, *waiting]:
        kind, note = "", ""
        try:
            if pipe.poll(limit):
                result = pipe.recv()
            else:
                kind, note = "slow", f"not done after {limit} s, nor did it let itself be interrupted"
        except EOFError:
            child.join()
            kind, note = "traceback", f"the process ended with {child.exitcode}: see {part.home / 'stderr.txt'}"
        if kind and index is None:
            raise SystemExit(f"{type(part).__name__}: could not start ({note})")
        if kind:
            part.keep(index, note)
            yield Result(index, kind, note)
            return
        limit = 2 * part.patience
        if result:
            yield result


def watched(part: Part, indices):
    """The `Result` of each input."""
    context = multiprocessing.get_context("fork")
    waiting = list(indices)
    while waiting:
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_work, args=(part, waiting, theirs))
        child.start()
        theirs.close()
        try:
            for result in _listen(part, list(waiting), ours, child):
                waiting.remove(result.index)
                yield result
        finally:
            if waiting:
                child.kill()
            child.join()
