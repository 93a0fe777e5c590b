"""Numbers and figures of the post "Convolutional networks for tiles".

Trains the seven networks of `small_nets.py` from scratch on one CPU core, two seeds each: all training tiles, three
epochs, binary cross-entropy on the folder labels. Scores the folder labels of the validation tiles; the test tiles are
not touched. Tiles are decoded once to 80 pixels a side and a network sees a window of 64: a random one in training, the
central one in validation. Some networks are trained a second time on central windows only and scored on windows moved
to the side, which shows what a shift costs.

A run's numbers are appended to the table when it ends, so a second call goes on after the last complete run, and one on
a complete table only draws the figures. Set OMP_NUM_THREADS=1 to have the time of one core. Training takes about 13
minutes of CPU time.
"""
import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
import torchvision
from small_nets import CLASSES, EXERCISES, NETS, SIDE, costs, started
from tqdm import tqdm

from recaptcha.batches import decode_tiles, encode_labels
from recaptcha.cpu import keep_freed_memory
from recaptcha.metrics import ap_per_class
from recaptcha.style import GREY, INK, style
from recaptcha.tiles import copy_safe_splitter, folder_label, load_tiles, open_tile, training_tiles

WIDE, EPOCHS, BS, RATE = 80, 3, 32, 2e-3  # pixels a side that are decoded; the budget; one learning rate for all
SHIFTS = (2, 4, 6, 8)  # pixels; a window cannot go further without leaving the decoded tile
RUNS = [(net, 'random', seed) for seed in (1, 2) for net in NETS] + [
    (net, 'centre', seed) for seed in (1, 2) for net in ('dense', 'lenet', 'resnet')
] + [(net, 'random', seed) for seed in (1, 2) for net in EXERCISES] + [('lenet, averaged', 'centre', 1)]
FULL = {
    'torchvision mobilenet_v2': torchvision.models.mobilenet_v2,
    'torchvision resnet18': torchvision.models.resnet18,
}
COLUMNS = ['net', 'windows', 'seed', 'shift', 'measure', 'value']
EDGE_TILE, KERNEL = 'Crosswalk/Cross (1031)', [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]  # Sobel's, for vertical edges
LABELS = dict(
    dense='dense',
    lenet='LeNet-like',
    alexnet='AlexNet-like',
    vgg='VGG-like',
    plain='plain',
    resnet='ResNet-like',
    mobilenet='MobileNetV2-like',
)
COLOURS = dict(
    dense=INK,
    lenet='#E69F00',
    alexnet='#56B4E9',
    vgg='#009E73',
    plain=GREY,
    resnet='#0072B2',
    mobilenet='#D55E00',
)
PLACES = dict(
    dense=(0, 22, 'center'),
    lenet=(-10, 0, 'right'),
    alexnet=(18, 0, 'left'),
    vgg=(-20, 0, 'right'),
    plain=(17, 0, 'left'),
    resnet=(17, 0, 'left'),
    mobilenet=(13, 0, 'left'),
)  # of a label: points right and up from the circle, and its side


def read_tiles():
    "Pixels (uint8, tiles × 3 × 80 × 80), targets and the project's split of the training tiles, copies kept together"
    table = training_tiles(load_tiles('full'))
    return (
        decode_tiles(table.path, WIDE),
        encode_labels(table.apply(folder_label, axis=1)),
        *map(list, copy_safe_splitter()(table)),
    )


def scaled(x): return ((x.float()/255-.5)/.25).contiguous(memory_format=torch.channels_last)


def window(x, dx=0):
    "The central window of each tile, moved `dx` pixels to the right"
    a = (WIDE-SIDE)//2
    return scaled(x[:, :, a:a+SIDE, a+dx:a+dx+SIDE])


def random_windows(x):
    "A window of its own for each tile"
    corners = torch.randint(0, WIDE-SIDE+1, (len(x), 2)).tolist()
    return scaled(torch.stack([t[:, r:r+SIDE, c:c+SIDE] for t, (r, c) in zip(x, corners)]))


def predict(net, x, dx=0):
    net.eval()
    with torch.no_grad(): return torch.cat([net(window(b, dx)) for b in x.split(256)])


