"""Scores over runs: what is unnamed, the bootstrap, and what they refuse."""
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recaptcha.data import DataError
from recaptcha.learner import COLUMNS, METHODS
from recaptcha.metrics import report
from recaptcha.results import bootstrap_scores
from recaptcha.runs import SMALL_BUDGET, run_logits, test_answers as answers, unnamed_scores

RESULTS = Path(__file__).parent.parent/'results'/'runs.csv'


def test_every_run_kept_its_logits_and_they_give_its_scores():
    """bf16 logits are coarse, so that some lie exactly on a threshold; rounding decided then on which side they count, and may decide otherwise for what was kept."""
    runs = pd.read_csv(RESULTS); truth, _ = answers()
    assert list(runs)==COLUMNS and not runs.duplicated(['method','arch','size','epochs','seed','data']).any()
    for run in runs.to_dict('records'):
        logits, thresholds = run_logits(run, RESULTS)
        ways = [report(1/(1+np.exp(-logits)), truth, thresholds*ties) for ties in (1-1e-6, 1+1e-6)]
        assert any(all(abs(scores[k]-run[k])<.004 for k in ('mAP','F1','solved')) for scores in ways), (run['method'], run['seed'], ways)


def test_every_method_has_three_seeds_at_the_equal_budget():
    runs = pd.read_csv(RESULTS).query("arch=='mobilenet_v2' and data=='full' and size==@SMALL_BUDGET['size'] and epochs==@SMALL_BUDGET['epochs']")
    seeds = runs.groupby('method').seed.nunique()
    for method in METHODS: assert seeds.get(method, 0)>=3, method


def test_a_run_without_logits_is_named(tmp_path):
    with pytest.raises(DataError, match='baseline-mobilenet_v2-64'): run_logits(dict(method='baseline', arch='mobilenet_v2', size=64, epochs=2, seed=1, data='full'), tmp_path/'runs.csv')


def test_unnamed_scores_look_only_where_the_folder_is_another():
    truth = np.array([[1],[1],[0],[0]]); named = np.array([[1],[0],[0],[0]])
    best = unnamed_scores(np.array([[.0],[.9],[.2],[.1]]), truth, named, [.5]) # the named tile would be missed, and does not count
    assert best==dict(unnamed_AP=1., unnamed_recall=1., unnamed_precision=1.)
    none = unnamed_scores(np.array([[.9],[.1],[.2],[.3]]), truth, named, [.5])
    assert none['unnamed_recall']==0 and none['unnamed_AP']<.5
    assert np.isnan(unnamed_scores(np.zeros((2,1)), np.zeros((2,1)), np.zeros((2,1)), [.5])['unnamed_AP']) # the documented value where nothing is unnamed


def test_bootstrap():
    rng = np.random.default_rng(0); truth = (rng.random((200,3))<.3).astype(int); probs = [(truth*.3+rng.random((200,3))*.7).clip(0,1)]
    a, b = (bootstrap_scores(probs, [np.full(3,.5)], truth, 30, seed=s) for s in (0,0))
    assert a.equals(b) and len(a)==30 and 0<a.mAP.std()<.1
    with pytest.raises(ValueError, match='shape'): bootstrap_scores(probs, [], truth)
    empty = truth.copy(); empty[:,1] = 0
    with pytest.raises(ValueError, match='fewer than two'): bootstrap_scores(probs, [np.full(3,.5)], empty)
