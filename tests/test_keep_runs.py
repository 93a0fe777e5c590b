"""`benchmarks/keep_runs.py`: trials go to one table, runs that they chose to the other, with their logits"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import gpu_runs
import keep_runs

from recaptcha.finished import read_logits
from recaptcha.run import Run
from recaptcha.runtable import COLUMNS, add_row, read_table

SCORES = dict.fromkeys(("mAP", "F1", "solved", "solved_1err"), 0.5)


def finished(folder, plan, best_rate):
    "Runs of a plan as `gpu_runs.py` leaves them; one rate validates best"
    archive = dict(files=np.array(["a", "b"]))
    for wanted in plan:
        run = Run(**wanted, labels="0123456789ab")
        about = dict(device="cpu", seconds=1, commit="abc", pretrained=True, accuracy_multi=0.9)
        row = dict(run.columns(), **SCORES, **about, valid_mAP=0.6 if run.lr == best_rate else 0.5)
        add_row(folder / "rows.csv", {c: row[c] for c in COLUMNS})
        logits = np.full((2, 11), run.seed + run.lr, dtype=np.float32)
        archive |= {run.id: logits, f"{run.id}.thresholds": np.full(11, 0.5, np.float32)}
    np.savez(folder / "test_logits.npz", **archive)


def test_trials_and_chosen_runs_are_kept_once_and_where_they_belong(tmp_path):
    plans = gpu_runs.Plans(pd.DataFrame(columns=COLUMNS), "mobilenet_v2", seeds=2)
    folders = [tmp_path / "search", tmp_path / "small"]
    for folder in folders:
        folder.mkdir()
    finished(folders[0], plans.trials("baseline"), best_rate=0.005)
    rest = [plans.settings(gpu_runs.SMALL, seed=2, lr=0.005)]
    finished(folders[1], rest, best_rate=0.005)
    results = tmp_path / "results"
    for _ in range(2):  # again, as after a session that was cut off
        assert keep_runs.keep(folders, results, "mobilenet_v2", 2) == dict(trials=6, runs=2)
        assert len(read_table(results / "search.csv")) == 6
    runs = read_table(results / "runs.csv")
    assert sorted(zip(runs.seed, runs.lr)) == [(1, 0.005), (2, 0.005)]
    for row in runs.to_dict("records"):
        logits, thresholds = read_logits(Run.of_row(row).logits(results / "runs.csv"))
        np.testing.assert_allclose(logits, row["seed"] + row["lr"], rtol=1e-3)
        assert (thresholds == 0.5).all()