def scores(logits, y):
    "Macro mAP over all classes, and over the common ones, those with at least 50 validation tiles"
    ap, common = ap_per_class(logits.numpy(), y.numpy()), y.sum(0).numpy()>=50
    return dict(mAP=np.nanmean(ap), mAP_common=ap[common].mean())


def train(name, windows, seed, x, y, valid_x, valid_y, bar):
    "One network from scratch; rows (shift, measure, value) for the table"
    torch.manual_seed(seed)
    clock, net = time.process_time(), started({**NETS, **EXERCISES}[name]()).to(memory_format=torch.channels_last)
    steps = len(x)//BS
    opt = torch.optim.AdamW(net.parameters(), RATE, fused=True)
    rate = torch.optim.lr_scheduler.OneCycleLR(opt, RATE, total_steps=EPOCHS*steps)
    for _ in range(EPOCHS):
        net.train()
        losses = []
        for batch in torch.randperm(len(x))[:steps*BS].split(BS):
            xb = random_windows(x[batch]) if windows=='random' else window(x[batch])
            xb = torch.where(torch.rand(BS, 1, 1, 1)<.5, xb, xb.flip(3)).contiguous(memory_format=torch.channels_last)
            loss = F.binary_cross_entropy_with_logits(net(xb), y[batch])
            loss.backward()
            opt.step()
            opt.zero_grad()
            rate.step()
            losses.append(loss.item())
            bar.set_postfix_str(f'{name}, {windows} windows, seed {seed}, loss {np.mean(losses[-50:]):.3f}')
            bar.update()
    rows = [('', 'train_loss', np.mean(losses)), ('', 'train_cpu_seconds', time.process_time() - clock)]
    still = predict(net, valid_x)
    rows += [(0, measure, value) for measure, value in scores(still, valid_y).items()]
    for k in SHIFTS if (name, 'centre', seed) in RUNS else (): # the mean over both directions
        moved = [predict(net, valid_x, dx) for dx in (k, -k)]
        both = pd.DataFrame(
            [
                dict(scores(m, valid_y), top_changed=(m.argmax(1) != still.argmax(1)).float().mean().item())
                for m in moved
            ]
        ).mean()
        rows += [(k, measure, value) for measure, value in both.items()]
    return rows


def cost_rows(nets, rounds=25):
    """Size, multiply-adds and time of a training step, the nets taking turns; a step's time is relative to LeNet-like's
    of the same round
    """
    rows = [(n, k, v) for n, make in nets.items() for k, v in costs(make()).items()]
    nets = {n: make().to(memory_format=torch.channels_last).train() for n, make in nets.items()}
    opts = {n: torch.optim.AdamW(net.parameters(), RATE, fused=True) for n, net in nets.items()}
    x, y, times = scaled(torch.randint(0, 256, (BS, 3, SIDE, SIDE))), torch.zeros(BS, CLASSES), []
    for _ in tqdm(range(rounds), desc='timing', unit='round'):
        times.append({})
        for n, net in nets.items():
            for _ in range(2): # the first warms the caches up
                t = time.perf_counter()
                F.binary_cross_entropy_with_logits(net(x), y).backward()
                opts[n].step()
                opts[n].zero_grad()
                times[-1][n] = time.perf_counter() - t
    times = pd.DataFrame(times)
    return rows + [(n, 'step_time_ratio', v) for n, v in times.div(times.lenet, axis=0).median().items()]


