"""Numbers and figures of the post on stochastic gradient descent.

Usage: python benchmarks/post_sgd.py

A logistic classifier with two weights tells tiles of the folder `Hydrant` from the rest, by how red a tile is and by
its share of edge pixels. Two weights make a loss that can be drawn. The script measures batches, rates, noise and
stopping on it, prints one table and writes it to results/posts/sgd.csv; the figures go to images/posts/sgd/. Everything
is seeded, and the labels are folder labels. The runs of one experiment are columns of one tensor, so that all of them
take their steps together.
"""
import argparse
import copy
import csv
import math
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from fastai.callback.schedule import combined_cos

from recaptcha.batches import decode_tiles
from recaptcha.style import BLUE, GREY, INK, ORANGE, RED, style
from recaptcha.tiles import copy_safe_splitter, load_tiles, training_tiles

ROOT = Path(__file__).resolve().parent.parent
FIGURES, TABLE = ROOT/'images/posts/sgd', ROOT/'results/posts/sgd.csv'
START, CLOSE = torch.tensor([-2., 2.]), 1.01  # where every path begins; "close" is a loss at most 1 % above the lowest
RATES = [10**(k/4) for k in range(-10, 9)]  # 0.003 to 100, four a decade
ROWS = []


def note(experiment, setting, quantity, values, digits=4):
    "One row of the table: the median of `values`, and their range where there are several"
    values = sorted(float(v) for v in (values if isinstance(values, (list, tuple)) else [values]))
    middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    ROWS.append(
        [experiment, setting, quantity, *(f'{v:.{digits}g}' for v in (middle, values[0], values[-1])), len(values)]
    )


def features(pixels):
    """Redness (mean grey levels of red above the other two) and share of edge pixels (over 30 levels from a neighbour),
    shape (tiles, 2)
    """
    out = []
    for x in pixels.split(500):
        x = x.float()
        grey = x.mean(1)
        right, down = (grey[:, :-1, 1:] - grey[:, :-1, :-1]).abs(), (grey[:, 1:, :-1] - grey[:, :-1, :-1]).abs()
        out.append(
            torch.stack(
                [
                    (x[:, 0] - (x[:, 1] + x[:, 2]) / 2).mean((1, 2)),
                    (torch.maximum(right, down) > 30).float().mean((1, 2)),
                ],
                1,
            )
        )
    return torch.cat(out)


class Problem:
    """The features, targets and loss; the bias stays where the best classifier has it, so that two weights are left to
    learn
    """
    def __init__(self, table, pixels):
        y, raw = torch.tensor((table.folder=='Hydrant').to_numpy()).float(), features(pixels)
        train, valid = [list(ids) for ids in copy_safe_splitter(0.2, seed=42)(table)]
        x = (raw-raw[train].mean(0))/raw[train].std(0)
        self.x, self.y, self.split, self.raw_std = x[train], y[train], (train, valid), raw[train].std(0)
        full, w = torch.cat([x[train], torch.ones(len(train), 1)], 1).double(), torch.zeros(3).double()
        for _ in range(20):  # Newton's method finds the lowest point to machine precision
            p = torch.sigmoid(full@w)
            w = w-torch.linalg.solve((full*(p*(1-p))[:, None]).T@full, full.T@(p-self.y))
        self.best, self.bias = w[:2].float(), w[2].item()
        self.lowest = self.loss(self.best[None]).item()
    def loss(self, w):
        "Loss over all training tiles for each row of `w`"
        return torch.cat(
            [
                F.binary_cross_entropy_with_logits(
                    part @ self.x.T + self.bias, self.y.expand(len(part), -1), reduction='none'
                ).mean(1)
                for part in w.split(64)
            ]
        )

    def gradients(self, w, ids):
        "Gradient of each run, `w` of shape (runs, 2), on its own batch, `ids` of shape (runs, bs)"
        x = self.x[ids]
        return ((torch.sigmoid((x*w[:, None]).sum(2)+self.bias)-self.y[ids])[..., None]*x).mean(1)
    def curvature(self, w, scale=1):
        "Eigenvalues of the matrix of second derivatives at `w`, smallest first, with features multiplied by `scale`"
        p, x = torch.sigmoid(self.x@w+self.bias), (self.x*scale).double()
        return torch.linalg.eigvalsh((x*(p*(1-p))[:, None]).T@x/len(x))
    def descend(self, bs, rates, epochs, seeds=(1,), momentum=0., schedule=None, start=START):
        "Weights after each step, shape (steps+1, rates, seeds, 2); runs of one seed see the same batches"
        gens = [torch.Generator().manual_seed(s) for s in seeds]
        rate = torch.tensor(rates)[:, None, None]
        w = start.repeat(len(rates), len(seeds), 1)
        v, path, per_epoch = torch.zeros_like(w), [w], len(self.x)//bs
        for epoch in range(epochs):
            order = torch.stack([torch.randperm(len(self.x), generator=g) for g in gens])
            for s in range(per_epoch):
                ids = order[:, s*bs:(s+1)*bs].repeat(len(rates), 1)
                v = momentum*v+self.gradients(w.flatten(0, 1), ids).view_as(w)
                w = w-rate*v*(schedule((epoch*per_epoch+s)/(epochs*per_epoch)) if schedule else 1)
                path.append(w)
        return torch.stack(path)
    def steps_to_close(self, path, every=1):
        """Step, to a multiple of `every`, from which on the loss stays close to the lowest; infinite where it does not;
        shape (rates, seeds)
        """
        path = path[::every]
        stays = (self.loss(path.reshape(-1, 2))<=CLOSE*self.lowest).view(path.shape[:3]).flip(0).cumprod(0).sum(0)
        return torch.where(stays>0, (len(path)-stays)*every, math.inf)


