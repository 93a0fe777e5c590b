"""Label correction: what is known is read as it was said, expected labels are calibrated, a class without positives
does no harm, and the recipe resumes.
"""
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from notebook_kit import ROOT
from safetensors.torch import load_file
from train_kit import break_off, copy, only, train

from recaptcha import methods as recipe
from recaptcha import teacher
from recaptcha.batches import tile_dls
from recaptcha.finished import Finished, read_sealed, write_sealed
from recaptcha.fit import Job, set_up, source_targets
from recaptcha.labels import (
    SelfTraining,
    SoftTargets,
    doubtful,
    expected_labels,
    known_labels,
    label_thresholds,
)
from recaptcha.methods import INSIDE, METHODS, balanced, challenge_thresholds, more_tiles
from recaptcha.run import Run
from recaptcha.teacher import ask, keep_logits, kept_logits, kept_path, recorded_teacher, teacher_logits
from recaptcha.tiles import LABELS_DIR, DataError, load_tiles, read_manifest, training_tiles, validation_fifth
from recaptcha.toy import CLASSES

pytestmark = pytest.mark.usefixtures("a_machine_of_its_own")

RUN = Run(data='toy', size=32, bs=16)


def table(*rows): return pd.DataFrame(rows, columns=['file','folder','labels'])


def test_checked_labels_are_of_training_tiles_and_classes():
    man = read_manifest().set_index('file')
    checked = pd.read_csv(LABELS_DIR / 'checked.csv', keep_default_na=False)
    assert checked.file.is_unique and set(checked.file) <= set(man.index)
    assert not (man.set.loc[checked.file] == 'test').any()
    groups = set(man.duplicate_group[man.set == 'test']) - {''}
    assert not set(man.duplicate_group.loc[checked.file]) & groups  # nor of a copy of a test tile
    for there, absent in zip(checked.present, checked.absent):
        there, absent = (set(filter(None, ls.split(';'))) for ls in (there, absent))
        assert there|absent and there|absent<=set(CLASSES) and not there&absent


def test_annotation_rounds_add_up_to_what_is_recorded():
    man = read_manifest().set_index('file')
    checked = pd.read_csv(LABELS_DIR / 'checked.csv', keep_default_na=False)
    rounds = pd.read_csv(Path(__file__).parent.parent / 'results' / 'annotation_rounds.csv')
    rounds = rounds.groupby('class')[['asked', 'found']].sum()
    of_others = lambda column: pd.Series(
        [c for f, ls in zip(checked.file, checked[column]) for c in ls.split(';') if c and c != man.folder[f]]
    ).value_counts()
    there, absent = of_others('present'), of_others('absent')
    for c in CLASSES: assert tuple(rounds.loc[c])==(there[c]+absent[c], there[c]), c


def test_known_labels(tmp_path):
    (tmp_path/'c.csv').write_text('file,present,absent\na,Car;Bus,Palm\nc,Car,\n')
    tiles = table(('a','Bus',None), ('b','Car',None), ('c','Other',['Palm']))
    truth, known = known_labels(tiles, tmp_path/'c.csv')
    at = lambda r, c: (truth[r,CLASSES.index(c)], known[r,CLASSES.index(c)])
    assert at(0,'Car')==at(0,'Bus')==(1,True) and at(0,'Palm')==(0,True) and not at(0,'Bridge')[1]
    assert not known[1].any() and known[2].all() and at(2,'Palm')[0]==1 and at(2,'Car')[0]==0 # complete labels win
    assert not known_labels(tiles, None)[1][:2].any()
    (tmp_path/'c.csv').write_text('file,present,absent\na,Zebra,\n')
    with pytest.raises(DataError, match='Zebra'): known_labels(tiles, tmp_path/'c.csv')


