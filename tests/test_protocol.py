"""What notebook 09 says of the methods, computed again from `results/` by the rules of `results/PROTOCOL.md`"""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recaptcha.results import (
    ALIKE,
    EXPLORED,
    ON_CPU,
    QUESTIONS,
    TUNED,
    TUNED_ON_CPU,
    agreement,
    alike,
    alike_rows,
    answered,
    runs_on_cpu,
    second_answers,
    trials_of,
)
from recaptcha.runtable import counted, read_table
from recaptcha.tiles import DataError
from recaptcha.train import SMALL_BUDGET
from recaptcha.train import test_answers as answers

RESULTS = Path(__file__).parent.parent / "results"
NOTEBOOK = json.loads((RESULTS.parent / "_notebooks" / "09_results.ipynb").read_text(encoding="utf-8"))
COMPARED = [(method, "folder", ALIKE) for method in ("baseline", *TUNED)]
COMPARED += [("baseline", source, ALIKE) for source in ("rounds", "complete")]
COMPARED += [(method, "folder", ON_CPU) for method in ("baseline", *TUNED_ON_CPU)] + [("baseline", "complete", ON_CPU)]


def printed(cell_id):
    "What a cell of notebook 09 printed or showed, as text"
    (cell,) = (cell for cell in NOTEBOOK["cells"] if cell["id"] == cell_id)
    parts = [out.get("text") or out["data"]["text/plain"] for out in cell["outputs"]]
    return "\n".join("".join(part) for part in parts)


@pytest.fixture(scope="module")
def runs():
    return read_table(RESULTS / "runs.csv")


@pytest.fixture(scope="module")
def search():
    return read_table(RESULTS / "search.csv")


def rows_of(method, source, budget, hidden=""):
    return alike_rows(RESULTS / "runs.csv", method, source, hidden, budget)


@pytest.mark.parametrize("method, source, budget", COMPARED)
def test_every_method_had_its_trials_and_trains_with_the_best(method, source, budget, search):
    its = trials_of(search, method, source, budget)
    one_more = budget is ALIKE and method in ("baseline", "em_apl")  # at a lower rate: results/PROTOCOL.md
    assert len(its) == 6 + one_more and set(its.seed) == {1} and set(its.hidden) == {""}
    best = its.loc[its.valid_mAP.idxmax()]
    rows = rows_of(method, source, budget)
    assert rows.seed.tolist() == list(range(1, 6 if budget is ALIKE else 4))
    assert set(zip(rows.lr, rows.constants)) == {(best.lr, best.constants)}
    assert best.run in set(rows.run), "the trial that was chosen is the first seed"


@pytest.mark.parametrize("method", ["baseline", *TUNED])
def test_random_positives_have_the_settings_that_folder_labels_chose(method):
    rows = rows_of(method, "folder", ALIKE, "random_positive")
    (own,) = set(zip(rows.lr, rows.constants))
    assert rows.seed.tolist() == [1, 2, 3, 4, 5] and set(rows.label_source) == {"complete"}
    assert own == tuple(rows_of(method, "folder", ALIKE).iloc[0][["lr", "constants"]])


@pytest.mark.parametrize("budget", [ALIKE, ON_CPU], ids=["gpu", "cpu"])
def test_what_is_compared_is_of_committed_code_and_one_device(budget, search):
    of = [what for what in COMPARED if what[2] is budget]
    rows = pd.concat([rows_of(*what) for what in of] + [trials_of(search, *what) for what in of])
    assert len(counted(rows)) == len(rows) and not rows.commit.str.endswith("+").any()
    assert rows.device.nunique() == 1 and (rows.seconds > 0).all()


@pytest.mark.parametrize(
    "cell, arguments",
    [
        ("a11c0003", {}),
        ("a11c0009", dict(hidden="random_positive")),
        ("a11c0012", dict(methods=TUNED_ON_CPU, budget=ON_CPU)),
    ],
    ids=["folder", "random positive", "cpu"],
)
def test_the_differences_are_those_of_the_rows_and_logits(cell, arguments):
    lines = printed(cell).splitlines()
    compared = alike(RESULTS / "runs.csv", answers()[0], **arguments)
    assert len(lines) == len(compared)
    for line, (_, row) in zip(lines, compared.iterrows()):
        numbers = [float(n) for n in re.findall(r"[-+]?\d+\.\d+", line.split(":", 1)[1])]
        values = row[["difference", "low", "high", "p_holm"]].astype(float)
        np.testing.assert_allclose(numbers[:4], values, atol=0.0006)
        shares = row[["closed", "closed_low", "closed_high"]].astype(float)
        np.testing.assert_allclose(numbers[4:], shares, atol=0.006)
        verdict = {1: ": better", -1: ": worse", 0: ": no difference found"}[row.found]
        assert verdict in line
        assert row.found == 0 or (row.p_holm < 0.05 and abs(row.difference) >= 0.005)


ASKED = {**QUESTIONS, **EXPLORED}
PAIRS = sorted({pair for question in ASKED.values() for pair in question.values()})
ON_THE_PAGE = "tricks", "inside", "sampling", "noise", "labels", "budget"


def pair_name(pair):
    return " against ".join(" ".join(which) for which in pair)


@pytest.mark.parametrize("pair", PAIRS, ids=pair_name)
def test_what_answers_a_question_has_three_seeds_of_committed_code_on_one_device(pair):
    for which in pair:
        rows = runs_on_cpu(RESULTS / "runs.csv", *which)
        assert rows.seed.tolist() == [1, 2, 3] and not rows.commit.str.endswith("+").any()
        assert set(rows.device) == {"cpu, 1 threads, bf16"} and rows.labels_sha256.nunique() == 1
        loss = which[0].removeprefix("recipe_with_")
        searched = alike_rows(RESULTS / "runs.csv", loss, budget=ON_CPU).constants if loss in TUNED_ON_CPU else [""]
        assert set(rows.constants) == set(searched), "the constants that the search chose"


@pytest.mark.parametrize("question", ASKED)
def test_questions_are_answered_as_the_appendix_says(question):
    said = re.sub(r"\n+", "\n", printed("0f1d002a"))  # which comes in several pieces
    blocks = re.split(r"^(?!- )", said, flags=re.M)[1:]
    lines = dict(zip(ON_THE_PAGE, blocks))[question].splitlines()[1:]
    found = answered(ASKED[question], RESULTS / "runs.csv", answers()[0])
    assert len(lines) == len(found)
    for line, (_, row) in zip(lines, found.iterrows()):
        numbers = [float(n) for n in re.findall(r"[-+]?\d+\.\d+", line.split(": mAP", 1)[1])]
        columns = ["mAP", "difference", "low", "high", "p_holm"][: None if question in QUESTIONS else -1]
        np.testing.assert_allclose(numbers, row[columns].astype(float), atol=0.0006)
        verdict = {1: "better", -1: "worse", 0: "no difference found"}[row.found]
        assert line.endswith(f": {verdict}") or question in EXPLORED


def test_runs_with_other_seeds_are_not_compared(tmp_path, runs):
    which = (runs.method == "recipe_with_an") & (runs.seed == 3)
    runs[~which].to_csv(tmp_path / "runs.csv", index=False)
    with pytest.raises(DataError, match=r"runs.csv: seeds \[1, 2, 3\] of baseline folder, and \[1, 2\] of others"):
        answered(QUESTIONS["tricks"], tmp_path / "runs.csv", answers()[0])


def test_the_tables_have_the_means_of_the_rows():
    for method, source, budget in COMPARED:
        shown, rows = printed("a11c0005" if budget is ALIKE else "a11c0013"), rows_of(method, source, budget)
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
