"""Scores over runs: what is unnamed, the bootstrap, the agreement of annotations, the card, and what they refuse."""
import json
import re
import shutil
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from recaptcha.card import card_template
from recaptcha.finished import run_logits
from recaptcha.methods import METHODS
from recaptcha.metrics import report
from recaptcha.results import agreement, bootstrap_scores, second_answers
from recaptcha.runtable import COLUMNS, read_table
from recaptcha.style import style
from recaptcha.tiles import LABELS_DIR, DataError
from recaptcha.train import SMALL_BUDGET, plot_runs, unnamed_scores
from recaptcha.train import test_answers as answers

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT/'results'/'runs.csv'


def test_every_run_kept_its_logits_and_they_give_its_scores():
    """bf16 logits are coarse, so that some lie exactly on a threshold; rounding decided then on which side they count,
    and may decide otherwise for what was kept."""
    runs = pd.read_csv(RESULTS)
    truth, _ = answers()
    assert list(runs)==COLUMNS
    settings = ['method', 'arch', 'size', 'epochs', 'seed', 'data', 'lr', 'label_source', 'hidden', 'constants']
    assert not runs.duplicated(settings).any()
    for run in runs.to_dict('records'):
        logits, thresholds = run_logits(run, RESULTS)
        ways = [report(expit(logits), truth, thresholds*ties) for ties in (1-1e-6, 1+1e-6)]
        off = [max(abs(scores[k]-run[k]) for k in ('mAP', 'F1', 'solved')) for scores in ways]
        assert min(off)<.004, (run['method'], run['seed'], ways)


@pytest.mark.release
def test_every_method_has_three_seeds_at_the_equal_budget():
    """A new method may be tried with one seed; a release compares all of them."""
    runs = read_table(RESULTS)
    budget = dict(arch='mobilenet_v2', data='full', label_source='', **SMALL_BUDGET)
    seeds = runs[np.all([runs[key]==value for key, value in budget.items()], axis=0)].groupby('method').seed.nunique()
    assert {method: seeds.get(method, 0) for method in METHODS if seeds.get(method, 0)<3}=={}


def test_a_run_without_logits_is_named(tmp_path):
    run = dict(method='baseline', arch='mobilenet_v2', size=64, epochs=2, seed=1, data='full')
    with pytest.raises(DataError, match='baseline-mobilenet_v2-64'):
        run_logits(run, tmp_path/'runs.csv')


def test_unnamed_scores_look_only_where_the_folder_is_another():
    truth, named = np.array([[1], [1], [0], [0]]), np.array([[1], [0], [0], [0]])
    missed = np.array([[.0], [.9], [.2], [.1]])  # the named tile would be missed, and does not count
    best = unnamed_scores(missed, truth, named, [.5])
    assert best==dict(unnamed_AP=1., unnamed_recall=1., unnamed_precision=1.)
    none = unnamed_scores(np.array([[.9], [.1], [.2], [.3]]), truth, named, [.5])
    assert none['unnamed_recall']==0 and none['unnamed_AP']<.5
    nothing = np.zeros((2, 1))  # the documented value where nothing is unnamed
    assert np.isnan(unnamed_scores(nothing, nothing, nothing, [.5])['unnamed_AP'])


def test_a_figure_of_runs_fits_beside_a_phone_and_its_text_can_be_read():
    columns = ['mAP', 'F1', 'solved', 'unnamed_AP']
    scores = pd.DataFrame([dict(method=m, **dict.fromkeys(columns, .1*s)) for m in ('baseline', 'gr') for s in (1, 2)])
    with plt.rc_context():
        style()
        axes = plot_runs(scores)
        figure = axes[0].figure
        figure.draw_without_rendering()
    texts = [text.get_fontsize() for text in figure.findobj(plt.Text) if text.get_text()]
    plt.close(figure)
    assert len(axes)==4 and figure.get_size_inches()[0]<=8.5
    assert texts and min(texts)>=11


def test_bootstrap():
    rng = np.random.default_rng(0)
    truth = (rng.random((200, 3))<.3).astype(int)
    probs = [(truth*.3+rng.random((200, 3))*.7).clip(0, 1)]
    a, b = (bootstrap_scores(probs, [np.full(3, .5)], truth, 30, seed=s) for s in (0, 0))
    assert a.equals(b) and len(a)==30 and 0<a.mAP.std()<.1
    with pytest.raises(ValueError, match='shape'):
        bootstrap_scores(probs, [], truth)
    empty = truth.copy()
    empty[:, 1] = 0
    with pytest.raises(ValueError, match='fewer than two'):
        bootstrap_scores(probs, [np.full(3, .5)], empty)


def test_agreement_takes_chance_out():
    """Of 100 tiles each annotation sees an object on ten, five of them the same: 90 agree, and 82 would by chance."""
    first, second = np.zeros((100, 1), dtype=int), np.zeros((100, 1), dtype=int)
    first[:10], second[5:15] = 1, 1
    row = agreement(first, second).iloc[0]
    assert row.kappa==pytest.approx((.9-.82)/(1-.82)) and row.F1==pytest.approx(.5) and 0<row.solved<.5
    assert agreement(first, first).iloc[0].tolist()==[1, 1, 1]
    with pytest.raises(ValueError, match='shape'):
        agreement(first, second[:50])


def test_the_second_annotation_is_of_the_test_tiles(tmp_path):
    assert second_answers().shape==answers()[0].shape
    for name in ('manifest.csv', 'small.csv', 'test.csv', 'test_second.csv'):
        shutil.copy(LABELS_DIR/name, tmp_path)
    lines = (tmp_path/'test_second.csv').read_text().splitlines()
    (tmp_path/'test_second.csv').write_text('\n'.join([lines[0], *reversed(lines[1:])]))
    assert (second_answers(tmp_path)==second_answers()).all()  # in another order
    (tmp_path/'test_second.csv').write_text('\n'.join(lines[:-1]))
    with pytest.raises(DataError, match=re.escape(lines[-1].split(',')[0])):
        second_answers(tmp_path)


def test_the_model_card_is_the_notebook_s():
    """Its words are the template's, and its measured tables are those that the notebook on the card shows."""
    card = (ROOT/'recaptcha/assets/README.md').read_text(encoding='utf-8')
    words = [re.escape(part) for part in re.split(r'\{[^}]*\}', card_template('place_card'))]
    assert re.fullmatch('.+?'.join(words), card, re.S)
    cells = json.loads((ROOT/'_notebooks/toolkit/card.ipynb').read_text(encoding='utf-8'))['cells']
    shown = [output.get('data', {}) for cell in cells for output in cell.get('outputs', [])]
    shown = [''.join(data.get('text/markdown', '')) for data in shown]
    rows = re.findall(r'^\|.+\|$', '\n'.join(shown), re.M)
    assert len(rows)>15 and [row for row in rows if row not in card]==[]
