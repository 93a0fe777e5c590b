"""`benchmarks/gpu_runs.py`: it trains as fastai does, gives labels away by the protocol, and keeps what it finds"""

import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.callback.schedule import combined_cos
from fastai.optimizer import Adam as FastaiAdam
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / 'benchmarks'))
import gpu_engine
import gpu_runs

from recaptcha.losses import LOSSES, EntropyMax
from recaptcha.run import Run
from recaptcha.runtable import COLUMNS
from recaptcha.tiles import DataError


def small_network():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, bias=False))
    return nn.Sequential(body, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)))


def split(model):
    return [list(model[0].parameters()), list(model[1].parameters())]


def gradients(model, step):
    torch.manual_seed(step)
    model.zero_grad()
    (model(torch.randn(4, 3, 8, 8)) ** 2).sum().backward()


def as_fastai(model, lr, epochs, steps):
    "Both phases of `fine_tune`, as its Learner, callbacks and optimiser do them"
    opt = FastaiAdam(split(model), lr=lr, wd=0.01)
    norms_and_biases = [*model[0][1].parameters(), model[0][0].bias, model[1][2].bias]
    for p in norms_and_biases:
        opt.state[p]['do_wd'] = False
    for p in model[0][1].parameters():
        opt.state[p]['force_train'] = True
    phases = (
        dict(lr=slice(lr), pct=0.99, div=25),
        dict(lr=slice(lr / 2 / gpu_engine.LR_MULT, lr / 2), pct=0.3, div=5),
    )
    for phase, how in enumerate(phases):
        opt.freeze() if phase == 0 else opt.unfreeze()
        opt.clear_state()
        opt.set_hyper('lr', how['lr'])
        top = np.array([h['lr'] for h in opt.hypers])
        rates, moms = (
            combined_cos(how['pct'], top / how['div'], top, top / 1e5),
            combined_cos(how['pct'], 0.95, 0.85, 0.95),
        )
        for i in range(epochs * steps):
            opt.set_hyper('lr', rates(i / (epochs * steps)))
            opt.set_hyper('mom', moms(i / (epochs * steps)))
            gradients(model, 100 * phase + i)
            opt.step()


def as_engine(model, lr, epochs, steps):
    adam = gpu_engine.Adam(model, split)
    for phase in (0, 1):
        adam.clear()
        for i, row in enumerate(
            torch.tensor(gpu_engine.phase_schedule(epochs * steps, lr, 2, phase), dtype=torch.float)
        ):
            gradients(model, 100 * phase + i)
            adam.step(row)


def test_two_phases_move_the_weights_as_fastai_does():
    ours, theirs, start = small_network(), small_network(), small_network()
    as_engine(ours, 0.01, 2, 5)
    as_fastai(theirs, 0.01, 2, 5)
    for p, q, before in zip(ours.parameters(), theirs.parameters(), start.parameters()):
        torch.testing.assert_close(p, q, atol=1e-5, rtol=1e-4)
        assert not torch.equal(p, before)


def test_the_first_phase_leaves_the_body_alone_but_for_its_batch_norm():
    model, start = small_network(), small_network()
    adam = gpu_engine.Adam(model, split)
    for i, row in enumerate(torch.tensor(gpu_engine.phase_schedule(5, 0.01, 2, 0), dtype=torch.float)):
        gradients(model, i)
        adam.step(row)
    moved = [not torch.equal(p, q) for p, q in zip(model.parameters(), start.parameters())]
    assert moved == [False, False, True, True, False, True, True]  # conv, its bias, batch norm, conv, linear


@pytest.fixture(scope='module')
def labels():
    folder = np.eye(11, dtype=np.float32)[np.arange(40) % 11]
    complete = np.maximum(folder, np.eye(11, dtype=np.float32)[(np.arange(40) + 3) % 11])
    complete[7] = 0  # nothing is there, whatever the folder says
    return gpu_runs.Labels(folder, folder, complete, 1 - complete)


def run(**settings):
    return Run(
        **{
            **dict(method='baseline', arch='tf_efficientnet_lite0', label_source='complete', labels='0123456789ab'),
            **settings,
        }
    )


def test_a_random_positive_is_one_of_the_complete_labels(labels):
    given = gpu_runs.targets_of(run(hidden='random_positive'), labels)
    assert (given.sum(1) == (labels.complete.sum(1) > 0)).all() and (given <= labels.complete).all()
    other = gpu_runs.targets_of(run(hidden='random_positive', seed=2), labels)
    assert not np.array_equal(given, other)


