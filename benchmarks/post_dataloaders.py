"""Numbers and figures of the post on DataLoaders and the DataBlock.

Usage: python benchmarks/post_dataloaders.py

Times batches of real tiles through seven pipelines that take turns within a round, so that each ratio is of two times
taken seconds apart; counts what a factory method does to the split; and looks at what interpolating again and again
does to a tile. Prints one table and writes it to results/posts/dataloaders.csv; the figures go to
images/posts/dataloaders/. The files are in the system's cache when the clock runs. Batches are timed by the CPU time
they take, epochs with workers by the clock as well.
"""
import argparse
import csv
import os
import random
import statistics
import warnings
from pathlib import Path
from time import perf_counter, process_time

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from fastai.vision.all import (
    ColReader,
    DataBlock,
    FlipItem,
    ImageBlock,
    ImageDataLoaders,
    IntToFloatTensor,
    MultiCategoryBlock,
    Normalize,
    PILImage,
    Pipeline,
    RandomResizedCrop,
    RandomSplitter,
    RandTransform,
    Resize,
    TensorImage,
    aug_transforms,
    imagenet_stats,
    set_seed,
)
from PIL import Image, ImageEnhance

from recaptcha.batches import TileCrop, decode_tiles, encode_labels, tile_dls
from recaptcha.collect import data_home
from recaptcha.learner import LR, LR_MULT, predict_probs, tile_learner
from recaptcha.metrics import mean_ap
from recaptcha.style import BLUE, GREY, INK, ORANGE, style
from recaptcha.tiles import (
    TileImage,
    copy_safe_splitter,
    folder_label,
    load_tiles,
    open_tile,
    training_tiles,
)
from recaptcha.toy import CLASSES

ROOT = Path(__file__).resolve().parent.parent
FIGURES, TABLE = ROOT/'images/posts/dataloaders', ROOT/'results/posts/dataloaders.csv'
ROUNDS, BATCHES, BS = 9, 12, 32
BASE = 'files, Pillow'
ROWS = []


def note(experiment, setting, quantity, values, digits=3):
    "One row of the table: the median of `values`, and their range where there are several"
    values = [float(v) for v in (values if isinstance(values, list) else [values])]
    ROWS.append(
        [
            experiment,
            setting,
            quantity,
            *(f'{v:.{digits}g}' for v in (statistics.median(values), min(values), max(values))),
            len(values),
        ]
    )


class PillowTurn(RandTransform):
    "Rotation by up to 10 degrees and a change of brightness by up to a fifth, one picture at a time"
    order, split_idx = 2, 0
    def __init__(self): super().__init__(p=1.)
    def encodes(self, x: Image.Image):
        turned = x.rotate(random.uniform(-10, 10), Image.BILINEAR)
        return type(x)(ImageEnhance.Brightness(turned).enhance(random.uniform(.8, 1.2)))


def turn_batch():
    return aug_transforms(
        size=128, min_scale=0.35, max_rotate=10, max_zoom=1, max_warp=0, max_lighting=0.2, p_affine=1, p_lighting=1
    )


PATH = ColReader('path')


def loader(table, item_tfms, batch_tfms=(), picture=TileImage, get_x=PATH, num_workers=0):
    "Training batches of `table` through these transforms"
    block = DataBlock(
        blocks=(ImageBlock(picture), MultiCategoryBlock(vocab=CLASSES)),
        get_x=get_x,
        get_y=folder_label,
        splitter=copy_safe_splitter(0.2, seed=42),
        item_tfms=item_tfms,
        batch_tfms=[*batch_tfms, Normalize.from_stats(*imagenet_stats)],
    )
    return block.dataloaders(table, bs=BS, num_workers=num_workers, device=torch.device('cpu')).train


def pipelines(table, tiles):
    "Name: loader. The first four do the same work (crop, flip) in four ways; the last three also turn and brighten"
    crop = [RandomResizedCrop(128, min_scale=.35), FlipItem()]
    table = table.assign(place=range(len(table)))
    arrays = tiles.permute(0, 2, 3, 1).numpy()
    memory = tile_dls(table, bs=BS, tiles=tiles).train
    return {
        BASE: loader(table, crop),
        'files, batch': loader(table, Resize(120, 'squish'), [TileCrop(128)]),
        'memory, Pillow': loader(table, crop, picture=PILImage, get_x=lambda row: arrays[row['place']]),
        'memory, batch': memory,
        'files, Pillow + turn': loader(table, [*crop, PillowTurn()]),
        'files, batch + turn': loader(table, Resize(120, 'squish'), turn_batch()),
        'memory, batch + turn': memory.new(
            after_batch=[IntToFloatTensor(), *turn_batch(), Normalize.from_stats(*imagenet_stats)]
        ),
    }