def figure(title, xlabel, ylabel, height=3.4, **axes):
    fig, ax = plt.subplots(figsize=(4.4, height), layout='constrained')
    ax.set(xlabel=xlabel, ylabel=ylabel, **axes)
    fig.suptitle(title)
    return fig, ax


def save(fig, name):
    fig.savefig(FIGURES / name, backend='module://recaptcha.style', metadata={'Date': None})
    plt.close(fig)


def loop():
    "The six steps as boxes, and the way back from the fifth to the second"
    fig, ax = plt.subplots(figsize=(4.4, 3), layout='constrained')
    ax.set(xlim=(0, 3), ylim=(0.25, 2.05))
    ax.axis('off')
    boxes = [
        ('1. Init', 'choose $w$'),
        ('2. Predict', '$p = \\sigma(w \\cdot x + b)$'),
        ('3. Loss', '$L$, averaged'),
        ('4. Gradient', '$\\partial L / \\partial w$'),
        ('5. Step', '$w - \\eta\\,\\partial L / \\partial w$'),
        ('6. Stop?', 'validation loss'),
    ]
    places = [(0.5, 1.7), (1.5, 1.7), (2.5, 1.7), (2.5, 0.6), (1.5, 0.6), (0.5, 0.6)]
    for (name, what), (x, y) in zip(boxes, places):
        ax.text(x, y + 0.12, name, ha='center', va='center', fontsize=12, fontweight='bold')
        ax.text(x, y - 0.12, what, ha='center', va='center', fontsize=10.5)
        edge = BLUE if name[0] in '2345' else GREY
        ax.add_patch(plt.Rectangle((x - 0.42, y - 0.3), 0.84, 0.6, fill=False, edgecolor=edge, lw=1.6))
    for (x, y), (to_x, to_y) in zip(places, places[1:]):
        across = 0.42 * (to_x > x) - 0.42 * (to_x < x)
        up = 0.3 * (to_y > y) - 0.3 * (to_y < y)
        ax.annotate('', (to_x - across, to_y - up), (x + across, y + up), arrowprops=dict(arrowstyle='->', color=GREY))
    ax.annotate('', (1.5, 1.4), (0.5, 0.9), arrowprops=dict(arrowstyle='->', color=ORANGE, lw=2))
    ax.text(0.93, 1.22, 'not yet', ha='right', va='center', color=ORANGE, fontsize=11)
    save(fig, 'loop.svg')