def test_a_budget_buys_that_share_and_a_larger_one_the_same_tiles_and_more(labels):
    def bought(share, **settings):
        targets = gpu_runs.targets_of(run(hidden=f'budget:{share}:random', **settings), labels)
        kept = (targets == labels.folder).all(1)
        assert np.array_equal(targets[~kept], labels.complete[~kept])
        return set(np.flatnonzero(~kept))

    assert len(bought(0.1)) == 4 and bought(0.1) < bought(0.4) and bought(0.1) != bought(0.1, seed=2)


def test_a_budget_goes_to_the_tiles_in_doubt(labels):
    logits = np.full((40, 11), 9.0)
    logits[5:9] = 0.1
    targets = gpu_runs.targets_of(run(hidden='budget:0.1:doubt'), labels, logits)
    assert np.flatnonzero((targets != labels.folder).any(1)).tolist() == [5, 6, 7, 8]


def test_sources_and_the_first_pass(labels):
    assert gpu_runs.targets_of(run(label_source='folder'), labels) is labels.folder
    assert gpu_runs.targets_of(run(), labels) is labels.complete
    assert gpu_runs.targets_of(run(hidden='first_pass'), labels) is labels.first_pass


NOTHING_DONE = gpu_runs.Plans(pd.DataFrame(columns=COLUMNS))


def test_the_search_has_equally_many_trials_for_each_method():
    runs = pd.DataFrame(NOTHING_DONE.search())
    assert set(runs.method) == {'baseline', *LOSSES}
    assert set(runs.groupby(['method', 'label_source']).size()) == {6}
    assert len(runs.fillna('').drop_duplicates()) == len(runs)


def test_every_constant_to_try_is_one_of_its_loss():
    for made in map(lambda s: Run(**s), NOTHING_DONE.search()):
        gpu_engine.make_loss(made, 4)


def row(**settings):
    made = run(**settings)
    scores = dict(
        mAP=0.5,
        F1=0.5,
        accuracy_multi=0.9,
        solved=0.1,
        solved_1err=0.2,
        valid_mAP=0.5,
        device='cpu',
        seconds=1,
        commit='abc',
        pretrained=True,
    )
    return made, dict(made.columns(), **scores)


def test_the_full_budget_takes_what_validated_best_in_the_search():
    trials = [row(**{**trial, 'labels': '0123456789ab'})[1] for trial in NOTHING_DONE.trials('em_apl')]
    for i, trial in enumerate(trials):
        trial['valid_mAP'] = 0.6 if i == 3 else 0.5
    tuned = [r for r in gpu_runs.Plans(pd.DataFrame(trials)).full() if r['method'] == 'em_apl']
    assert {(r['lr'], r['constants'], r['size']) for r in tuned} == {
        (trials[3]['lr'], trials[3]['constants'], 128)
    } and len(tuned) == 5


def test_labels_without_a_search_take_what_folder_labels_chose():
    "Rounds were not searched on the CPU, and trained at a rate that nobody had chosen"
    plans = gpu_runs.Plans(pd.DataFrame(columns=gpu_runs.COLUMNS), 'mobilenet_v2')
    tried = [trial for source in ('folder', 'complete') for trial in plans.trials('baseline', source)]
    trials = [gpu_runs.Run(**trial).columns() for trial in tried]
    for trial in trials:
        trial['valid_mAP'] = 0.6 if trial['lr'] == dict(folder=0.015, complete=0.02)[trial['label_source']] else 0.5
    plans = gpu_runs.Plans(pd.DataFrame(trials), 'mobilenet_v2')
    chosen = {source: plans.tuned(gpu_runs.SMALL, 'baseline', source)['lr'] for source in gpu_runs.SOURCES}
    assert chosen == dict(folder=0.015, rounds=0.015, complete=0.02)


def trained(made):
    return gpu_engine.Trained(
        gpu_engine.Training(made, None), np.ones((3, 11)), np.ones((2, 11)), np.ones((4, 11)), 1.0, 0.5, True
    )


FILES = dict(train=['a', 'b', 'c', 'd'], valid=['e', 'f', 'g'], test=['h', 'i'])


def test_a_run_that_diverged_has_a_row(labels):
    made, _ = row()
    lost = gpu_engine.Trained(
        gpu_engine.Training(made, None), np.full((40, 11), np.nan), np.full((40, 11), np.inf), None, 1.0, np.nan, True
    )
    lost.valid_logits, lost.test_logits = gpu_runs.finite(lost.valid_logits), gpu_runs.finite(lost.test_logits)
    tiles = gpu_runs.Scored(pd.DataFrame(dict(folder=['Car'] * 40)), labels.complete)
    its_row, thresholds = gpu_runs.row_of(lost, tiles, tiles, pd.Series(['Car']), 'cpu', 'abc')
    assert list(its_row) == COLUMNS and 0 < its_row['mAP'] < 0.3 and thresholds.shape == (11,)