def batch_seconds(dl):
    "This process's own CPU time for some batches once the first is there; other work on the machine does not count"
    it = iter(dl)
    next(it)
    start = process_time()
    for _ in range(BATCHES): next(it)
    return process_time()-start


def epoch_seconds(dl):
    "An epoch with the start and end of its workers: time on the clock, and CPU time of all processes together"
    start, before = perf_counter(), sum(os.times()[:4])
    for _ in dl: pass
    return perf_counter()-start, sum(os.times()[:4])-before


def timing(table, more):
    for path in more.path: open_tile(path)  # into the system's cache
    start = process_time()
    tiles = decode_tiles(table.path)
    once = (process_time()-start)/len(tiles)
    dls = pipelines(table, tiles)
    rounds = [{name: batch_seconds(dl) for name, dl in dls.items()} for _ in range(ROUNDS + 1)][
        1:
    ]  # the first warms up
    ratios = {name: [r[name] / r[BASE] for r in rounds] for name in dls}
    for name, values in ratios.items():
        note('time a batch', f'{name} / {BASE}', 'ratio of times', values)
    note(
        'time a batch',
        'files, batch + turn / files, Pillow + turn',
        'ratio of times',
        [r['files, batch + turn'] / r['files, Pillow + turn'] for r in rounds],
    )
    note('time a batch', f'{BASE} / memory, batch', 'ratio of times', [r[BASE] / r['memory, batch'] for r in rounds])
    note(
        'decoding once',
        f'all tiles, against one epoch of {BASE}',
        'ratio of times',
        once / (statistics.median(r[BASE] for r in rounds) / BATCHES / BS),
        2,
    )
    crop = [RandomResizedCrop(128, min_scale=0.35), FlipItem()]
    for length, part in (('short', table), ('long', more)):
        workers = {n: loader(part, crop, num_workers=n) for n in (0, 1, 2)}
        rounds = [{n: epoch_seconds(dl) for n, dl in workers.items()} for _ in range(5)]
        for n in (1, 2):
            for k, kind in enumerate(('clock', 'CPU time')):
                values = [r[n][k] / r[0][k] for r in rounds]
                note(
                    'workers', f'{n} / 0, {length} epoch ({len(workers[0])} batches), {kind}', 'ratio of times', values
                )
                if n == 2 and k:
                    ratios[f'2 workers, {length}'] = values
    return ratios


def plot(ratios):
    "Dots with ranges; the baseline is the line at 1"
    names = [n for n in ratios if n!=BASE]
    right = 1.05*max(max(v) for v in ratios.values())
    fig, ax = plt.subplots(figsize=(4.4, 3.8), layout='constrained')
    for y, name in enumerate(names):
        mid, low, high = statistics.median(ratios[name]), min(ratios[name]), max(ratios[name])
        colour = ORANGE if 'turn' in name else INK if 'worker' in name else BLUE
        ax.errorbar(mid, y, xerr=[[mid-low], [high-mid]], fmt='o', color=colour, ms=8, capsize=4)
        ax.text(right, y, f'{mid:.2f}', va='center')
    ax.axvline(1, color=GREY, ls='--', lw=1.2)
    ax.set(
        yticks=range(len(names)),
        yticklabels=names,
        xlim=(0, right),
        xlabel='CPU time, "files, Pillow" = 1 (less is better)',
    )
    ax.invert_yaxis()
    fig.suptitle('Decoding once saves time, batching alone does not')
    save(fig, 'times.svg')


def show(ax, picture, **labels):
    ax.imshow(picture), ax.set(xticks=[], yticks=[], **labels)
    ax.spines[:].set_visible(False)


def save(fig, name):
    fig.savefig(
        FIGURES / name, bbox_inches='tight', backend='module://recaptcha.style', metadata={'Date': None}
    )
    plt.close(fig)


def look(path):
    "The same tile five times through three pipelines"
    tile = PILImage(open_tile(path))
    batch = TensorImage(torch.tensor(np.asarray(tile)).permute(2, 0, 1)[None].float()/255).repeat(5, 1, 1, 1)
    set_seed(3)
    crop, flip = RandomResizedCrop(128, min_scale=.35), FlipItem()
    turned = batch
    for t in sorted(turn_batch(), key=lambda t: t.order):
        turned = t(turned, split_idx=0)
    rows = {
        'Pillow,\neach tile': [np.asarray(flip(crop(tile, split_idx=0), split_idx=0)) for _ in range(5)],
        'TileCrop,\na batch': TileCrop(128)(batch, split_idx=0).permute(0, 2, 3, 1),
        'fastai\'s own,\na batch': turned.clamp(0, 1).permute(0, 2, 3, 1),
    }
    fig, axs = plt.subplots(3, 5, figsize=(4.4, 3.1), layout='constrained')
    for line, (name, pictures) in zip(axs, rows.items()):
        for ax, picture in zip(line, pictures): show(ax, picture)
        line[0].set_ylabel(name)
    fig.suptitle('fastai\'s batch crop is one crop for all')
    save(fig, 'look.svg')


