"""Commands killed at any moment and started again: the same result, and nothing besides it."""

import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from watch import Fault, Part

TRAIN = ("--data", "toy", "--size", "32", "--epochs", "2", "--seed", "5")
TEMPORARY = "tmp/"  # where libraries put what they need; judged by its names alone
CHANGING = ("seconds", "commit", "device")  # columns of a run that need not be the same


@dataclass
class Job:
    """A command that writes into the folder it is started in, and what is known of it when nobody disturbs it."""

    name: str
    args: tuple
    package: Path  # the folder that holds the package
    given: dict = field(default_factory=dict)  # what lies in the folder before, a path by name
    result: dict = field(default_factory=dict)  # a digest by path, of the files it leaves
    temporary: set = field(default_factory=set)  # names in its folder for temporary files
    out: str = ""
    changes: list = field(default_factory=list)  # seconds after which another file was seen, the last when it ended

    def start(self, folder: Path) -> subprocess.Popen:
        """The command, its output in files beside the folder."""
        args = [sys.executable, "-m", "recaptcha", self.name, *self.args]
        places = dict(PYTHONPATH=self.package, TMPDIR=folder / "tmp", RECAPTCHA_DATA=folder / "data")
        env = {**os.environ, **{k: str(v) for k, v in places.items()}}
        streams = [open(f"{folder}.{s}", "w") for s in ("out", "err")]
        try:
            return subprocess.Popen(
                args, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=streams[0], stderr=streams[1]
            )
        finally:
            for stream in streams:
                stream.close()

    def prepare(self, folder: Path):
        (folder / "tmp").mkdir(parents=True)
        (folder / "data").mkdir()
        for name, path in self.given.items():
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, folder / name)


def _names(folder) -> frozenset:
    """Paths of what is in a folder that may be changing."""
    found, folders = set(), [str(folder)]
    while folders:
        try:
            for entry in os.scandir(folders.pop()):
                found.add((entry.path, entry.stat(follow_symlinks=False).st_size))
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
        except OSError:
            continue
    return frozenset(found)