class FakeSession(gpu_runs.Session):
    "A session without tiles, whose runs take no time"

    def __init__(self, at_once, train=()):
        everything = dict(methods=['baseline', *gpu_runs.METHODS], labels=gpu_runs.SOURCES, share=(1, 1))
        settings = dict(at_once=at_once, data='full', arch='mobilenet_v2', seeds=3, epochs=None, size=None)
        self.args = type('Arguments', (), {**settings, **everything})
        self.clock, self.train = gpu_runs.Clock(1e6), range(64)
        rows = pd.DataFrame(columns=COLUMNS)
        self.store = type('Store', (), dict(train=dict.fromkeys(train), rows=lambda: rows))

    def made(self, wanted):
        return run(**wanted)


def test_shares_of_a_plan_are_all_of_it():
    assert gpu_runs.share('2/3') == (2, 3)
    with pytest.raises(ValueError):
        gpu_runs.share('4/3')
    session = FakeSession(1)
    whole, shares = session.runs('small'), []
    for number in (1, 2, 3):
        session.args.share = number, 3
        shares += session.runs('small')
    assert set(shares) == set(whole) and len(shares) == len(whole) == 3 * (3 + len(LOSSES))
    assert {r.arch for r in whole} == {'mobilenet_v2'}


def test_some_methods_and_labels_of_a_plan():
    session = FakeSession(1)
    session.args.methods, session.args.labels = ['baseline', 'gr'], ['complete']
    assert {(r.method, r.label_source) for r in session.runs('small')} == {('baseline', 'complete')}
    assert {r.method for r in session.runs('hidden')} == {'baseline', 'gr'}


def test_groups_are_of_one_kind_and_of_like_size():
    runs = [run(size=64, seed=s) for s in range(9)] + [run(size=128)]
    assert [r.seed for r in FakeSession(8).group(runs)] == [0, 1, 2, 3, 4]
    assert FakeSession(8).group(runs[9:]) == runs[9:]


def test_a_run_that_follows_a_baseline_s_doubts_waits_for_it():
    baseline, follower = run(label_source='folder'), run(hidden='budget:0.1:doubt')
    assert FakeSession(8).group([follower, baseline]) == [baseline]
    assert FakeSession(8, [baseline.id]).group([follower]) == [follower]


def test_what_is_kept_is_found_again_and_goes_on(tmp_path):
    store = gpu_runs.Store(tmp_path / 'one', [], FILES)
    made, its_row = row()
    store.add(made, its_row, np.full(11, 0.5), trained(made))
    store.write()
    again = gpu_runs.Store(tmp_path / 'one', [], FILES)
    other, other_row = row(seed=2)
    again.add(other, other_row, np.full(11, 0.5), trained(other))
    again.write()
    with np.load(tmp_path / 'one' / 'test_logits.npz') as kept:
        assert set(kept.files) == {'files', made.id, f'{made.id}.thresholds', other.id, f'{other.id}.thresholds'}
        assert kept['files'].tolist() == FILES['test'] and kept[made.id].dtype == np.float32
    later = gpu_runs.Store(tmp_path / 'two', [tmp_path / 'one'], FILES)
    assert later.rows().run.tolist() == [made.id, other.id] and set(later.train) == {made.id, other.id}


def test_the_clock_begins_nothing_that_cannot_be_done():
    clock = gpu_runs.Clock(100)
    clock.learn(run(size=64), 1000, 10)  # a hundredth of a second a step
    assert clock.fit(run(size=64), 1000, 8) == 7  # of 12 s each with the margin, in 90 s
    assert clock.fit(run(size=128), 1000, 8) == 1  # four times as many pixels
    assert clock.fit(run(size=64), 10_000, 8) == 0


def test_the_first_pass_is_read_with_its_copies_and_doubts(tmp_path):
    path = tmp_path / 'passes.csv'
    path.write_text(
        'file,pass,sheet,place,labels,doubt,asked\n'
        'Car/a,first,A,1,Car;Bus,Bridge,\nCar/a,tenth,A,2,Car,,\nCar/c,first,A,3,,,\n'
    )
    table = pd.DataFrame(dict(file=['Car/c', 'Car/a', 'Bus/copy'], duplicate_group=['', 'g1', 'g1']))
    given = gpu_runs.read_first_pass(path, table)
    assert np.nansum(given, axis=1).tolist() == [0, 2, 2] and np.isnan(given).sum(1).tolist() == [0, 1, 1]
    with pytest.raises(DataError, match="no first pass over 'Car/d'"):
        gpu_runs.read_first_pass(path, pd.DataFrame(dict(file=['Car/d'], duplicate_group=[''])))


