"""Fuzzes the commands: damaged pictures, archives, models and checkpoints, and commands killed at any moment.

    python tests/campaign pictures archives model checkpoint kills      the whole campaign, about an hour on one core
    python tests/campaign pictures --count 300                          a part of it
    python tests/campaign pictures --first 1234 --count 1               one input again

Every input comes from the seed and its number. It draws its own tiles, needs no network and no variable, and writes
into a folder of its own alone, which is removed where nothing failed. It prints a table with a row for each part, and
ends with exit code 1 where anything failed; what did is kept.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from importlib import import_module
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tqdm import tqdm  # noqa: E402
from watch import watched  # noqa: E402

PARTS = {
    "pictures": "pictures.Pictures",
    "archives": "archives.Archives",
    "model": "model.Model",
    "checkpoint": "checkpoint.Checkpoint",
    "kill-collect": "kills.KillCollect",
    "kill-train": "kills.KillTrain",
    "kill-predict": "kills.KillPredict",
}
KILLS = [name for name in PARTS if name.startswith("kill-")]
KINDS = {"traceback": "tracebacks", "slow": "slower than 5 s", "wrong": "otherwise wrong", "left": "leftovers"}


def isolate(home: Path):
    """Variables of this process and those it starts: no settings, no network, no files outside `home`."""
    for name in [n for n in os.environ if n.startswith("RECAPTCHA_") or n.lower().endswith("_proxy")]:
        del os.environ[name]
    (home / "tmp").mkdir()
    places = dict.fromkeys(["HOME", "XDG_CACHE_HOME", "TORCH_HOME", "MPLCONFIGDIR"], str(home / "user"))
    os.environ.update(places, TMPDIR=str(home / "tmp"), RECAPTCHA_DATA=str(home / "data"))
    os.environ.update(http_proxy="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9")  # nobody listens there
    os.environ.update(OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
    os.environ["PYTHONPATH"] = sys.path[0]
    tempfile.tempdir = None


def campaign(name, home, args) -> Counter:
    """Ask one part's inputs; counts of `Result.kind`."""
    module, kind = PARTS[name].split(".")
    part = getattr(import_module(module), kind)(home / name, args.seed)
    count = part.count if args.count is None else args.count
    counts, start, slowest = Counter(), time.monotonic(), 0
    results = watched(part, range(args.first, args.first + count))
    for result in tqdm(results, total=count, desc=name, disable=None):
        counts[result.kind] += 1
        slowest = max(slowest, result.busy)
        if result.kind in KINDS:
            lines = [line for line in result.note.splitlines() if line.strip()] or [""]
            said = lines[-1] if result.kind == "traceback" else " ".join(lines)
            print(f"  {name} {result.index}: {result.kind}: {said[:200]}", flush=True)
    seconds = time.monotonic() - start
    print(f"{name}: {seconds:.0f} s, the slowest input took {slowest:.1f} s of processor time", flush=True)
    return counts


def table(rows: dict) -> str:
    """Counts of each part as a Markdown table."""
    head = ["part", "inputs", "answered", "refused", *KINDS.values()]
    lines = [head, ["---"] * len(head)]
    lines += [[n, c.total(), c["answered"], c["refused"], *(c[k] for k in KINDS)] for n, c in rows.items()]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def main(argv=None):
    kind = argparse.RawDescriptionHelpFormatter
    p = argparse.ArgumentParser("python tests/campaign", description=__doc__, formatter_class=kind)
    known = f"of {', '.join(PARTS)}; kills: all three of these"
    p.add_argument("parts", nargs="+", choices=[*PARTS, "kills"], metavar="PART", help=known)
    p.add_argument("--count", type=int, help="inputs (default: those of a full campaign)")
    p.add_argument("--first", type=int, default=0, help="number of the first input (default: 0)")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the process that asks ends as well
    home = Path(tempfile.mkdtemp(prefix="recaptcha-campaign-"))
    isolate(home)
    names = [name for part in args.parts for name in (KILLS if part == "kills" else [part])]
    rows = {name: campaign(name, home, args) for name in dict.fromkeys(names)}
    print(table(rows))
    failed = any(counts[kind] for counts in rows.values() for kind in KINDS)
    if failed:
        print(f"What failed is in {home}/*/failures, each with WHY.txt")
    else:
        shutil.rmtree(home)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