def test_expected_labels_are_calibrated_where_nobody_looked():
    rng = np.random.default_rng(0)
    n = 6000
    logits = rng.normal(size=(n, 2))
    truth = (rng.random((n, 2)) < 1 / (1 + np.exp(-(2 * logits - 1)))).astype(float)  # the network is shy
    named = truth * (rng.random((n, 2)) < 0.5)
    known = np.repeat(rng.random((n, 1)) < 0.4, 2, 1)
    expected = expected_labels(logits, named, truth, known)
    assert (expected[known]==truth[known]).all()
    free = ~known&(named==0)
    for lo, hi in ((0,.1),(.1,.3),(.3,.9)):
        m = free&(expected>=lo)&(expected<hi)
        assert m.sum()>100 and abs(truth[m].mean()-expected[m].mean())<.04
    assert (expected[~known&(named==1)]>.9).all()


def test_classes_without_a_positive_do_no_harm():
    logits = np.random.default_rng(0).normal(size=(50, 3))
    nothing = np.zeros((50, 3))
    expected = expected_labels(logits, nothing, nothing, np.ones((50, 3), dtype=bool))
    assert np.isfinite(expected).all()
    assert not doubtful(nothing, np.full((50, 3), .9)).any() and not doubtful(nothing+1, np.full((50, 3), .1)).any()
    assert np.isfinite(balanced(nothing)).all() and (balanced(nothing)>=1).all()
    low, high = label_thresholds(nothing, nothing>0)
    assert np.isfinite(low).all() and np.isfinite(high).all()
    thr = challenge_thresholds(np.full((50,3), .5), nothing, ['Car']*50, table(('a','Car',['Car'])))
    assert ((thr>0)&(thr<1)).all()


def test_confident_learning_finds_labels_that_were_taken_away():
    rng = np.random.default_rng(0)
    truth = (rng.random(800) < 0.3).astype(float)
    named = truth.copy()
    gone = (truth == 1) & (rng.random(800) < 0.2)
    named[gone] = 0
    probs = (np.where(truth == 1, 0.85, 0.1) + rng.normal(0, 0.04, 800)).clip(0, 1)
    found, other = doubtful(np.c_[named, np.ones(800)], np.c_[probs, probs]).T
    assert not other.any()  # a class of which all labels are the same has none to compare
    assert found[gone].mean() > 0.3 and found[~gone].mean() < 0.01  # cautious, and right


@pytest.mark.parametrize('make', [lambda: SoftTargets(np.zeros((4,11)), np.zeros((3,11)))])
def test_tables_of_other_shapes_are_refused(make):
    with pytest.raises(ValueError, match='shape'): make()


def test_losses_refuse_nan_as_the_others_do():
    for loss in (
        SoftTargets(np.zeros((4, 11)), np.ones((4, 11))),
        SelfTraining(*[np.zeros((4, 11))] * 2, np.zeros((4, 11), dtype=bool), [0.1] * 11, [0.9] * 11),
    ):
        loss.places = torch.arange(4)
        with pytest.raises(ValueError, match='logits'): loss(torch.full((4,11), float('nan')), torch.zeros(4,11))
        assert torch.isfinite(loss(torch.zeros(4,11), torch.zeros(4,11)))


def test_more_tiles_keeps_copies_and_the_test_set_apart():
    everything = load_tiles('toy')
    dls = tile_dls(training_tiles(everything), 32, 16)
    more = more_tiles(dls, RUN)
    a, b = (set(ds.items.file) for ds in (more.train_ds, more.valid_ds))
    assert (
        not a & b
        and not (a | b) & set(everything.file[everything.set == 'test'])
        and len(more.train.tiles) == len(more.train.targets) == len(a)
    )
    a, b = (set(ds.items.duplicate_group) - {''} for ds in (more.train_ds, more.valid_ds))
    assert not a & b


def set_up_of(source, method, constants=''):
    settings = dict(method=method, arch='test_efficientnet', epochs=1, label_source=source, constants=constants)
    job = Job(replace(RUN, **settings))
    return set_up(job, METHODS[method], load_tiles('toy'))


