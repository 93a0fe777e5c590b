"""Train the runs of a plan in one process on one GPU, and write after each group of them what they scored.

Usage: python benchmarks/gpu_runs.py --out FOLDER [--plan first_look search full …] [--limit SECONDS]
       OMP_NUM_THREADS=1 python benchmarks/gpu_runs.py --out FOLDER --device cpu --arch mobilenet_v2 --share 1/2 …

`results/PROTOCOL.md` says what the plans compare and how. A plan is one of those below (`--plan help` lists them with
their lengths), or a JSON file with a list of settings of `recaptcha.run.Run`. What FOLDER or a folder of `--done` holds
already is skipped. It ends by itself within `--limit` seconds, and begins nothing that would not be done by then.

FOLDER gets `rows.csv`, with the columns of `results/runs.csv`, and three archives, written anew as a whole each time:
- test_logits.npz: for each run, by its id, the logits of the test tiles (float32), and its thresholds as ID.thresholds;
- valid_logits.npz: those of the validation tiles (float16);
- train_logits.npz: those of the training tiles (float16), of runs whose doubts choose what a budget is spent on.
Each archive names its tiles under `files`.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from gpu_engine import Tiles, Training, fastest, train_together

from recaptcha.batches import decode_tiles, encode_labels
from recaptcha.cpu import cpu_has_bf16, keep_freed_memory
from recaptcha.files import written
from recaptcha.fit import source_targets
from recaptcha.losses import LOSSES
from recaptcha.metrics import complete_thresholds, mean_ap, report
from recaptcha.run import Run, code_version, label_files, short_hash
from recaptcha.runtable import COLUMNS, add_row, read_table
from recaptcha.tiles import (
    LABEL_SOURCES,
    DataError,
    labels_folder,
    load_tiles,
    training_tiles,
    validation_fifth,
    with_known,
)

PASSES = (
    Path(__file__).parent.parent / 'results' / 'annotation_passes.csv'
)  # every answer of the annotation, pass by pass
ROWS = 'rows.csv'
ARCHIVES = dict(test='test_logits.npz', valid='valid_logits.npz', train='train_logits.npz')


# Plans: a list of runs each, the most important ones first

SMALL = dict(size=64, epochs=3, freeze_epochs=1)
FULL = dict(size=128, epochs=11, freeze_epochs=1)
LITE0 = 'tf_efficientnet_lite0'
SOURCES = 'folder', 'complete', 'rounds'
FIRST = 'em_apl', 'role', 'gr', 'll_r', 'ls_v2'  # of the methods, in this order
METHODS = [*FIRST, *(m for m in LOSSES if m not in FIRST)]
RATES = 0.01, 0.02

TRIALS = dict(  # constants to try, each at both rates; methods that have none try six rates
    em_apl=('alpha=0.2 beta=0.02', 'alpha=0.1 beta=0.9', 'alpha=0.01 beta=0.4'),  # the authors' for VOC, COCO, CUB
    role=('lr=0.01', 'lr=0.1', 'lr=1'),  # of its table: the network's rate times 1, 10 (the paper's), 100
    gr=(
        'w=0:2 b=-2:-2 sigma=2:0.5 q2=0.01 q3=1',
        'w=0:2 b=-3:-3 sigma=2:0.5 q2=0.01 q3=1',
        'w=0:4 b=-4:-3 sigma=2:0.8 q2=0.5 q3=0.5',
    ),
    ll_r=('share=0.009', 'share=0.018', 'share=0.045'),  # the paper's 0.1, 0.2 and 0.5 % an epoch
    ll_ct=('share=0.009', 'share=0.018', 'share=0.045'),
    ll_cp=('share=0.009', 'share=0.018', 'share=0.045'),
    ls_v2=('eps_pos=0.07 eps_neg=0.02', 'eps_pos=0.07 eps_neg=0.045', 'eps_pos=0.07 eps_neg=0.09'),
    ls_v1=('eps_pos=0.0455 eps_neg=0.0045', 'eps_pos=0.0909 eps_neg=0.0091', 'eps_pos=0.1818 eps_neg=0.0182'),
    an_ls=('eps_pos=0.025 eps_neg=0.025', 'eps_pos=0.05 eps_neg=0.05', 'eps_pos=0.1 eps_neg=0.1'),
    wan=('weight=0.03', 'weight=0.1', 'weight=0.3'),
    asl=('gamma_neg=1 margin=0.05', 'gamma_neg=2 margin=0.05', 'gamma_neg=4 margin=0.05'),
    focal=('gamma_pos=0.5 gamma_neg=0.5', 'gamma_pos=1 gamma_neg=1', 'gamma_pos=2 gamma_neg=2'),
)
SIX_RATES = 0.0035, 0.005, 0.01, 0.015, 0.02, 0.03


@dataclass
class Plans:
    "Lists of runs, for one architecture; `rows` are those of runs that are done, from which settings are chosen"

    rows: pd.DataFrame
    arch: str = LITE0
    seeds: int = 5

    def settings(self, budget, method='baseline', source='folder', **other):
        return dict(budget, method=method, arch=self.arch, label_source=source, **other)

    def trials(self, method, source='folder'):
        "Equally many for every method, all with seed 1"
        if method not in TRIALS:
            return [self.settings(SMALL, method, source, lr=lr) for lr in SIX_RATES]
        return [self.settings(SMALL, method, source, lr=lr, constants=c) for c in TRIALS[method] for lr in RATES]

    def searched(self, method, source):
        "Rows of the search of a method with these labels"
        rows = self.rows
        return rows[
            (rows.method == method)
            & (rows.label_source == source)
            & (rows.hidden == '')
            & (rows.seed == 1)
            & (rows['size'] == SMALL['size'])
            & (rows.arch == self.arch)
        ]

    def tuned(self, budget, method='baseline', source='folder', **other):
        "The settings that validated best in the search, at another budget or of other labels"
        found = self.searched(method, source)
        if found.empty:  # of no search of its own: what folder labels chose
            found = self.searched(method, 'folder')
        if len(found):
            best = found.loc[found.valid_mAP.idxmax()]
            other = dict(lr=float(best.lr), constants=best.constants, **other)
        return self.settings(budget, method, source, **other)

    def every_seed(self, *what, **other):
        return [self.tuned(*what, seed=seed, **other) for seed in range(1, self.seeds + 1)]

    def every_method(self, budget):
        of_labels = [run for source in SOURCES for run in self.every_seed(budget, 'baseline', source)]
        return of_labels + [run for method in METHODS for run in self.every_seed(budget, method)]

    def first_look(self):
        "What complete labels are worth by themselves, at the small budget and a rate of 0.01"
        return [self.settings(SMALL, source=s, seed=seed) for s in SOURCES for seed in (1, 2, 3)]

    def search(self):
        "The same number of trials for each method, to be chosen from on validation"
        return [run for s in SOURCES for run in self.trials('baseline', s)] + [
            run for method in METHODS for run in self.trials(method)
        ]

    def full(self):
        "Every method at 128 pixels and twelve epochs"
        return self.every_method(FULL)

    def small(self):
        "Every method at 64 pixels and four epochs"
        return self.every_method(SMALL)

    def hidden(self):
        "One positive of the complete labels, drawn at random, in place of the one that the folder names"
        return [
            dict(run, label_source='complete', hidden='random_positive')
            for method in ('baseline', *METHODS)
            for run in self.every_seed(SMALL, method)
        ]

    def budget(self):
        "Complete labels for a share of the tiles, random or doubted by a baseline; the folder's for the others"
        ways = [f'budget:{share}:{how}' for share in (0.05, 0.1, 0.2, 0.4) for how in ('random', 'doubt')]
        baselines = self.every_seed(SMALL)
        return baselines + [dict(run, label_source='complete', hidden=way) for way in ways for run in baselines]

    def noise(self):
        "Labels of the first pass, to be compared with the adjudicated ones"
        return [
            run
            for budget in (SMALL, FULL)
            for run in self.every_seed(budget, 'baseline', 'complete', hidden='first_pass')
        ]


PLANS = 'first_look', 'search', 'full', 'small', 'hidden', 'budget', 'noise'


# What runs learn from


@dataclass
class Labels:
    "What is known of training tiles, by source; 0 or 1, NaN where nobody knows, each of shape (tiles, classes)"

    folder: np.ndarray
    rounds: np.ndarray
    complete: np.ndarray
    first_pass: np.ndarray = None


def read_sources(table, mode):
    "Labels of the rows of `table`, from every source"
    return {s: source_targets(with_known(table, s, labels_folder(mode)), s) for s in LABEL_SOURCES}


def read_first_pass(path, table):
    "What the first pass over all tiles said, as `Labels` has it; copies of a tile are the same picture"
    passes = pd.read_csv(path, dtype=str, keep_default_na=False)
    said = passes[passes['pass'] == 'first'].set_index('file')[['labels', 'doubt']]
    groups = table.duplicate_group.where(table.duplicate_group != '', table.file)
    there = table.file.isin(said.index)
    first_of = dict(zip(groups[there], table.file[there]))
    if gone := [f for f, g in zip(table.file, groups) if g not in first_of]:
        raise DataError(f'{path}: no first pass over {gone[0]!r} ({len(gone)} in all)')
    rows = said.loc[[first_of[g] for g in groups]]
    there, unsure = (encode_labels(rows[c].str.split(';')).numpy() for c in ('labels', 'doubt'))
    return np.where(unsure > 0, np.float32(np.nan), there)


def one_positive(labels, seed):
    "One of the labels of each tile that has any, drawn at random; nothing else is observed"
    there = np.nan_to_num(labels)
    draw = np.random.default_rng(seed).random(there.shape) * there
    return ((draw == draw.max(1, keepdims=True)) & (there > 0)).astype(np.float32)


def doubt(logits):
    "A network's mean entropy over the classes, for each tile"
    p = sigmoid(finite(logits)).clip(1e-9, 1 - 1e-9)
    return -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean(1)


def bought(labels, share, how, seed, logits):
    "Complete labels for a share of the tiles, the folder's for the others"
    n = len(labels.folder)
    order = np.argsort(-doubt(logits)) if how == 'doubt' else np.random.default_rng(seed).permutation(n)
    targets = labels.folder.copy()
    chosen = order[: round(float(share) * n)]
    targets[chosen] = labels.complete[chosen]
    return targets


def targets_of(run, labels, logits=None):
    "What a run learns from, as `Labels` has it; `logits` of the baseline whose doubts it follows"
    if run.hidden == 'random_positive':
        return one_positive(labels.complete, run.seed)
    if run.hidden == 'first_pass':
        return labels.first_pass
    if run.hidden:
        _, share, how = run.hidden.split(':')
        return bought(labels, share, how, run.seed, logits)
    return getattr(labels, run.label_source)


# What runs score


def sigmoid(z):
    return 1 / (1 + np.exp(-z.astype(np.float64)))


def finite(logits):
    "Logits as they are kept: those of a run that has diverged say nothing"
    return np.nan_to_num(logits, nan=0, posinf=100, neginf=-100).clip(-100, 100)


def row_of(trained, valid, test, like, device, commit):
    "A row of the table of runs, and the run's thresholds; `valid` and `test` as `Scored`, folders mixed as in `like`"
    run = trained.training.run
    probs = sigmoid(trained.valid_logits.astype(np.float16))  # as kept
    thresholds = complete_thresholds(probs, valid.truth, valid.table.folder, like)
    scores = report(sigmoid(trained.test_logits), test.truth, thresholds)
    scores['valid_mAP'] = mean_ap(probs, valid.truth)
    row = dict(
        run.columns(),
        device=device,
        seconds=round(trained.seconds),
        commit=commit,
        pretrained=trained.pretrained,
        **{k: round(float(v), 4) for k, v in scores.items()},
    )
    return {c: row[c] for c in COLUMNS}, thresholds.astype(np.float32)


@dataclass
class Scored:
    "Tiles and their complete labels, of shape (tiles, classes)"

    table: pd.DataFrame
    truth: np.ndarray  # 0 or 1, NaN where nobody knows


# What is kept


class Store:
    "What runs leave in a folder, and what earlier ones left in others"

    def __init__(self, folder, earlier, files):
        self.folder, self.files = Path(folder), files
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kept = {name: self._read(self.folder / archive) for name, archive in ARCHIVES.items()}
        self.earlier = [Path(e) for e in earlier]
        self.rows_to_write = []
        self.train = dict(self.kept['train'])  # and those of earlier sessions
        for e in self.earlier:
            self.train |= self._read(e / ARCHIVES['train'])

    @staticmethod
    def _read(path):
        if not path.is_file():
            return {}
        with np.load(path, allow_pickle=False) as kept:
            return {k: kept[k] for k in kept.files if k != 'files'}

    def rows(self):
        tables = [read_table(f / ROWS) for f in (*self.earlier, self.folder) if (f / ROWS).is_file()]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)

    def add(self, run, row, thresholds, trained):
        self.kept['test'] |= {run.id: trained.test_logits.astype(np.float32), f'{run.id}.thresholds': thresholds}
        self.kept['valid'][run.id] = trained.valid_logits.astype(np.float16)
        if trained.train_logits is not None:
            self.kept['train'][run.id] = self.train[run.id] = trained.train_logits.astype(np.float16)
        self.rows_to_write.append(row)

    def write(self):
        "The archives, then the rows, by which a run counts as done"
        for name, archive in ARCHIVES.items():
            with written(self.folder / archive, 'wb') as file:
                np.savez(file, files=np.array(self.files[name]), **self.kept[name])
        for row in self.rows_to_write:
            add_row(self.folder / ROWS, row)
        self.rows_to_write = []


# The session


def cpu_name():
    "As the rows of `recaptcha-train` name it"
    return f"cpu, {torch.get_num_threads()} threads, {'bf16' if cpu_has_bf16() else 'fp32'}"


def share(text):
    "`2/3` as (2, 3)"
    number, of = map(int, text.split('/'))
    if not 1 <= number <= of:
        raise ValueError
    return number, of


class Clock:
    "How long runs will take, from how long others took"

    def __init__(self, limit):
        self.start, self.limit, self.rates = time.time(), limit, {}

    def left(self):
        return self.limit - (time.time() - self.start)

    def learn(self, run, steps, seconds):
        self.rates[run.arch, run.size] = seconds / steps

    def rate(self, run):
        "Seconds a step; of another size where this one is new, by its pixels"
        if (run.arch, run.size) in self.rates:
            return self.rates[run.arch, run.size]
        known = [rate * max(1, (run.size / size) ** 2) for (_, size), rate in self.rates.items()]
        return max(known, default=0.002)

    def fit(self, run, steps, at_once):
        "How many runs of `steps` steps would be done in the time that is left"
        return min(at_once, int((self.left() - 10) / (1.2 * steps * self.rate(run))))


class Session:
    "The runs of one process"

    def __init__(self, args):
        self.args, self.device = args, torch.device(args.device)
        self.clock = Clock(args.limit)
        self._load()
        self.how = dict(graphs=False, channels_last=True)
        self.commit = args.commit or code_version()
        self.device_name = torch.cuda.get_device_name() if self.device.type == 'cuda' else cpu_name()

    def _load(self):
        mode = 'toy' if self.args.data == 'toy' else 'full'
        table = load_tiles(mode)
        rest = training_tiles(table)
        valid = validation_fifth(rest)
        parts = [t.reset_index(drop=True) for t in (rest[~valid], rest[valid], table[table.set == 'test'])]
        self.train, self.valid, self.test = parts
        first = read_first_pass(PASSES, self.train) if mode == 'full' else None
        self.labels = Labels(**read_sources(self.train, mode), first_pass=first)
        self.scored = (
            Scored(self.valid, read_sources(self.valid, mode)['complete']),
            Scored(self.test, encode_labels(self.test.labels).numpy()),
        )
        self.like = table[table.set == 'small'].folder
        files = dict(zip(('train', 'valid', 'test'), (p.file.tolist() for p in parts)))
        self.store = Store(self.args.out, self.args.done, files)
        self.tiles = Tiles(*(decode_tiles(p.path).to(self.device) for p in parts))

    def made(self, wanted):
        "The run of these settings, with the hash of the label files as they lie here"
        run = Run.here(data=self.args.data, **wanted)
        if run.hidden != 'first_pass':
            return run
        return replace(run, labels=short_hash(*label_files(run.data, run.label_source), PASSES))

    def plans(self):
        return Plans(self.store.rows(), self.args.arch, self.args.seeds)

    def runs(self, plan):
        "The runs of a plan that are not done, once each, after the baselines whose doubts they follow"
        plans = self.plans()
        wanted = getattr(plans, plan)() if plan in PLANS else json.loads(Path(plan).read_text())
        changes = {k: v for k, v in (('epochs', self.args.epochs), ('size', self.args.size)) if v}
        made = [self.made({**w, **changes}) for w in wanted]
        done = set(plans.rows.run)
        missing = [run for run in made if run.id not in done and self.asked_for(run)]
        share, of = self.args.share
        missing = list(dict.fromkeys(missing))[share - 1 :: of]
        followed = [self.doubter(run) for run in missing if not self.ready(run)]
        return list(dict.fromkeys([*followed, *missing]))

    def asked_for(self, run):
        return run.method in self.args.methods and run.label_source in self.args.labels

    def doubter(self, run):
        "The baseline whose doubts a run follows, or None"
        if not run.hidden.endswith(':doubt'):
            return None
        return self.made(
            {
                **{k: getattr(run, k) for k in ('size', 'epochs', 'freeze_epochs', 'arch', 'seed', 'lr', 'bs')},
                'label_source': 'folder',
            }
        )

    def training(self, run):
        logits = self.store.train.get(self.doubter(run).id) if self.doubter(run) else None
        return Training(run, torch.tensor(targets_of(run, self.labels, logits), dtype=torch.float))

    def ready(self, run):
        return self.doubter(run) is None or self.doubter(run).id in self.store.train

    def group(self, runs):
        "The next runs that can be trained at the same time, in the order of the plan"
        first = next(r for r in runs if self.ready(r))
        same = [
            r
            for r in runs
            if self.ready(r)
            and all(getattr(r, k) == getattr(first, k) for k in ('arch', 'size', 'epochs', 'freeze_epochs', 'bs'))
        ]
        groups = -(-len(same) // self.args.at_once)
        return same[: self.clock.fit(first, self.steps(first), -(-len(same) // groups))]

    def steps(self, run):
        return (len(self.train) // run.bs) * (run.freeze_epochs + run.epochs)

    def train_group(self, runs):
        "Train and keep some runs"
        began = time.time()
        trainings = [self.training(r) for r in runs]
        doubters = {r.id for r in runs if r.method == 'baseline' and r.label_source == 'folder'}
        for trained in self._together(trainings, doubters):
            run = trained.training.run
            trained.valid_logits, trained.test_logits = finite(trained.valid_logits), finite(trained.test_logits)
            row, thresholds = row_of(trained, *self.scored, self.like, self.device_name, self.commit)
            self.store.add(run, row, thresholds, trained)
            say(f'{told(run)}: {told_scores(row)}, loss {trained.loss:.3f}')
        self.store.write()
        self.clock.learn(runs[0], self.steps(runs[0]) * len(runs), time.time() - began)

    def _together(self, trainings, doubters):
        try:
            return train_together(trainings, self.tiles, self.device, doubters=doubters, **self.how)
        except RuntimeError as e:
            if not self.how['graphs']:
                raise
            say(f'recorded steps failed ({str(e)[:300]}); training without them')
            self.how['graphs'] = False
            return train_together(trainings, self.tiles, self.device, doubters=doubters, **self.how)

    def choose_how(self):
        "Whether steps are recorded, and how pictures lie in memory: tried out on the device"
        if self.device.type == 'cuda' and not self.args.eager:
            run = self.made(self.plans().settings(SMALL))
            self.how, seconds = fastest(self.training(run), self.tiles, self.device, say)
            self.clock.learn(run, 1, seconds)

    def plan(self, plan):
        "Train a plan as far as time goes; is all of it done?"
        runs = self.runs(plan)
        say(f'{plan}: {len(runs)} runs to train')
        while runs:
            group = self.group(runs)
            if not group:
                say(f'{plan}: {len(runs)} runs left, {self.clock.left():.0f} s too few for the next one')
                return False
            began = time.time()
            self.train_group(group)
            runs = [r for r in runs if r not in group]
            say(
                f'{plan}: {len(group)} in {time.time() - began:.1f} s, {len(runs)} to go; {self.clock.left():.0f} s '
                f'left'
            )
        return True


def told(run):
    "A run in a line"
    what = [
        run.method,
        run.label_source,
        run.hidden,
        run.constants,
        f'lr {run.lr:g}',
        f'{run.size} px',
        f's{run.seed}',
    ]
    return ' '.join(part for part in what if part)


def told_scores(row):
    return f"valid {row['valid_mAP']:.3f} test {row['mAP']:.3f} F1 {row['F1']:.3f}"


def say(text):
    print(text, file=sys.stderr, flush=True)


def probe(session):
    "Seconds a step of one run and of several at the same time, at both sizes"
    for budget in (SMALL, FULL):
        run = session.made(dict(session.plans().settings(budget), epochs=1, freeze_epochs=0))
        for n in (1, session.args.at_once, 2 * session.args.at_once):
            began = time.time()
            done = train_together(
                [session.training(replace(run, seed=s + 1)) for s in range(n)],
                session.tiles,
                session.device,
                **session.how,
            )
            each = (time.time() - began) / n / session.steps(run)
            say(f"probe: {run.size} px, {n} runs: {1000 * each:.2f} ms a step and run, loss {done[0].loss:.4f}")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--out', help='folder for rows and logits')
    p.add_argument(
        '--plan', nargs='+', default=list(PLANS), help='names of plans, or JSON files; all of them, in order'
    )
    p.add_argument('--limit', type=float, default=1e9, help='seconds after which it ends')
    p.add_argument(
        '--done', nargs='*', default=[], help='folders of earlier sessions, whose runs are skipped and chosen from'
    )
    p.add_argument('--data', default='full', choices=['full', 'toy'])
    p.add_argument('--arch', default=LITE0, help='architecture of the plans (default: %(default)s)')
    p.add_argument('--seeds', type=int, default=5, help='of each comparison (default: %(default)s)')
    p.add_argument('--methods', nargs='+', default=['baseline', *METHODS], help='only these (default: all)')
    p.add_argument('--labels', nargs='+', default=SOURCES, choices=SOURCES, help='only from these (default: all)')
    p.add_argument(
        '--share', type=share, default=(1, 1), help='2/3: the second of three shares, for several processes'
    )
    p.add_argument('--at-once', type=int, default=10, help='runs that train at the same time')
    p.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    p.add_argument('--eager', action='store_true', help='no CUDA graphs')
    p.add_argument('--commit', help='version of the code, where git is not at hand')
    p.add_argument('--epochs', type=int, help='of the whole network, instead of the plan\'s, for a trial')
    p.add_argument('--size', type=int, help='pixels a side, instead of the plan\'s, for a trial')
    p.add_argument('--probe', action='store_true', help='measure the speed, and train nothing that is kept')
    return p.parse_args()


def main():
    args = arguments()
    if args.plan == ['help']:
        plans = Plans(pd.DataFrame(columns=COLUMNS), args.arch, args.seeds)
        for name in PLANS:
            plan = getattr(plans, name)
            print(f'{name:11} {len(plan()):4} runs  {plan.__doc__}')
        return
    if not args.out:
        raise SystemExit('gpu_runs: --out says where rows and logits go')
    if args.device == 'cpu':
        keep_freed_memory()
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    session = Session(args)
    say(
        f'{session.device_name}, commit {session.commit}; '
        f'{len(session.train)} tiles to train on, {len(session.valid)} to validate, '
        f'{len(session.test)} to test; ready after {time.time() - session.clock.start:.1f} s'
    )
    session.choose_how()
    if args.probe:
        return probe(session)
    for plan in args.plan:
        if not session.plan(plan):
            return


if __name__ == '__main__':
    try:
        main()
    except DataError as e:
        raise SystemExit(f'gpu_runs: {e}') from None
