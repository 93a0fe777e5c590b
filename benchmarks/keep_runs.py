"""Take what `gpu_runs.py` left in its folders into `results/`.

Usage: python benchmarks/keep_runs.py FOLDER [FOLDER …] [--arch mobilenet_v2 --seeds 3] [--results results]

Trials of the search become rows of `search.csv`. Runs with the settings that the search chose become rows of
`runs.csv`, and their logits of the test tiles a file each in `test_logits/`, in float16 as those of `recaptcha-train`.
What is there already stays as it is.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from gpu_runs import ARCHIVES, LITE0, ROWS, Plans

from recaptcha.files import DataError, written
from recaptcha.finished import logits_archive
from recaptcha.run import Run
from recaptcha.runtable import add_row, read_table

SETTINGS = "method", "arch", "size", "epochs", "freeze_epochs", "seed", "lr", "label_source", "hidden", "constants"
COMPARISONS = "small", "full", "hidden", "budget", "noise"


def settings_of(run):
    return tuple(getattr(run, name) for name in SETTINGS)


def planned(plans, names):
    "The settings of all runs of some plans"
    return {settings_of(Run(**wanted)) for name in names for wanted in getattr(plans, name)()}


def read_rows(folders):
    rows = pd.concat([read_table(folder / ROWS) for folder in folders], ignore_index=True)
    return rows.drop_duplicates("run")


def read_logits(folders):
    "Logits and thresholds of all runs, by the names that they have in the archives"
    kept = {}
    for folder in folders:
        with np.load(folder / ARCHIVES["test"], allow_pickle=False) as archive:
            kept |= {name: archive[name] for name in archive.files if name != "files"}
    return kept


def write_logits(run, kept, table):
    path = run.logits(table)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path, "wb") as file:
        file.write(logits_archive(kept[run.id], kept[f"{run.id}.thresholds"]))


def keep(folders, results, arch, seeds):
    "How many trials and how many runs the folders hold"
    rows, kept = read_rows(folders), read_logits(folders)
    plans = Plans(rows, arch, seeds)
    trials, compared = planned(plans, ["search"]), planned(plans, COMPARISONS)
    counts = dict(trials=0, runs=0)
    for row in rows.to_dict("records"):
        run = Run.of_row(row)
        if settings_of(run) in trials:
            add_row(results / "search.csv", row)
            counts["trials"] += 1
        if settings_of(run) in compared:
            write_logits(run, kept, results / "runs.csv")
            add_row(results / "runs.csv", row)
            counts["runs"] += 1
    return counts


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    p.add_argument("--arch", default=LITE0, help="architecture of the plans (default: %(default)s)")
    p.add_argument("--seeds", type=int, default=5, help="of each comparison (default: %(default)s)")
    p.add_argument("--results", type=Path, default=Path("results"), help="(default: %(default)s)")
    args = p.parse_args()
    counts = keep(args.folders, args.results, args.arch, args.seeds)
    print(f"{counts['trials']} trials in {args.results}/search.csv, {counts['runs']} runs in {args.results}/runs.csv")


if __name__ == "__main__":
    try:
        main()
    except DataError as e:
        raise SystemExit(f"keep_runs: {e}") from None