def append(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [(*row[:-1], f'{row[-1]:.4f}' if isinstance(row[-1], float) else int(row[-1])) for row in rows]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(
        path, mode='a', header=not path.exists(), index=False, lineterminator='\n'
    )


def measure(path):
    "Do what the table at `path` does not hold yet"
    done = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else pd.DataFrame(columns=COLUMNS)
    keep_freed_memory()
    if 'edge kernel' not in set(done.net): append(path, edge_rows())
    full = {k: lambda f=f: f(num_classes=CLASSES) for k, f in FULL.items()}
    for nets in ({**NETS, **full}, {'lenet': NETS['lenet'], **EXERCISES}):
        timed = done.net[done.measure=='step_time_ratio']
        new = [row for row in cost_rows(nets) if row[0] not in set(timed)] if set(nets)-set(timed) else []
        append(path, [(n, '', '', '', k, v) for n, k, v in new])
    have = set(zip(done.net, done.windows, done.seed))
    todo = [r for r in RUNS if (r[0], r[1], str(r[2])) not in have]
    if not todo: return
    tiles, targets, fit, valid = read_tiles()
    x, y, vx, vy = tiles[fit], targets[fit], tiles[valid], targets[valid]
    if 'chance' not in set(done.net):
        share, common = vy.mean(0), vy.sum(0) >= 50
        append(
            path,
            [
                ('chance', '', '', '', 'mAP', share[share > 0].mean().item()),
                ('chance', '', '', '', 'mAP_common', share[common].mean().item()),
                ('tiles', '', '', '', 'training', len(x)),
                ('tiles', '', '', '', 'validation', len(vx)),
                ('tiles', '', '', '', 'common classes', common.sum().item()),
            ],
        )
    with tqdm(total=len(todo) * EPOCHS * (len(x) // BS), unit='step', mininterval=5) as bar:
        for run in todo:
            append(path, [(*run, *row) for row in train(*run, x, y, vx, vy, bar)])


def summary(rows):
    "One row a network: its costs and its mean, lowest and highest scores over the seeds"
    cost = rows[rows.seed.isna()].pivot(index='net', columns='measure', values='value')
    ours = rows[(rows.windows=='random') & (rows['shift'].fillna(0)==0)]
    by = ours.pivot_table(index='net', columns='measure', values='value', aggfunc=['mean', 'min', 'max'])
    table = cost[['layers', 'parameters', 'macs', 'receptive_field', 'step_time_ratio']].reindex([*NETS, *FULL])
    for k in ('mAP', 'mAP_common'):
        for how in ('mean', 'min', 'max'): table[f'{k}_{how}'] = by[how, k]
    return table.assign(train_loss=by['mean', 'train_loss'])


def save(fig, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, bbox_inches='tight', backend='module://recaptcha.style', metadata={'Date': None})
    plt.close(fig)


def edge_patch():
    """A tile in grey at 64 pixels, an edge kernel's answer everywhere, and the 3×3 patch where it is largest, as (row,
    column) of its corner
    """
    table = training_tiles(load_tiles('full'))
    grey = open_tile(table.path[table.file==EDGE_TILE].iloc[0]).convert('L').resize((SIDE, SIDE))
    pixels = torch.tensor(np.asarray(grey), dtype=torch.float32)
    answer = F.conv2d(pixels[None, None], torch.tensor(KERNEL, dtype=torch.float32)[None, None])[0, 0]
    row, column = divmod(int(answer.argmax()), answer.shape[1])
    return pixels.int().numpy(), answer.int().numpy(), row, column


def edge_rows():
    pixels, answer, r, c = edge_patch()
    patch = pixels[r : r + 3, c : c + 3]
    return [('edge kernel', '', '', '', f'pixel {i} {j}', patch[i, j]) for i in range(3) for j in range(3)] + [
        ('edge kernel', '', '', '', 'sum', answer[r, c]),
        ('edge kernel', '', '', '', 'row', r),
        ('edge kernel', '', '', '', 'column', c),
    ]


def draw_edges(path):
    pixels, answer, r, c = edge_patch()
    fig, axs = plt.subplots(2, 2, figsize=(5, 5), layout='constrained')
    axs[0, 0].imshow(pixels, cmap='gray', vmin=0, vmax=255)
    axs[0, 0].add_patch(plt.Rectangle((c-.5, r-.5), 3, 3, fill=False, ec='#D55E00', lw=3))
    shown = axs[0, 1].imshow(answer, cmap='PuOr_r', vmin=-answer.max(), vmax=answer.max())
    fig.colorbar(shown, ax=axs[0, 1], label='sum', shrink=0.8)
    for ax, values, name in (
        (axs[1, 0], pixels[r : r + 3, c : c + 3], 'grey values in the square'),
        (axs[1, 1], KERNEL, 'kernel'),
    ):
        for i, j in np.ndindex(3, 3):
            ax.text(j, i, f'{values[i][j]}'.replace('-', '−'), ha='center', va='center', fontsize=15)
        ax.set(xticks=[0.5, 1.5], yticks=[0.5, 1.5], xticklabels=[], yticklabels=[], title=name)
        ax.set(xlim=(-0.5, 2.5), ylim=(2.5, -0.5), aspect='equal')
        ax.tick_params(length=0)
        ax.grid(color=GREY)
        for side in ax.spines.values(): side.set_visible(True)
    axs[0, 0].set(title='tile, 64 × 64', xlabel='column (pixels)', ylabel='row (pixels)')
    axs[0, 1].set(title='response, 62 × 62', xlabel='column')
    fig.suptitle(f'Nine products add up to {answer[r, c]} at the edge of a stripe')
    save(fig, path)


def draw_costs(table, path):
    table = table.loc[list(NETS)]
    fig, ax = plt.subplots(figsize=(4.4, 4), layout='constrained')
    for name, row in table.iterrows():
        x = row.parameters/1e6
        ax.scatter(x, row.mAP_mean, s=row.macs/3e4, color=COLOURS[name], alpha=.8, edgecolor='none')
        ax.plot([x, x], [row.mAP_min, row.mAP_max], color=INK, lw=2, marker='_', ms=8)
        dx, dy, side = PLACES[name]
        ax.annotate(
            f'{LABELS[name]}, {row.macs / 1e6:.0f}',
            (x, row.mAP_mean),
            (dx, dy),
            textcoords='offset points',
            ha=side,
            va='center',
        )
    ax.set(
        xscale='log',
        xticks=[0.2, 0.5, 1, 2, 4],
        xticklabels=[0.2, 0.5, 1, 2, 4],
        xlim=(0.1, 6),
        ylim=(0.2, 0.54),
        xlabel='parameters (millions)',
        ylabel='validation macro mAP',
        title=f'A skip makes {table.mAP_mean.plain:.2f} into {table.mAP_mean.resnet:.2f}',
    )
    ax.text(
        0.98,
        0.5,
        'area and number: million\nmultiply-adds a tile\nblack: range of two seeds',
        transform=ax.transAxes,
        ha='right',
        va='bottom',
        fontsize=11,
    )
    ax.minorticks_off()
    save(fig, path)


def draw_shifts(rows, path):
    fig, ax = plt.subplots(figsize=(4.4, 4), layout='constrained')
    rows, last = rows[rows.measure=='top_changed'], SHIFTS[-1]
    for name, mark in (('dense', '^'), ('lenet', 's'), ('resnet', 'o')):
        for windows, line in (('centre', '-'), ('random', ':')):
            one = rows[(rows.net == name) & (rows.windows == windows)].groupby('shift').value.mean() * 100
            ax.plot(
                [0, *one.index],
                [0, *one],
                color=COLOURS[name],
                ls=line,
                marker=mark,
                lw=2.5,
                ms=8,
                label=f'{LABELS[name]}, {windows} windows',
            )
    share = rows[(rows.windows == 'centre') & (rows['shift'] == last)].groupby('net').value.mean() * 100
    ax.set(
        ylabel='tiles whose top class changes (%)',
        xlabel='shift to either side (pixels of 64)',
        xticks=[0, *SHIFTS],
        ylim=(0, 32),
        title=f'{last} pixels change {share.dense:.0f}% of a dense net\'s answers,\n{share.resnet:.0f} to '
              f'{share.lenet:.0f}% of a convolutional one\'s',
    )
    ax.legend(fontsize=11, frameon=False, loc='upper left')
    save(fig, path)


def main():
    here = Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--csv',
        type=Path,
        default=here / 'results' / 'posts' / 'convnets.csv',
        help='the table, continued where it ends',
    )
    parser.add_argument(
        '--images', type=Path, default=here / 'images' / 'posts' / 'convnets', help='folder for the figures'
    )
    args = parser.parse_args()
    measure(args.csv)
    rows = pd.read_csv(args.csv)
    table = summary(rows)
    print(table.to_string(float_format='{:.4g}'.format))
    style()
    draw_edges(args.images / 'edge-kernel.svg')
    draw_costs(table, args.images / 'cost-and-score.svg')
    draw_shifts(rows, args.images / 'shifted-tiles.svg')


if __name__=='__main__': main()