def thrice(tile, box, angle):
    "Resize, crop and resize, turn: three interpolations of 8-bit pictures; `box` in shares of the tile's side"
    out = tile.resize((128, 128), Image.BILINEAR)
    return out.resize((128, 128), Image.BILINEAR, box=[128*b for b in box]).rotate(angle, Image.BILINEAR)


def once(tile, box, angle):
    "The same view in a single interpolation of the original"
    x0, y0, x1, y1 = [2 * b - 1 for b in box]
    a, w, h = np.deg2rad(angle), (x1 - x0) / 2, (y1 - y0) / 2
    theta = torch.tensor(
        [[w * np.cos(a), -w * np.sin(a), (x0 + x1) / 2], [h * np.sin(a), h * np.cos(a), (y0 + y1) / 2]],
        dtype=torch.float32,
    )
    grid = F.affine_grid(theta[None], (1, 3, 128, 128), align_corners=False)
    pixels = torch.tensor(np.asarray(tile)).permute(2, 0, 1)[None].float()
    return Image.fromarray(F.grid_sample(pixels, grid, align_corners=False)[0].permute(1, 2, 0).round().byte().numpy())


def edges(picture):
    "Mean difference of neighbouring pixels in the middle, where neither way had to make anything up"
    a = np.asarray(picture.convert('L'), dtype=float)[24:104, 24:104]
    return np.abs(np.diff(a, axis=0)).mean()+np.abs(np.diff(a, axis=1)).mean()


def artefacts(table, shown):
    """What is lost when each transform interpolates, over 500 tiles with crops of 35 to 100 % and turns of up to 10
    degrees
    """
    rng, kept, empty = np.random.default_rng(1), [], {thrice: [], once: []}
    white = Image.new('RGB', (120, 120), 'white')
    for path in table.path[:500]:
        side, angle = rng.uniform(.35, 1)**.5, rng.uniform(-10, 10)
        x, y = rng.uniform(0, 1-side, 2)
        view = ([x, y, x+side, y+side], angle)
        tile = open_tile(path)
        kept.append(edges(thrice(tile, *view)) / edges(once(tile, *view)))
        for way, shares in empty.items():
            shares.append((np.asarray(way(white, *view))[..., 0] < 128).mean())
    note(
        'interpolation',
        'three times / once, 500 tiles',
        'edge strength: median, 5th, 95th of 100',
        list(np.quantile(kept, [0.05, 0.5, 0.95])),
    )
    note(
        'interpolation',
        'three times / once, 500 tiles',
        'share of tiles with weaker edges',
        np.mean(np.array(kept) < 1),
    )
    for way, shares in empty.items():
        note('interpolation', f'{way.__name__}, 500 tiles', 'mean share of empty pixels', np.mean(shares), 2)
    view, tile = ([0.12, 0.1, 0.82, 0.8], 10), open_tile(shown)
    assert (
        np.abs(np.asarray(thrice(tile, *view), float) - np.asarray(once(tile, *view)))[24:104, 24:104].mean() < 8
    )  # the same view
    fig, axs = plt.subplots(1, 3, figsize=(4.4, 2.1), layout='constrained')
    for ax, name, picture in zip(
        axs, ('original', 'three times', 'once'), (tile, thrice(tile, *view), once(tile, *view))
    ):
        show(ax, picture, title=name)
    fig.suptitle('Once: sharper, and corners from the tile itself')
    save(fig, 'artefacts.svg')


