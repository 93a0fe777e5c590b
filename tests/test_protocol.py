"""What notebook 09 says of the methods, computed again from `results/` by the rules of `results/PROTOCOL.md`"""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recaptcha.results import ALIKE, TUNED, agreement, alike, alike_rows, second_answers
from recaptcha.runtable import counted, read_table
from recaptcha.train import SMALL_BUDGET
from recaptcha.train import test_answers as answers

RESULTS = Path(__file__).parent.parent / "results"
NOTEBOOK = json.loads((RESULTS.parent / "_notebooks" / "09_results.ipynb").read_text(encoding="utf-8"))
COMPARED = [(method, "folder") for method in ("baseline", *TUNED)] + [("baseline", "complete")]


def printed(cell_id):
    "What a cell of notebook 09 printed or showed, as text"
    (cell,) = (cell for cell in NOTEBOOK["cells"] if cell["id"] == cell_id)
    parts = [out.get("text") or out["data"]["text/plain"] for out in cell["outputs"]]
    return "\n".join("".join(part) for part in parts)


@pytest.fixture(scope="module")
def runs():
    return read_table(RESULTS / "runs.csv")


@pytest.fixture(scope="module")
def trials():
    table = read_table(RESULTS / "search.csv")
    return table[(table.arch == ALIKE["arch"]) & (table["size"] == ALIKE["size"]) & (table.epochs == ALIKE["epochs"])]


@pytest.mark.parametrize("method, source", COMPARED)
def test_every_method_had_six_trials_and_trains_with_the_best(method, source, runs, trials):
    its = trials[(trials.method == method) & (trials.label_source == source)]
    assert len(its) == 6 and set(its.seed) == {1} and set(its.hidden) == {""}
    best = its.loc[its.valid_mAP.idxmax()]
    rows = alike_rows(runs, method, source)
    assert rows.seed.tolist() == [1, 2, 3]
    assert set(zip(rows.lr, rows.constants)) == {(best.lr, best.constants)}
    assert best.run in set(rows.run), "the trial that was chosen is the first seed"


def test_what_is_compared_is_of_committed_code_and_one_device(runs, trials):
    rows = pd.concat([alike_rows(runs, *what) for what in COMPARED] + [trials])
    assert len(counted(rows)) == len(rows) and not rows.commit.str.endswith("+").any()
    assert rows.device.nunique() == 1 and (rows.seconds > 0).all()


def test_the_differences_are_those_of_the_rows_and_logits():
    lines = printed("a11c0003").splitlines()
    compared = alike(RESULTS / "runs.csv", answers()[0])
    assert len(lines) == len(compared)
    for line, (_, row) in zip(lines, compared.iterrows()):
        values = ["difference", "low", "high", "p_holm", "closed", "closed_low", "closed_high"]
        numbers = [float(n) for n in re.findall(r"[-+]?\d+\.\d+", line.split(":", 1)[1])]
        np.testing.assert_allclose(numbers, row[values].astype(float), atol=0.006)
        verdict = {1: ": better", -1: ": worse", 0: ": no difference found"}[row.found]
        assert verdict in line
        assert row.found == 0 or (row.p_holm < 0.05 and abs(row.difference) >= 0.005)


def test_the_table_has_the_means_of_the_rows(runs):
    shown = printed("a11c0005")
    for method, source in COMPARED:
        rows = alike_rows(runs, method, source)
        assert f"{rows.mAP.mean():.3f} ± {rows.mAP.std():.3f}" in shown, (method, source)
        assert f"{rows.valid_mAP.mean():.3f}" in shown, (method, source)


def test_the_lessons_budget_has_the_means_of_its_rows(runs):
    own = counted(runs)
    own = own[(own.label_source == "") & (own.arch == "mobilenet_v2") & (own["size"] == SMALL_BUDGET["size"])]
    means = own[own.epochs == SMALL_BUDGET["epochs"]].groupby("method").mAP.mean()
    lines = {}
    for line in filter(str.strip, printed("ca737c5f").splitlines()):
        lines.setdefault(line.split()[0], line)  # its first columns, where the table is broken into two
    shown = [method for method in means.index if method in lines]
    assert len(shown) > 15
    for method in shown:
        assert f" {means[method]:.3f}" in lines[method], method


def test_two_annotations_agree_as_far_as_the_page_says():
    truth = answers()[0]
    agreed = agreement(truth, second_answers())
    said = printed("bee9a223")
    assert f"macro F1 {agreed.F1.mean():.3f}, challenges solved {agreed.solved.mean():.3f}" in said
    assert f"kappa {agreed.kappa.min():.2f} ({agreed.kappa.idxmin()})" in said