def test_with_a_source_the_recipe_keeps_the_fifth_and_its_teacher_learns_from_folders(monkeypatch):
    asked = []
    class Stop(Exception): pass
    def stop(teacher, *_):
        asked.append(teacher)
        raise Stop
    def teach(dls, job):
        with pytest.raises(Stop): teacher_logits(dls, job)
        return np.zeros((len(dls.train_ds),len(CLASSES)))
    monkeypatch.setattr(teacher, 'train', stop)
    monkeypatch.setattr(recipe, 'teacher_logits', teach)
    for source in ('rounds','complete'):
        setup = set_up_of(source, 'recipe')
        dls, loss = setup.dls, setup.settings['loss_func']
        assert asked.pop().label_source=='folder'
        assert validation_fifth(dls.valid_ds.items).all() and not validation_fifth(dls.train_ds.items).any()
        truth, known = known_labels(dls.train_ds.items)
        assert (loss.weights.numpy()==1+known).all() and (loss.targets.numpy()==truth)[known].all()
    assert (~known).any() # what is in doubt has the teacher's answer


def test_without_a_teacher_what_is_in_doubt_has_no_weight():
    setup = set_up_of('complete', 'recipe_without_teacher')
    _, known = known_labels(setup.dls.train_ds.items)
    assert (setup.settings['loss_func'].weights.numpy()==2*known).all() and (~known).any()


@pytest.mark.parametrize('name', INSIDE)
def test_a_loss_inside_of_the_recipe_learns_from_the_labels_of_its_source_and_from_nothing_else(name):
    "With expected labels, the recipe knows the small set completely whatever it is given"
    inside, plain = set_up_of('folder', f'recipe_with_{name}'), set_up_of('folder', 'recipe_without_teacher')
    assert type(inside.settings['loss_func']).__name__ == dict(
        an='AssumeNegative', gr='GeneralizedRobust', em_apl='EntropyMax', role='RegularizedEstimation'
    )[name]
    assert [type(cb) for cb in inside.settings['cbs']] == [type(cb) for cb in plain.settings['cbs']]
    train = inside.dls.train
    assert (source_targets(train.items, 'folder') == train.targets.numpy()).all() and train.targets.sum(1).max() == 1
    assert (plain.settings['loss_func'].targets.sum(1) > 1).any()
    weights = balanced(train.targets.numpy())
    assert train.wgts.tolist() == pytest.approx((weights / weights.sum()).tolist())


def test_what_is_in_doubt_is_skipped_inside_of_the_recipe():
    setup = set_up_of('complete', 'recipe_with_an')
    assert setup.dls.train.targets.isnan().any() and setup.settings['loss_func'].skip_nan


def test_a_run_s_constants_reach_its_loss():
    "They were in the row and in the identity of a run, and the loss kept its own"
    for method in ('gr', 'recipe_with_gr'):
        assert set_up_of('folder', method, constants='b=-3:-2 q3=0.5').settings['loss_func'].q3 == .5
    with pytest.raises(DataError, match="AssumeNegative has no constant 'q3'"):
        set_up_of('folder', 'baseline', constants='q3=0.5')


def test_a_run_that_hides_labels_is_not_trained_on_all_of_them():
    job = Job(replace(RUN, label_source='complete', hidden='budget:0.1:doubt'))
    with pytest.raises(DataError, match="hidden is 'budget:0.1:doubt': benchmarks/gpu_runs.py"):
        set_up(job, METHODS['baseline'], load_tiles('toy'))


def test_tiles_that_are_drawn_by_weight_keep_their_place():
    "By which losses remember what they found"
    train = set_up_of('folder', 'recipe_with_em_apl').dls.train
    for _, y in train: assert torch.equal(y, train.targets[train.places])
    assert set_up_of('folder', 'recipe_with_em_apl').settings['loss_func'].pseudo.shape == train.targets.shape


def test_the_recipe_without_additional_labels_takes_no_source():
    with pytest.raises(DataError, match='--method recipe --labels folder'):
        set_up_of('complete', 'recipe_without_looked')