def splits(table):
    "Which tiles a factory method trains on, and how often copies end up on both sides"
    dls = ImageDataLoaders.from_folder(
        data_home() / 'tiles/Large', valid_pct=0.2, seed=42, item_tfms=Resize(128), num_workers=0
    )
    train = set(map(str, dls.train_ds.items))
    note('factory', 'ImageDataLoaders.from_folder', 'tiles', len(dls.train_ds)+len(dls.valid_ds), 6)
    note('factory', 'ImageDataLoaders.from_folder', 'classes', len(dls.vocab))
    test = table[table.set == 'test'].path.map(str)
    (
        note('factory', 'ImageDataLoaders.from_folder', 'test tiles', len(test)),
        note('factory', 'ImageDataLoaders.from_folder', 'test tiles it trains on', test.isin(train).sum()),
    )
    fit = training_tiles(table)
    (
        note('split', 'tiles to train and validate on', 'count', len(fit), 6),
        note('split', 'of them copies', 'count', (fit.duplicate_group != '').sum()),
    )
    for side, n in fit.width.value_counts().items():
        note('split', f'of {side} pixels a side', 'tiles', n, 6)

    def astride(splitter):
        valid = np.zeros(len(fit), dtype=bool)
        valid[list(splitter(fit)[1])] = True
        groups = fit.assign(valid=valid)[fit.duplicate_group != ''].groupby('duplicate_group').valid
        return int((groups.nunique() > 1).sum())

    note(
        'split',
        'RandomSplitter, 20 seeds',
        'groups of copies on both sides',
        [astride(RandomSplitter(0.2, seed=s)) for s in range(20)],
    )
    note(
        'split',
        'copy_safe_splitter, 20 seeds',
        'groups of copies on both sides',
        [astride(copy_safe_splitter(0.2, seed=s)) for s in range(20)],
    )
    for name, ids in zip(('training', 'validation'), copy_safe_splitter(0.2, seed=42)(fit)):
        note('split', f'copy_safe_splitter, seed 42, {name}', 'tiles', len(ids), 6)
    note('memory', f'{len(fit)} decoded tiles', 'MB', len(fit) * 3 * 120 * 120 / 1e6)
    ramp = PILImage(
        Image.fromarray(np.tile(np.linspace(0, 255, 120).astype(np.uint8), (120, 1))).convert('RGB')
    )  # grey tells the place
    seen = np.ptp(np.asarray(RandomResizedCrop(128)(ramp, split_idx=1))[64, :, 0].astype(float)) / 255
    note('validation', 'RandomResizedCrop', 'share of the tile it shows', seen**2, 2)
    return fit


def changed_targets(table):
    "Exercise 1: tiles of the small set, and targets that complete labels change"
    small = table[table.set == 'small']
    folder = encode_labels(small.apply(folder_label, axis=1))
    complete = encode_labels(small.labels)
    note('exercises', 'small set', 'tiles', len(small))
    note('exercises', 'small set', 'targets', folder.numel(), 4)
    note('exercises', 'small set', 'targets that become 1', int((complete > folder).sum()))
    note('exercises', 'small set', 'targets that become 0', int((complete < folder).sum()))


def one_crop(fit, side=64):
    "Exercise 2: validation mAP on folder labels, with a crop for each tile and with one for the whole batch"
    tiles = decode_tiles(fit.path)
    plain = dict(max_rotate=0, max_zoom=1, max_warp=0, max_lighting=0)
    ways = {
        'a crop a tile': [TileCrop(side)],
        'a crop a batch': aug_transforms(size=side, min_scale=0.35, **plain),
    }
    for name, crop in ways.items():
        found = []
        for seed in (1, 2):
            set_seed(seed)
            dls = tile_dls(fit, side, tiles=tiles)
            dls.train.rng = random.Random(seed)
            steps = [IntToFloatTensor(), *crop, Normalize.from_stats(*imagenet_stats)]
            dls.train.after_batch = Pipeline(steps, split_idx=0)
            learn = tile_learner(dls)
            with learn.no_bar(), learn.no_logging():
                learn.fine_tune(1, LR, lr_mult=LR_MULT)
            found.append(mean_ap(predict_probs(learn, dls.valid_ds.items, dls.valid.tiles), dls.valid.targets.numpy()))
        note('exercises', f'{name}, {side} pixels, 1 + 1 epochs', 'validation mAP', found)


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    warnings.filterwarnings('ignore')
    style()
    FIGURES.mkdir(parents=True, exist_ok=True), TABLE.parent.mkdir(parents=True, exist_ok=True)
    table = load_tiles('full')
    fit = splits(table)
    set_seed(1)
    more = fit.sample(2560, random_state=1).reset_index(drop=True)
    some = more[:960]
    note('data', 'tiles timed', 'count', len(some)), note('data', 'tiles timed, long epoch', 'count', len(more), 4)
    plot(timing(some, more))
    shown = fit[fit.folder=='Crosswalk'].path.iloc[1]
    look(shown), artefacts(some, shown)
    changed_targets(table)
    one_crop(fit)
    head = ['experiment', 'setting', 'quantity', 'median', 'low', 'high', 'runs']
    with open(TABLE, 'w', newline='') as f: csv.writer(f, lineterminator='\n').writerows([head]+ROWS)
    for row in [head]+ROWS: print(f'{row[0]:15}{row[1]:66}{row[2]:42}{row[3]:>8}{row[4]:>8}{row[5]:>8}{row[6]:>5}')


if __name__=='__main__': main()