def _digest(path: Path) -> str:
    """What a file holds, apart from times and what is stored in no order."""
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        content = b"".join(k.encode() + v.tobytes() for k, v in sorted(load_file(path).items()))
    elif path.suffix == ".npz":
        import numpy as np

        with np.load(path) as arrays:
            content = b"".join(k.encode() + arrays[k].tobytes() for k in sorted(arrays))
    elif path.name == "runs.csv":
        with open(path, newline="") as file:
            rows = [{k: v for k, v in row.items() if k not in CHANGING} for row in csv.DictReader(file)]
        content = json.dumps(rows).encode()
    elif path.name == "row.json":
        said = json.loads(path.read_text())
        content = json.dumps({k: v for k, v in said["row"].items() if k not in CHANGING}).encode()
    else:
        content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _result(folder: Path) -> dict:
    """A digest of each file by its path; of an unreadable one, what is the matter with it."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() or p.is_symlink()):
        name = str(path.relative_to(folder))
        if name.startswith(TEMPORARY):
            continue
        try:
            found[name] = _digest(path)
        except Exception as e:  # half a file, for one
            found[name] = f"unreadable: {e}"
    return found


def _watch(job: Job, folder: Path, process, until=None) -> list:
    """Seconds after which the folder changed, until the process ends; killed when `until(seconds, changes)` is true."""
    start, before, changes = time.monotonic(), _names(folder), []
    while process.poll() is None:
        now = time.monotonic() - start
        if (names := _names(folder)) != before:
            before = names
            changes.append(now)
        if until and until(now, changes):
            process.kill()
            process.wait()
            return changes
        if now > 600:
            process.kill()
            raise Fault("slow", f"recaptcha-{job.name} is not done after {now:.0f} s")
        time.sleep(0.005)
    return [*changes, time.monotonic() - start]


def _moment(rng: random.Random, changes: list):
    """When to kill: in half of the cases at any moment from the first change on, else soon after one of the changes."""
    first, last = changes[0], changes[-1]
    if rng.random() < 0.5:
        after = rng.uniform(-0.1, 1) * (last - first)
        return lambda now, seen: now > first + after if after < 0 else bool(seen) and now > seen[0] + after
    i = rng.randrange(len(changes) - 1) if rng.random() < 0.5 else max(0, len(changes) - 1 - rng.randint(1, 8))
    wait = rng.uniform(0, max(0.002, min(0.2, changes[i + 1] - changes[i]))) if i + 1 < len(changes) else 0
    return lambda now, seen: len(seen) > i and now > seen[i] + wait


class Kills(Part):
    """30 kills of a command, which is run to its end afterwards; of a training, several before it comes to its end."""

    count = 30
    patience = 1800
    timed = False

    def start(self):
        from recaptcha.toy import make_tiles

        base = self.home / f"base-{os.getpid()}"
        make_tiles(base / "toy", n=400)
        self.jobs = self.commands(base)
        for job in self.jobs:
            self._undisturbed(job, base / f"job-{self.jobs.index(job)}")

    def commands(self, base: Path) -> list[Job]:
        """What is killed, in turns; `base` holds the folder `toy` of drawn tiles, and takes more."""
        raise NotImplementedError

    @staticmethod
    def _undisturbed(job, folder):
        job.prepare(folder)
        before = _result(folder)
        process = job.start(folder)
        job.changes = _watch(job, folder, process)
        if process.returncode:
            raise SystemExit(f"recaptcha-{job.name} fails undisturbed: {Path(f'{folder}.err').read_text()[-2000:]}")
        job.result, job.out = _result(folder), Path(f"{folder}.out").read_text()
        job.temporary = set(os.listdir(folder / TEMPORARY))
        if job.result == before and "--force" not in job.args:
            raise SystemExit(f"recaptcha-{job.name} leaves nothing")

    def draw(self, index, folder):
        """Nothing: what is killed is killed in `ask`, which is what takes the time."""

    def ask(self, index, folder):
        rng, job = self.rng(index), self.jobs[index % len(self.jobs)]
        place = folder / "work"
        kept = self.home / "going-on"  # a training that was killed, for the next kill
        if job.name == "train" and kept.is_dir():
            kept.rename(place)
        else:
            job.prepare(place)
        self._kill(job, place, rng)
        self._whole_or_absent(job, place)
        if job.name == "train" and rng.random() < 0.7:
            place.rename(kept)
            return "answered"
        process = job.start(place)
        _watch(job, place, process)
        self._complete(job, place, process.returncode)
        return "answered"

    def _kill(self, job, place, rng):
        """Kill the command in its course; where it ends before, look at what it left, and start anew."""
        while True:
            process = job.start(place)
            _watch(job, place, process, _moment(rng, job.changes))
            if process.returncode == -signal.SIGKILL:
                return
            self._complete(job, place, process.returncode)
            shutil.rmtree(place)
            job.prepare(place)

    @staticmethod
    def _whole_or_absent(job, place):
        """A file at its final place is complete, and so is the folder of tiles, however the command ended."""
        loose = ("checkpoint.pt", "lock", "log.txt")
        result = _result(place)
        half = [n for n, d in result.items() if n in job.result and d != job.result[n] and Path(n).name not in loose]
        if half:
            raise Fault("wrong", f"recaptcha-{job.name}, killed, leaves half of {half}: {[result[n] for n in half]}")
        tiles = sorted(n for n in job.result if n.startswith("home/tiles/"))
        if missing := [n for n in tiles if n not in result]:
            if len(missing) < len(tiles):
                raise Fault("wrong", f"recaptcha-{job.name}, killed: {len(missing)} of {len(tiles)} tiles are missing")

    @staticmethod
    def _complete(job, place, code):
        err = Path(f"{place}.err").read_text(errors="replace")
        if code or "Traceback" in err:
            kind = "traceback" if "Traceback" in err else "wrong"
            raise Fault(kind, f"recaptcha-{job.name} after a kill: exit code {code}\n{err[-2000:]}")
        result = _result(place)
        if extra := sorted(result.keys() - job.result.keys()):
            raise Fault("left", f"recaptcha-{job.name} after a kill: left over {extra}")
        if other := sorted(n for n in job.result if result.get(n) != job.result[n]):
            raise Fault("wrong", f"recaptcha-{job.name} after a kill: other than undisturbed: {other}")
        folders = [str(p) for p in place.rglob("*") if p.is_dir() and p.name.endswith(".partial")]
        folders += sorted(set(os.listdir(place / TEMPORARY)) - job.temporary)
        if folders:
            raise Fault("left", f"recaptcha-{job.name} after a kill: left over {folders}")
        if job.name == "predict" and Path(f"{place}.out").read_text() != job.out:
            raise Fault("wrong", f"recaptcha-{job.name} after a kill: says something else than undisturbed")


def _package() -> Path:
    import recaptcha

    return Path(recaptcha.__file__).parent


class KillCollect(Kills):
    """Kills of `recaptcha-collect`, with tiles in their place already and without."""

    def commands(self, base):
        toy, package = base / "toy", base / "package" / "recaptcha"
        shutil.copytree(_package(), package, ignore=shutil.ignore_patterns("labels", "__pycache__"))
        shutil.copytree(toy / "labels", package / "labels")  # of drawn tiles, for what checks the tiles
        shutil.copyfile(toy / "manifest.csv", package / "labels" / "manifest.csv")
        args = ("--to", "home", "--url", self._archive(base).as_uri())
        given = {"home": base / "job-0" / "home"}  # what the first of the two leaves
        return [Job("collect", args, package.parent), Job("collect", (*args, "--force"), package.parent, given)]

    @staticmethod
    def _archive(base) -> Path:
        path = base / "archive.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for tile in sorted((base / "toy").glob("Large/*/*")):
                archive.write(tile, f"main/{tile.relative_to(base / 'toy')}")
            archive.writestr("main/LICENSE", "MIT\n")
        return path


class KillTrain(Kills):
    """Kills of `recaptcha-train`."""

    def commands(self, base):
        args = (*TRAIN, "--runs", "runs", "--results", "results/runs.csv")
        return [Job("train", args, _package().parent, {"data/toy": base / "toy"})]


class KillPredict(Kills):
    """Kills of `recaptcha-predict`, of a folder of tiles and of pictures whose answers are drawn."""

    def commands(self, base):
        from recaptcha.compose import compose
        from recaptcha.pictures import open_tile

        (base / "pictures").mkdir()
        tiles = [open_tile(p) for p in sorted((base / "toy").glob("Large/*/*"))[:108]]
        for i in range(12):
            im, _ = compose(tiles[9 * i : 9 * i + 9], gutter=4, margin=7)
            im.save(base / "pictures" / f"{i}.png")
        drawn = ("pictures", "--target", "cars", "--json", "--save", "answers")
        return [
            Job(
                "predict",
                ("--tiles", "tiles", "--csv", "out.csv"),
                _package().parent,
                {"tiles": base / "toy" / "Large"},
            ),
            Job("predict", drawn, _package().parent, {"pictures": base / "pictures"}),
        ]