def test_recipe_resumes_to_the_same_weights(tmp_path):
    "Averaged weights and tiles that grow: broken off before the average begins, and while it runs"
    whole, args = tmp_path/'whole', ['--method', 'recipe', '--epochs', '3', '--bs', '16']
    train(whole, *args)
    a = load_file(only(whole, 'recipe-*')/'model.safetensors')
    for phase, epoch in ((0, 1), (1, 2)):
        broken = tmp_path/f'broken{phase}'
        teacher = only(whole, 'baseline-*') # the same, so that it need not be trained again
        shutil.copytree(teacher, broken/'runs'/teacher.name)
        break_off(broken, *args, phase=phase, epoch=epoch)
        train(broken, *args)
        b = load_file(only(broken, 'recipe-*')/'model.safetensors')
        assert all(torch.equal(a[k], b[k]) for k in a)


@pytest.fixture
def taught(finished_run, tmp_path):
    "Loaders and the settings of a run whose teacher is done, and the file in which its answers are kept"
    folder = copy(finished_run, tmp_path)
    run = Finished.of_folder(only(folder)).run
    dls = tile_dls(training_tiles(load_tiles('toy')), run.size, run.bs)
    job = Job(replace(run, method='expected'), folder / 'runs', folder / 'runs.csv')
    return dls, job, only(folder) / 'train_logits.csv'


def test_a_teacher_is_asked_once_and_its_answers_are_checked(taught, monkeypatch):
    dls, job, kept = taught
    said = teacher_logits(dls, job)
    assert said.shape==(len(dls.train_ds),11) and np.isfinite(said).all() and kept.is_file()
    monkeypatch.setattr(teacher, 'ask', None) # it is not asked again
    assert np.array_equal(teacher_logits(dls, job), said)
    good, draw = kept.read_bytes(), random.Random(0)
    for _ in range(20):
        bad = bytearray(good)
        bad[draw.randrange(len(good))] ^= 1<<draw.randrange(8)
        kept.write_bytes(bad)
        with pytest.raises(DataError, match='train_logits.csv.*delete it, and the teacher is asked again'):
            teacher_logits(dls, job)
    for bad in (b'', good[:-9], good[:9]):
        kept.write_bytes(bad)
        with pytest.raises(DataError, match='train_logits.csv.*delete'): teacher_logits(dls, job)


@pytest.mark.parametrize(
    'change',
    [
        lambda about, table: about.update(weights='0' * 64) or table,
        lambda about, table: about.pop('tiles') and table,  # of before: of random crops
        lambda about, table: table.drop(columns='Car'),
        lambda about, table: table.assign(Car=np.inf),
        lambda about, table: table.assign(Car='x'),
        lambda about, table: table.rename(index={table.index[0]: table.index[1]}),
    ],
)
def test_answers_that_no_teacher_gave_are_refused(taught, change):
    "Their checksum fits"
    dls, job, kept = taught
    teacher_logits(dls, job)
    about, content = read_sealed(kept)
    kept.write_bytes(content)
    table = change(about, pd.read_csv(kept, index_col='file'))
    write_sealed(kept, table.to_csv().encode(), **about)
    with pytest.raises(DataError, match='train_logits.csv.*delete'): teacher_logits(dls, job)


def test_a_teacher_says_the_same_of_a_tile_each_time(taught):
    "It was asked about random crops, as in training, so that what its pupils learnt from depended on a draw"
    dls, job, _ = taught
    there = Finished.of_folder(teacher.teacher_of(job.run).folder(job.runs))
    assert np.array_equal(ask(dls, there), ask(dls, there))


def test_a_damaged_teacher_is_not_asked(taught):
    dls, job, kept = taught
    weights = kept.with_name('model.safetensors')
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(DataError, match='model.safetensors: damaged.*delete'): teacher_logits(dls, job)


def test_what_a_teacher_says_is_kept_beside_the_table_of_runs(taught, monkeypatch):
    """Lesson 06 trained its teacher wherever its folder was not there."""
    dls, job, _ = taught
    said = recorded_teacher(dls, job)
    assert kept_path(job).is_file() and np.allclose(said, teacher_logits(dls, job), rtol=1e-3, atol=1e-3)

    def stop(*_):
        raise InterruptedError

    monkeypatch.setattr(teacher, 'teacher_logits', stop)
    assert np.array_equal(recorded_teacher(dls, job), said)
    monkeypatch.setenv('RECAPTCHA_TRAIN', '1')
    with pytest.raises(InterruptedError):
        recorded_teacher(dls, job)