def slopes(p, h=0.01):
    "The derivative of the loss by each weight at the start: by trial, and by the chain rule"
    exact = p.gradients(START[None], torch.arange(len(p.x))[None])[0]
    for k, name in enumerate(('redness', 'edge share')):
        moved = START.clone()
        moved[k] += h
        tried = (p.loss(moved[None]) - p.loss(START[None])) / h
        note('slopes', f'start, weight of {name}', f'loss after it grew by {h:g}', p.loss(moved[None]), 5)
        note('slopes', f'start, weight of {name}', 'slope by trial', tried, 3)
        note('slopes', f'start, weight of {name}', 'slope by the chain rule', exact[k], 3)


def lowest_loss(x, y):
    "The lowest loss of a logistic classifier with a bias, by Newton's method"
    full, w = torch.cat([x, torch.ones(len(x), 1)], 1).double(), torch.zeros(x.shape[1] + 1).double()
    for _ in range(20):
        q = torch.sigmoid(full @ w)
        w = w - torch.linalg.solve((full * (q * (1 - q))[:, None]).T @ full, full.T @ (q - y))
    return F.binary_cross_entropy_with_logits(full @ w, y.double()).item()


def free_bias(p):
    "Exercise 1: a third weight, the bias, from the same start"
    free = copy.copy(p)
    free.x, free.bias = torch.cat([p.x, torch.ones(len(p.x), 1)], 1), 0.0
    start = torch.tensor([*START.tolist(), p.bias])
    path = free.descend(64, [0.3], 4, start=start)[:, 0, 0]
    note('exercises', 'bias learnt too, batches of 64, rate 0.3, 4 epochs', 'highest bias on the way', path[:, 2].max())
    note('exercises', 'bias learnt too, batches of 64, rate 0.3, 4 epochs', 'lowest bias on the way', path[:, 2].min())
    for name, value in zip(('weight of redness', 'weight of edge share', 'bias'), path[-1]):
        note('exercises', 'bias learnt too, batches of 64, rate 0.3, 4 epochs', f'{name} at the end', value, 3)
    note('exercises', 'bias learnt too, batches of 64, rate 0.3, 4 epochs', 'loss at the end', free.loss(path[-1:]))