def tiny_network(arch, seed, hub, device, layout):
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), nn.BatchNorm2d(8), nn.ReLU())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 11))
    model = nn.Sequential(body, head)
    drops = gpu_engine.with_masked_dropout(head)
    return model.to(device, memory_format=layout), split, drops, False


@pytest.fixture
def tiles(monkeypatch):
    "Tiles whose class is their colour"
    monkeypatch.setattr(gpu_engine, 'make_network', tiny_network)
    torch.manual_seed(1)
    classes = torch.arange(256) % 11
    colours = torch.randint(0, 256, (11, 3, 1, 1))
    pixels = (colours[classes] + torch.randint(-9, 9, (256, 3, 40, 40))).clamp(0, 255).to(torch.uint8)
    return gpu_engine.Tiles(pixels, pixels[:60], pixels[:30]), torch.eye(11)[classes]


@pytest.mark.parametrize('method', ['baseline', *LOSSES])
def test_every_method_trains_and_the_same_again(tiles, method):
    made = run(method=method, size=32, epochs=3, lr=0.05)
    one, two = (
        gpu_engine.train_together([gpu_engine.Training(made, tiles[1])] * n, tiles[0], torch.device('cpu'))
        for n in (1, 2)
    )
    assert np.isfinite(one[0].valid_logits).all() and one[0].valid_logits.shape == (60, 11)
    assert all(np.array_equal(one[0].test_logits, again.test_logits) for again in two)  # beside others, too


def test_it_learns(tiles):
    made = run(size=32, epochs=12, lr=0.1)
    done = gpu_engine.train_together([gpu_engine.Training(made, tiles[1])], tiles[0], torch.device('cpu'))[0]
    right = (done.valid_logits.argmax(1) == tiles[1][:60].argmax(1).numpy()).mean()
    assert right > 0.8


def test_what_nobody_knows_takes_no_part(tiles):
    made, targets = run(size=32, epochs=2), tiles[1].clone()
    targets[:, 3] = torch.nan
    torch.manual_seed(0)
    other = gpu_engine.Trainer(gpu_engine.Training(made, targets), tiles[0], torch.device('cpu'))
    other.start_epoch(0)
    other.play_step()
    assert torch.isfinite(other.total) and other.model[1][-1].weight.grad[3].abs().max() == 0
    assert other.model[1][-1].weight.grad[2].abs().max() > 0


def test_pseudo_labels_come_from_one_state_of_the_network_in_evaluation_mode(tiles, monkeypatch):
    seen = []
    monkeypatch.setattr(EntropyMax, 'end_epoch', lambda self, epoch, probs, targets: seen.append((epoch, probs)))
    made = run(method='em_apl', size=32, epochs=3)
    gpu_engine.train_together([gpu_engine.Training(made, tiles[1])], tiles[0], torch.device('cpu'))
    assert [epoch for epoch, _ in seen] == [1, 2] and all(p.shape == (256, 11) for _, p in seen)


class PlayedAgain:
    "Stands for a CUDA graph: what was recorded runs once more"

    def __init__(self):
        self.recorded = None

    def replay(self):
        self.recorded()


class RecordingTrainer(gpu_engine.Trainer):
    "Records its steps without a GPU"

    def __init__(self, training, tiles, device, graphs, channels_last):
        super().__init__(training, tiles, device, graphs, channels_last)
        self.graphs = graphs

    def record(self):
        super().record()
        self.graph.recorded = self.one_step


@pytest.mark.parametrize('method', ['baseline', 'role', 'll_cp', 'em_apl'])
def test_recording_a_step_leaves_no_trace(tiles, method, monkeypatch):
    "Trial steps and the recording move weights, averages, counters and tables, and all of it is put back"
    monkeypatch.setattr(gpu_engine, 'Trainer', RecordingTrainer)
    monkeypatch.setattr(torch.cuda, 'CUDAGraph', PlayedAgain)
    monkeypatch.setattr(torch.cuda, 'graph', lambda graph, stream: nullcontext())
    made = run(method=method, size=32, epochs=2, lr=0.05)
    plain, recorded = (
        gpu_engine.train_together([gpu_engine.Training(made, tiles[1])], tiles[0], torch.device('cpu'), graphs)[0]
        for graphs in (False, True)
    )
    assert np.array_equal(plain.test_logits, recorded.test_logits) and plain.loss == recorded.loss