def test_on_few_tiles_nothing_is_kept(taught, monkeypatch):
    dls, job, _ = taught
    monkeypatch.setenv('RECAPTCHA_RUN', 'toy')
    assert recorded_teacher(dls, job).shape == (len(dls.train_ds), 11)
    assert not kept_path(job).parent.exists()


FILES = ['Bus/a.png', 'Car/b.png']


@pytest.mark.parametrize(
    ('names', 'logits'),
    [
        (['Bus/a.png', 'Car/c.png'], np.zeros((2, 11))),
        (['Bus/a.png', 'Bus/a.png', 'Car/b.png'], np.zeros((3, 11))),
        (FILES, np.zeros((3, 11))),
        (FILES, np.full((2, 11), np.nan)),
    ],
    ids=['a tile is missing', 'a tile is there twice', 'other lengths', 'no numbers'],
)
def test_kept_answers_that_do_not_fit_are_refused(tmp_path, names, logits):
    path = tmp_path / 'teacher.npz'
    keep_logits(path, FILES, np.eye(2, 11))
    assert np.array_equal(kept_logits(path, FILES[::-1]), np.eye(2, 11)[::-1])
    keep_logits(path, names, logits)
    with pytest.raises(DataError, match='teacher.npz: not what a teacher says of these tiles; delete it'):
        kept_logits(path, FILES)


def test_damaged_answers_are_refused(tmp_path):
    path = tmp_path / 'teacher.npz'
    keep_logits(path, FILES, np.eye(2, 11))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match='teacher.npz: not what a teacher says of these tiles; delete it'):
        kept_logits(path, FILES)


def test_what_lesson_06_reads_is_there_and_of_training_tiles():
    path = kept_path(Job(Run.here(size=64, epochs=3), results=ROOT / 'results' / 'runs.csv'))
    with np.load(path) as kept:
        names = kept['files'].tobytes().decode().split('\n')
    there = read_manifest().set_index('file')['set']
    assert set(names) <= set(there.index) and not (there[names] == 'test').any()
    assert len(names) > 8000 and path.stat().st_size < 1_000_000


def test_answers_asked_for_in_doubt_do_not_bias_expected_labels():
    """Answers were asked for wherever *another* network saw the object, about which the logits given know little. Of
    two tiles with the same logit the suspicious one is known then, and a fit on all answers takes it for the usual. The
    second half of the tiles, which nobody was asked about, shows who is right.
    """
    rng = np.random.default_rng(0)
    n = 8000
    other, logits = rng.normal(size=(2, n, 5))
    truth = (rng.random((n, 5)) < 1 / (1 + np.exp(-(3 * other + logits - 3)))).astype(float)
    second = np.arange(n)[:, None] >= n // 2
    known = ((rng.random((n, 1)) < 0.15) | (other > 0.8)) & ~second
    fair, biased = (
        expected_labels(logits, np.zeros((n, 5)), truth, known, *asked)[n // 2 :].mean() for asked in ((), (known,))
    )
    assert abs(fair - truth[n // 2 :].mean()) < 0.03 and biased - truth[n // 2 :].mean() > 0.1


def test_more_labels_move_no_tile_from_training_to_validation(monkeypatch):
    items = training_tiles(load_tiles('toy'))
    dls = tile_dls(items, 32, 16)

    def valid_given(share):
        complete = np.random.default_rng(0).random(len(items))<share
        by_file = dict(zip(items.file, complete))
        monkeypatch.setattr(
            recipe,
            'known_labels',
            lambda t: (None, np.repeat(t.file.map(by_file).to_numpy()[:, None], len(CLASSES), 1)),
        )
        more = more_tiles(dls, RUN)
        return set(more.valid_ds.items.file), {f for f in more.train_ds.items.file if by_file[f]}
    few, many = valid_given(.3), valid_given(.9)
    assert few[0] and few[0]<=many[0] and few[1]<=many[1]
    assert .25<len(many[0])/len(items)<.65