def palms(p, table, pixels):
    "Exercise 2: palms told by the blueness of the upper half of the tile"
    upper = torch.cat([part[:, :, : part.shape[2] // 2].float().mean((2, 3)) for part in pixels.split(500)])
    blue = (upper[:, 2] - (upper[:, 0] + upper[:, 1]) / 2)[p.split[0], None]
    y = torch.tensor((table.folder == 'Palm').to_numpy()).float()[p.split[0]]
    share = y.mean().item()
    constant = -share * math.log(share) - (1 - share) * math.log(1 - share)
    note('exercises', 'Palm', 'loss of the same answer for every tile', constant)
    note('exercises', 'Palm', 'lowest loss with blueness', lowest_loss((blue - blue.mean()) / blue.std(), y))


def as_they_are(p):
    "Exercise 3: full batches on features in grey levels and shares, at nine tenths of the highest stable rate"
    raw = copy.copy(p)
    raw.x = p.x * p.raw_std
    w, every = (START / p.raw_std)[None], torch.arange(len(p.x))[None]
    rate = 0.9 * 2 / p.curvature(p.best, p.raw_std)[1].item()
    steps = 0
    while raw.loss(w).item() > CLOSE * p.lowest:
        for _ in range(100):
            w = w - rate * raw.gradients(w, every)
        steps += 100
    note('exercises', 'features as they are', 'rate', rate, 2)
    note('exercises', 'features as they are', 'steps until within 1 %', steps, 6)


def paths(p):
    "Full batch and minibatches from one start, four epochs each"
    fig, ax = figure(
        'Four exact steps or 552 small ones', 'weight of redness', 'weight of edge share', 4.2
    )
    a, b = torch.meshgrid(torch.linspace(-2.8, 4, 70), torch.linspace(-3.6, 2.8, 70), indexing='xy')
    levels = [.14, .16, .2, .25, .32, .4, .5, .65, .85, 1.1]
    cs = ax.contour(a, b, p.loss(torch.stack([a, b], 2).view(-1, 2)).view(a.shape), levels, colors=GREY, linewidths=1)
    ax.clabel(cs, levels[1::2], fontsize=11, fmt='%g')
    n = len(p.x)
    for bs, rate, colour, line, where in (
        (n, 10.0, INK, 's--', (-1.45, -0.3)),
        (64, 0.3, BLUE, '-', (0.35, 1.1)),
        (n, 0.3, RED, 'o-', (-2.65, 1.1)),
    ):
        path, kind = p.descend(bs, [rate], 4)[:, 0, 0], 'full batch' if bs == n else f'batches of {bs}'
        ax.plot(*path.T, line, color=colour, lw=1.6, ms=5)
        ax.text(
            *where, f'{kind},\nrate {rate:g}', color=colour, fontsize=11, va='center'
        )
        for name, value in (('steps', len(path) - 1), ('training loss at the end', p.loss(path[-1:]))):
            note('paths', f'{kind}, rate {rate:g}, 4 epochs', name, value)
    ax.plot(*p.best, '*', color=INK, ms=14, zorder=5)
    ax.text(p.best[0]+.25, p.best[1]-.1, 'lowest', fontsize=11, va='center')
    ax.text(*(START+torch.tensor([-.1, .3])), 'start', fontsize=11)
    save(fig, 'paths.svg')


def rates(p):
    "Too small, right, too large"
    fig, ax = figure(
        'Too small crawls, too large never settles', 'epochs (8,892 tiles each)', 'training loss', yscale='log'
    )
    path = p.descend(64, chosen := [0.01, 0.3, 100.0], 4)
    for i, (rate, colour, line) in enumerate(zip(chosen, (ORANGE, BLUE, RED), ('--', '-', ':'))):
        loss = p.loss(path[:, i, 0])
        ax.plot(
            (torch.arange(len(loss)) * 64 / len(p.x))[::6], loss[::6], line, color=colour, lw=2, label=f'rate {rate:g}'
        )
        for name, value in (('training loss at the end', loss[-1]), ('highest training loss', loss.max())):
            note('rates', f'batches of 64, rate {rate:g}, 4 epochs', name, value)
    ax.legend(ncol=3, loc='upper center', bbox_to_anchor=(.5, 1.16), frameon=False)
    ax.set_yticks([.1, .3, 1, 3, 10], ['0.1', '0.3', '1', '3', '10'])
    save(fig, 'rates.svg')
    note('curvature', 'standardised features', 'largest curvature at the lowest point', high := p.curvature(p.best)[1])
    note('curvature', 'standardised features', 'highest stable rate', 2/high)
    for name, scale in (('standardised features', 1), ('grey levels and share as they are', p.raw_std)):
        low, high = p.curvature(p.best, scale)
        note('curvature', name, 'condition number', high / low)
    for rate in (26.0, 28.0):  # from beside the lowest point, where its curvature holds
        w = p.best[None] + 0.01
        for _ in range(500):
            w = w - rate * p.gradients(w, torch.arange(len(p.x))[None])
        note(
            'curvature',
            f'full batch from beside the lowest point, rate {rate:g}, 500 steps',
            'distance from it',
            (w - p.best).norm(),
            2,
        )


def noise(p, draws=4000):
    "How far a batch's gradient is from the whole set's"
    fig, ax = figure(
        'Four times the batch, half the noise',
        'tiles in a batch',
        'standard deviation of gradient',
        xscale='log',
        yscale='log',
    )
    gen, n, sizes = torch.Generator().manual_seed(1), len(p.x), [1, 4, 16, 64, 256, 1024, 4096]
    for name, w, colour, marker in (('start', START, BLUE, 'o'), ('lowest point', p.best, RED, 's')):
        every = p.gradients(w.repeat(n, 1), torch.arange(n)[:, None])  # the gradient of each tile by itself
        whole, sd = every.mean(0), []
        one = (every-whole).square().sum(1).mean().sqrt().item()
        for bs in sizes:
            ids = torch.stack([torch.randperm(n, generator=gen)[:bs] for _ in range(draws if bs<=256 else 500)])
            sd.append((every[ids].mean(1)-whole).square().sum(1).mean().sqrt().item())
            note('noise', f'{name}, batches of {bs}', 'standard deviation of the gradient', sd[-1])
            note('noise', f'{name}, batches of {bs}', 'law for draws without return', one*((n-bs)/(n-1)/bs)**.5)
        note('noise', f'{name}, all {n} tiles', 'length of the gradient', whole.norm(), 2)
        ax.plot(sizes, [one/s**.5 for s in sizes], '-', color=colour, lw=1.2)
        ax.plot(sizes, sd, marker, color=colour, ms=8, label=f'noise at the {name}')
        if name=='start':
            ax.axhline(whole.norm(), color=INK, ls='--', lw=1.5)
            ax.text(4096, whole.norm()*1.12, "the gradient's length (start)", fontsize=11, ha='right')
    ax.plot([], [], '-', color=GREY, label='law: 1/√batch')
    (
        ax.set_xticks(sizes, [f'{s:,}' for s in sizes]),
        ax.set_yticks([0.01, 0.03, 0.1, 0.3, 1], ['0.01', '0.03', '0.1', '0.3', '1']),
    )
    ax.minorticks_off(), ax.legend(frameon=False, loc='lower left')
    save(fig, 'noise.svg')


def budget(p):
    "Tiles and steps until the loss is close to the lowest for good, each batch size at its own best rate"
    sizes, n, steps = [1, 4, 16, 64, 256, 1024, len(p.x)], len(p.x), []
    for bs in sizes:
        found = p.steps_to_close(
            p.descend(bs, RATES, 4 if bs < n else 60, seeds=range(1, 6) if bs < n else (1,)), max(1, 32 // bs)
        )
        best = found.amax(1).argmin()  # the rate at which the slowest seed is soonest
        steps.append(sorted(found[best].tolist()))
        for name, values in (
            ('best rate', RATES[best]),
            ('steps until within 1 %', steps[-1]),
            ('tiles until within 1 %', [k * bs for k in steps[-1]]),
        ):
            note('budget', f'batches of {bs}' if bs < n else 'full batch', name, values, 5)
    note(
        'budget',
        'full batch / batches of 64',
        'tiles until within 1 %',
        steps[-1][0] * n / (steps[sizes.index(64)][2] * 64),
        3,
    )
    fig, ax = figure(
        'Up to 1,024 a batch: same tiles, fewer steps',
        'tiles in a batch',
        'until within 1% of the lowest',
        xscale='log',
        yscale='log',
    )
    for factor, colour, marker, name in (
        (sizes, BLUE, 'o', 'tiles seen'),
        ([1] * len(sizes), ORANGE, 's', 'steps taken'),
    ):
        low, mid, high = (
            torch.tensor([s[i(s)] * f for s, f in zip(steps, factor)])
            for i in (lambda s: 0, lambda s: len(s) // 2, lambda s: -1)
        )
        ax.errorbar(
            sizes,
            mid,
            torch.stack([mid - low, high - mid]),
            fmt=marker + '-',
            color=colour,
            ms=8,
            capsize=4,
            label=name,
        )
    (
        ax.set_xticks(sizes, [f'{s:,}' for s in sizes]),
        ax.set_yticks([1, 10, 100, 1000, 10000], ['1', '10', '100', '1,000', '10,000']),
    )
    ax.minorticks_off(), ax.legend(frameon=False)
    save(fig, 'budget.svg')


def momentum(p):
    "Full batch on a round valley and on a narrow one, where the second weight counts in units ten times too small"
    narrow, scale = copy.copy(p), torch.tensor([1., .1])
    narrow.x = p.x*scale
    for name, problem, start in (('round', p, START), ('narrow', narrow, START/scale)):
        low, high = problem.curvature(p.best*start/START)
        note('momentum', f'{name} valley', 'condition number', high/low, 3)
        for beta in (0., .9):
            found = problem.steps_to_close(problem.descend(len(p.x), RATES, 1500, momentum=beta, start=start))[:, 0]
            note(
                'momentum',
                f'{name} valley, momentum {beta:g}, rate {RATES[found.argmin()]:.2g}',
                'steps until within 1 %',
                found.min().item(),
            )


def one_cycle(p):
    "What lowering the rate towards the end is worth"
    for name, schedule in (('constant', None), ('one cycle', combined_cos(0.25, 1 / 25, 1, 1e-5))):
        path = p.descend(64, [0.1, 0.3, 1.0, 3.0], 2, seeds=range(1, 21), schedule=schedule)
        for rate, w in zip((0.1, 0.3, 1, 3), path[-1]):
            note(
                'schedule',
                f'batches of 64, {name}, rate {rate:g}, 2 epochs',
                'loss above the lowest',
                (p.loss(w) - p.lowest).tolist(),
                2,
            )


def stopping(p, table, pixels, epochs=80, patience=5):
    """A classifier with as many weights as a picture of 32 x 32 pixels has numbers, on 1,000 tiles: enough weights to
    learn them by heart
    """
    train, valid = p.split
    torch.manual_seed(1)
    train = torch.tensor(train)[torch.randperm(len(train))[:1000]]
    small = lambda ids: F.adaptive_avg_pool2d(
        torch.cat([part.float() for part in pixels[ids].split(500)]) / 255, 32
    ).flatten(1)
    y = torch.tensor((table.folder == 'Hydrant').to_numpy()).float()
    xt, xv, yt, yv = small(train), small(valid), y[train], y[valid]
    mean, losses, model = xt.mean(0), [], torch.nn.Linear(xt.shape[1], 1)
    opt = torch.optim.SGD(model.parameters(), lr=.2)
    loss = lambda x, y: F.binary_cross_entropy_with_logits(model(x-mean).squeeze(1), y)
    for _ in range(epochs):
        for ids in torch.randperm(len(xt)).split(64):
            loss(xt[ids], yt[ids]).backward()
            opt.step(), opt.zero_grad()
        with torch.no_grad(): losses.append((loss(xt, yt).item(), loss(xv, yv).item()))
    best = min(range(epochs), key=lambda e: losses[e][1])
    halt = next(e for e in range(epochs) if e-min(range(e+1), key=lambda i: losses[i][1])==patience)
    note('stopping', f'3072 weights, 1000 tiles, rate 0.2, patience {patience}', 'stops after epoch', halt+1)
    for e in (best, epochs-1):
        for name, value in zip(('training', 'validation'), losses[e]):
            note('stopping', f'3072 weights, 1000 tiles, rate 0.2, after epoch {e+1}', f'{name} loss', value, 3)
    fig, ax = figure(f'Stop near epoch {best+1}: later epochs only memorise', 'epoch', 'loss')
    for i, (name, colour, line) in enumerate((('training', ORANGE, '--'), ('validation', BLUE, '-'))):
        ax.plot(range(1, epochs+1), [pair[i] for pair in losses], line, color=colour, lw=2, label=name)
    ax.plot(best+1, losses[best][1], 'o', color=BLUE, ms=9), ax.legend(frameon=False)
    save(fig, 'stopping.svg')


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    warnings.filterwarnings('ignore')
    style()
    FIGURES.mkdir(parents=True, exist_ok=True), TABLE.parent.mkdir(parents=True, exist_ok=True)
    table = training_tiles(load_tiles('full'))
    p = Problem(table, pixels := decode_tiles(table.path))
    for name, ids in zip(('training', 'validation'), p.split):
        note('data', f'{name} tiles', 'count', len(ids), 6)
    (
        note('data', 'training tiles', 'share in Hydrant', p.y.mean(), 3),
        note('data', 'start', 'training loss', p.loss(START[None])),
    )
    for name, value in (
        *zip(('weight of redness', 'weight of edge share'), p.best),
        ('bias', p.bias),
        ('training loss', p.lowest),
    ):
        note('data', 'lowest point', name, value)
    loop()
    for step in (slopes, paths, rates, noise, budget, momentum, one_cycle): step(p)
    stopping(p, table, pixels)
    free_bias(p)
    palms(p, table, pixels)
    as_they_are(p)
    head = ['experiment', 'setting', 'quantity', 'median', 'low', 'high', 'runs']
    with open(TABLE, 'w', newline='') as f: csv.writer(f, lineterminator='\n').writerows([head]+ROWS)
    for row in [head]+ROWS: print(f'{row[0]:11}{row[1]:62}{row[2]:46}{row[3]:>9}{row[4]:>9}{row[5]:>9}{row[6]:>5}')


if __name__=='__main__': main()
