"""Trains networks that answer both kinds of challenge, several in one process on one GPU.

Such a network gives a logit at each place of a feature map. A tile's answer pools all places, the answer of a square of
a 4×4 challenge pools the places under it. It learns from whole tiles with complete labels, from tiles whose 4×4 cells
are annotated or were found by a detector, and from mosaics of four tiles, in which the region of each tile is known
(multiple-instance learning; Dietterich et al., 1997; pooled by log-mean-exp: Pinheiro and Collobert, CVPR 2015).

    python benchmarks/place_network.py --out FOLDER --plan lite2:40 lite2_s2:40 lite2_taught:45
    python benchmarks/place_network.py --out FOLDER --plan lite2_short:9 lite2_averaged lite2_without_cells:9

The first line trains two networks of other seeds and a third, which goes on from the first and is taught by both.
`lite2_averaged` is the mean of the weights of `lite2`, `lite2_short` and `lite2_taught`, which must be there
(Wortsman et al., Model soups, ICML 2022); they all begin with the same head.
It needs complete labels and cells (`recaptcha/labels`), and a GPU for more than a trial. Weights, logits of validation
and test tiles, and a line about each network go to FOLDER; a network that is there already is not trained again.
"""
import argparse
import json
import math
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from recaptcha.batches import TileCrop, decode_tiles, encode_known, encode_labels
from recaptcha.cpu import keep_freed_memory, patch_strided_depthwise, spare_wide_depthwise
from recaptcha.metrics import mean_ap
from recaptcha.network import STRIDE
from recaptcha.places import about_places, cell_answers, labelled_pairs_solved, load_places, new_network, pool
from recaptcha.tiles import load_cells, load_tiles, training_tiles, validation_fifth

SIZES = (128, 160, 192, 224, 256) # pixels of the input, another for each batch
ASKED = (192, 256) # pixels of the input when a trained network is scored
CELLS = 16 # of a tile, in 4 rows
REGIONS = 4 # tiles of a mosaic
UNKNOWN = -1


@dataclass(frozen=True)
class Settings:
    "What is trained, and how"
    name: str
    arch: str = 'efficientnet_lite2'
    epochs: int = 40
    seed: int = 1
    batch: int = 128 # at 192 pixels; fewer of larger tiles
    lr: float = 3e-3 # of the head
    slower: float = 4. # how many times slower the backbone learns
    decay: float = .03
    mosaics: float = .4 # share of a batch
    cells: float = 1. # weight of what is known of cells
    detected: float = .5 # weight of a cell that a detector answered for, beside those that were annotated
    balanced: bool = True # rare classes are drawn more often
    noise: bool = True # and other light, contrast and colour
    averaged: bool = True # weights are an average over the last steps
    teachers: tuple = () # names of networks whose answers are half of the target
    sizes: tuple = SIZES # pixels of the input, another for each batch
    start: str = '' # name of the network that it goes on from
    average_of: tuple = () # names of networks whose weights are averaged; then nothing is trained


# Tiles and what is known of them

@dataclass
class Tiles:
    "Decoded tiles, and what is known of them, as tensors on one device"
    files: list
    images: torch.Tensor # uint8, (tiles, 3, side, side)
    labels: torch.Tensor # 0, 1 or UNKNOWN, (tiles, classes)
    cells: torch.Tensor # 0, 1 or UNKNOWN, (tiles, classes, CELLS)
    detected: torch.Tensor # bool, the cells that a detector answered for, same shape
    weights: torch.Tensor # of each cell, same shape

    def __len__(self): return len(self.files)


def read_tiles(mode, device):
    "Tiles to learn from, to validate on and to test on; what a detector found is for learning alone"
    table, cells = load_tiles(mode, labels='complete'), load_cells(mode)
    found = load_cells(mode, 'detector')
    rest = training_tiles(table)
    valid = validation_fifth(rest)
    parts = [(part, *encode_known(part)) for part in (rest[~valid], rest[valid])]
    test = table[table.set == 'test']
    truth = encode_labels(test.labels).numpy()
    parts.append((test, truth, np.ones_like(truth, dtype=bool)))
    return [tiles_of(*part, cells, found if i == 0 else found[:0], device) for i, part in enumerate(parts)]


def tiles_of(table, truth, known, answers, found, device):
    """`Tiles` of the rows of a table; `truth` and where it is `known`, (tiles, classes); `answers` from annotation and
    what a detector has `found`, from `load_cells`
    """
    labels = torch.as_tensor(np.where(known, truth, UNKNOWN), dtype=torch.float)
    files = table.file.tolist()
    annotated, by_detector = (cells_of(files, labels, said) for said in (answers, found))
    detected = (annotated == UNKNOWN).all(2, keepdim=True) & (labels > 0)[..., None] & (by_detector != UNKNOWN)
    cells = torch.where(detected, by_detector, annotated)
    images = decode_tiles(table.path).to(device)
    known = (t.to(device) for t in (labels, cells, detected, torch.ones_like(cells)))
    return Tiles(files, images, *known)


def cells_of(files, labels, answers):
    "(tiles, classes, CELLS): of a class that a tile does not show, no cell does"
    cells = torch.where(labels == 0, 0., float(UNKNOWN))[..., None].repeat(1, 1, CELLS)
    said = torch.as_tensor(cell_answers(files, answers), dtype=torch.float)
    return torch.where(said.isnan(), cells, torch.where(said == .5, float(UNKNOWN), said))


# Batches

@dataclass
class Batch:
    "Canvases, and what is known of their regions and cells"
    x: torch.Tensor # (batch, 3, side, side)
    ids: torch.Tensor # (batch, places): region*CELLS + cell, REGIONS*CELLS outside
    labels: torch.Tensor # (batch, classes, REGIONS)
    cells: torch.Tensor # (batch, classes, REGIONS*CELLS)
    weights: torch.Tensor # of the cells, same shape
    visible: torch.Tensor # (batch, REGIONS): places that a whole cell of the region has
    plain: int # so many canvases, the first ones, are one tile each


TENSORS = 'x', 'ids', 'labels', 'cells', 'weights', 'visible' # of a `Batch`


def uniform(shape, low, high, device): return torch.empty(shape, device=device).uniform_(low, high)


def affine(wide, high, flip, middle, half):
    "(n, 2, 3): from a canvas' rectangle, by `middle` and `half` of its sides (n, 2), to a random crop of a tile"
    n, device = len(wide), wide.device
    shift = torch.stack([uniform(n, -1, 1, device)*(1-wide), uniform(n, -1, 1, device)*(1-high)], 1)
    scale = torch.stack([wide*flip, high], 1)/half
    theta = torch.zeros(n, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 1, 1] = scale[:, 0], scale[:, 1]
    theta[:, :, 2] = shift - scale*middle
    return theta


def cell_ids(theta, places):
    "(n, places, places): the cell of the tile that lies under each place, UNKNOWN beyond the tile"
    at = F.affine_grid(theta, (len(theta), 1, places, places), align_corners=False)
    inside = (at.abs() <= 1).all(-1)
    cell = ((at+1)*2).floor().clamp(0, 3).long()
    return torch.where(inside, cell[..., 1]*4 + cell[..., 0], UNKNOWN)


def sample(images, theta, size):
    "(n, 3, size, size) floats in [0, 1]"
    return TileCrop(size).crop(images.float()/255, theta)


def plain_part(tiles, rows, size):
    "A `Batch` of crops of single tiles"
    n, device, places = len(rows), tiles.images.device, size//STRIDE
    theta = TileCrop(size, min_scale=.45).draw(n, device)
    ids = cell_ids(theta, places).flatten(1)
    visible = torch.zeros(n, REGIONS, device=device)
    visible[:, 0] = places**2/CELLS/(theta[:, 0, 0]*theta[:, 1, 1]).abs()
    return Batch(sample(tiles.images[rows], theta, size), torch.where(ids < 0, REGIONS*CELLS, ids),
                 padded(tiles.labels[rows][..., None], REGIONS), padded(tiles.cells[rows], REGIONS*CELLS),
                 padded(tiles.weights[rows], REGIONS*CELLS), visible, n)


def padded(known, n):
    "UNKNOWN up to `n` in the last dimension"
    return F.pad(known, (0, n-known.shape[-1]), value=UNKNOWN)


def mosaic_part(tiles, rows, size):
    "A `Batch` of canvases of four tiles; `rows`: (n, REGIONS)"
    n, device, places = len(rows), tiles.images.device, size//STRIDE
    split = uniform((n, 2), -.3, .3, device)
    x = torch.zeros(n, 3, size, size, device=device)
    ids = torch.full((n, places, places), REGIONS*CELLS, device=device)
    visible = torch.zeros(n, REGIONS, device=device)
    for region in range(REGIONS):
        low, high = corners(split, region)
        middle, half = (low+high)/2, (high-low)/2
        largest = uniform(n, .65, 1, device)[:, None]*half/half.amax(1, keepdim=True)
        flip = torch.where(torch.rand(n, device=device) < .5, -1., 1.)
        theta = affine(largest[:, 0], largest[:, 1], flip, middle, half)
        cell = cell_ids(theta, places)
        here, pixels = within(low, high, places), within(low, high, size)
        ids = torch.where(here & (cell >= 0), region*CELLS+cell, ids)
        x = torch.where(pixels[:, None], sample(tiles.images[rows[:, region]], theta, size), x)
        visible[:, region] = places**2/CELLS*half.prod(1)/largest.prod(1)
    labels = tiles.labels[rows].transpose(1, 2) # (n, classes, REGIONS)
    cells, weights = (of[rows].transpose(1, 2).flatten(2) for of in (tiles.cells, tiles.weights))
    return Batch(x, ids.flatten(1), labels, cells, weights, visible, 0)


def corners(split, region):
    "Two corners (n, 2) of a region of canvases that are divided at `split` (n, 2)"
    after = region % 2, region//2 # across, down
    low = [split[:, axis] if after[axis] else torch.full_like(split[:, axis], -1) for axis in (0, 1)]
    high = [torch.ones_like(split[:, axis]) if after[axis] else split[:, axis] for axis in (0, 1)]
    return torch.stack(low, 1), torch.stack(high, 1)


def within(low, high, side):
    "bool, (n, side, side): the points of a grid between two corners (n, 2)"
    at = (torch.arange(side, device=low.device)+.5)*2/side - 1
    across = (at[None] >= low[:, :1]) & (at[None] < high[:, :1])
    down = (at[None] >= low[:, 1:]) & (at[None] < high[:, 1:])
    return down[:, :, None] & across[:, None]


def disturbed(x):
    "Another light, contrast and colour, a lower resolution, and the noise that reCAPTCHA adds, on some of them"
    n, device = len(x), x.device
    def rand(low, high): return uniform((n, 1, 1, 1), low, high, device)
    soft = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode='bilinear', align_corners=False)
    x = torch.lerp(x, soft, (rand(0, 1) < .3)*rand(0, 1))
    x = x + torch.randn_like(x)*rand(0, .25)*(rand(0, 1) < .3)
    grey = x.mean(1, keepdim=True)
    x = torch.lerp(grey.expand_as(x), x, rand(.6, 1.4)) * uniform((n, 3, 1, 1), .93, 1.07, device)
    mean = x.mean((1, 2, 3), keepdim=True)
    return (((x-mean)*rand(.7, 1.3)+mean)*rand(.7, 1.3)).clamp(0, 1)


def joined(a, b):
    "One `Batch` of two"
    return Batch(*[torch.cat([getattr(a, name), getattr(b, name)]) for name in TENSORS], a.plain)


def drawing_weights(tiles):
    "How often each tile is drawn: those of rare classes up to five times, those with annotated cells twice as often"
    there = (tiles.labels > 0).float()
    count = there.sum(0)
    boost = (count.median()/count.clamp(min=1)).clamp(1, 5)
    annotated = ((tiles.cells > 0) & ~tiles.detected).any(2).any(1).float()
    return (1+(there*(boost-1)).amax(1))*(1+annotated)


def cell_weights(detected, weight):
    """1 for an annotated cell, `weight` for one that a detector answered for, less where it found the class on more
    tiles than the median class; `detected` and the result: (tiles, classes, CELLS)
    """
    count = detected.any(2).sum(0)
    of_class = weight*(count[count > 0].median()/count.clamp(min=1)).clamp(max=1) if count.any() else count.float()
    return torch.where(detected, of_class[None, :, None], 1.)


# Losses

def known_bce(z, y):
    "Cross-entropy of each entry that is known, 0 for the others; and how many are known"
    known = y >= 0
    return F.binary_cross_entropy_with_logits(z, y.clamp(min=0), reduction='none')*known, known


def mean_over(cost, weights):
    "The weighted mean"
    return (cost*weights).sum()/weights.sum().clamp(min=1)


def losses(net, z, whole, batch, s):
    "Of tiles, of regions and of cells; `z` and `whole` are what the network says of `batch`"
    flat = z.flatten(2)
    tile_cost, tile_known = known_bce(net.tile_logits(z, whole)[:batch.plain], batch.labels[:batch.plain, :, 0])
    region = torch.where(batch.ids < REGIONS*CELLS, batch.ids//CELLS, REGIONS)
    of_regions, _ = pool(flat, region, REGIONS, net.sharpness)
    region_cost, region_known = known_bce(of_regions, batch.labels)
    total = mean_over(tile_cost, tile_known) + .5*mean_over(region_cost, region_known)
    if not s.cells: return total
    of_cells, count = pool(flat, batch.ids, REGIONS*CELLS, net.sharpness)
    cost, known = known_bce(of_cells, batch.cells)
    seen = count >= .5*batch.visible.repeat_interleave(CELLS, 1)
    known = known & (seen & (count > 0))[:, None]
    shown = (
        (batch.cells > 0).unflatten(2, (REGIONS, CELLS)).any(3).repeat_interleave(CELLS, 2)
    )  # the class has cells here
    there, elsewhere = (batch.weights * (known & of) for of in (shown, ~shown))
    return total + s.cells * (mean_over(cost, there) + 0.5 * mean_over(cost, elsewhere))


def taught(net, z, whole, batch, teachers):
    "Cross-entropy of tiles and places against the mean answer of the teachers"
    with torch.no_grad():
        said = [t(batch.x) for t in teachers]
        tile = sum(torch.sigmoid(t.tile_logits(*o)) for t, o in zip(teachers, said))/len(teachers)
        place = sum(torch.sigmoid(o[0].float()) for o in said)/len(teachers)
    of_tiles = F.binary_cross_entropy_with_logits(net.tile_logits(z, whole)[:batch.plain], tile[:batch.plain])
    return of_tiles + F.binary_cross_entropy_with_logits(z, place)*4


def whole_loss(net, batch, s, teachers):
    "What a step makes smaller"
    with torch.autocast(batch.x.device.type, torch.bfloat16, cache_enabled=False):
        z, whole = net(batch.x)
        z, whole = z.float(), whole.float()
        loss = losses(net, z, whole, batch, s)
        return loss + taught(net, z, whole, batch, teachers) if teachers else loss


# Training

def parameter_groups(net, s):
    "The body learns slower; neither norms nor biases decay"
    groups = []
    for slower, named in ((s.slower, net.body.named_parameters()),
                          (1, [(k, p) for k, p in net.named_parameters() if not k.startswith('body.')])):
        named = list(named)
        for decays in (True, False):
            of_kind = [p for _, p in named if (p.ndim > 1) == decays]
            groups.append(dict(params=of_kind, max_lr=s.lr/slower, weight_decay=s.decay if decays else 0.))
    return groups


class Steps:
    """Steps of training. On a GPU a step is recorded as a CUDA graph for each size of the input and played again
    without Python, which for a network of so many small layers is what takes longest
    """
    EAGER = 2 # steps of each size before it is recorded, in which libraries choose their kernels

    def __init__(self, net, s, teachers, device):
        self.net, self.s, self.teachers = net, s, teachers
        self.records = device.type == 'cuda'
        self.stream = torch.cuda.Stream(device) if self.records else None
        self.opt = torch.optim.AdamW(parameter_groups(net, s), fused=self.records, capturable=self.records)
        for group in self.opt.param_groups: group['lr'] = torch.zeros((), device=device)
        self.seen, self.recorded, self.memory = Counter(), {}, None
        self.wait()

    def wait(self):
        "Until the device is done with what it was told"
        if self.records: torch.cuda.synchronize()

    def set_rate(self, share):
        for group in self.opt.param_groups: group['lr'].fill_(group['max_lr']*share)

    def step(self, batch):
        "The loss, a tensor that the next step of this size may write to"
        with torch.cuda.stream(self.stream): # a stream of None changes nothing
            size = batch.x.shape[-1]
            self.seen[size] += 1
            if not self.records or self.seen[size] <= self.EAGER: return self._learn(batch)
            if size not in self.recorded: self._record(size, batch)
            graph, kept, loss = self.recorded[size]
            for name in TENSORS: getattr(kept, name).copy_(getattr(batch, name))
            graph.replay()
            return loss

    def _learn(self, batch):
        self.opt.zero_grad(set_to_none=True)
        loss = whole_loss(self.net, batch, self.s, self.teachers)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.)
        self.opt.step()
        return loss.detach()

    def _record(self, size, batch):
        kept = replace(batch, **{name: getattr(batch, name).clone() for name in TENSORS})
        graph = torch.cuda.CUDAGraph()
        self.opt.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph, pool=self.memory, stream=self.stream):
            loss = self._learn(kept)
        self.memory = graph.pool()
        self.recorded[size] = graph, kept, loss


class Average:
    "An exponential moving average of a network's weights (Tarvainen and Valpola, NeurIPS 2017)"
    def __init__(self, net, decay=.998):
        self.decay, self.steps = decay, 0
        self.state = net.state_dict()
        self.floats = [v for v in self.state.values() if v.is_floating_point()]
        self.kept = [v.clone() for v in self.floats]
    @torch.no_grad()
    def update(self):
        "Nearer to the last weights in the first steps, when the older ones are still bad"
        self.steps += 1
        torch._foreach_lerp_(self.kept, self.floats, 1-min(self.decay, self.steps/(10+self.steps)))
    def named(self):
        "A state dict with the averages in it"
        of = {id(v): kept for v, kept in zip(self.floats, self.kept)}
        return {k: of.get(id(v), v) for k, v in self.state.items()}
    @torch.no_grad()
    def put(self): torch._foreach_copy_(self.floats, self.kept)


SAVE_EVERY = 60 # seconds

def next_batch(tiles, weights, s, size):
    "A disturbed `Batch`"
    n = max(8, int(s.batch*(192/size)**2)//8*8)
    of_mosaics = int(n*s.mosaics)
    rows = torch.multinomial(weights, n-of_mosaics + of_mosaics*REGIONS, replacement=True)
    batch = plain_part(tiles, rows[:n-of_mosaics], size)
    if of_mosaics: batch = joined(batch, mosaic_part(tiles, rows[n-of_mosaics:].view(-1, REGIONS), size))
    batch.x = (disturbed(batch.x) if s.noise else batch.x).contiguous(memory_format=torch.channels_last)
    return batch


def train(s, tiles, folder, deadline):
    "A network, trained; where the time is too short for all steps, the learning rate falls by the clock"
    torch.manual_seed(s.seed)
    device = tiles.images.device
    sizes = np.random.RandomState(s.seed)
    net = load(folder, s.start, device) if s.start else new_network(s.arch)
    net.to(device, memory_format=torch.channels_last)
    if device.type == 'cpu':
        keep_freed_memory()
        patch_strided_depthwise(net)
        spare_wide_depthwise(net)
    tiles = replace(tiles, weights=cell_weights(tiles.detected, s.detected))
    net.train()
    teachers = [load(folder, name, device) for name in s.teachers]
    weights = drawing_weights(tiles) if s.balanced else torch.ones(len(tiles), device=device)
    steps = max(1, s.epochs*len(tiles)//s.batch)
    average, stepper, began = Average(net), Steps(net, s, teachers, device), time.time()
    step, progress, saved = 0, 0., began
    while progress < 1:
        with torch.cuda.stream(stepper.stream):
            stepper.set_rate(rate(progress))
            loss = stepper.step(next_batch(tiles, weights, s, int(sizes.choice(s.sizes))))
            average.update()
        seconds, step = time.time()-began, step+1
        progress = max(step/steps, seconds/max(1, deadline-began))
        if step % 50 == 0:
            stepper.wait()
            print(f'{s.name} {step}/{steps} loss {loss.item():.4f} {progress:.0%} {seconds:.0f} s', flush=True)
        if time.time()-saved > SAVE_EVERY:
            save(folder/f'{s.name}-unfinished.safetensors', average.named())
            saved = time.time()
    stepper.wait()
    if s.averaged: average.put()
    return net.eval(), seconds, step


def trained_or_mean(s, tiles, folder, deadline):
    "A network, the seconds and the steps that it took"
    if s.average_of: return mean_network(s, folder, tiles.images.device), 0., 0
    return train(s, tiles, folder, deadline)


def rate(progress, warm_up=.15):
    "The learning rate as a share of the highest: one cycle of two cosines (Smith and Topin, 2019)"
    if progress < warm_up: return .04+.96*(1-math.cos(math.pi*progress/warm_up))/2
    return (1+math.cos(math.pi*(progress-warm_up)/(1-warm_up)))/2


def save(path, state):
    "Weights in 16 bits"
    save_file({k: (v.half() if v.is_floating_point() else v).contiguous().cpu() for k, v in state.items()}, path)


def mean_network(s, folder, device):
    "A network whose weights are the mean of those of others, which began with the same head"
    nets = [load(folder, name, device) for name in s.average_of]
    states = [net.state_dict() for net in nets]
    for key, value in states[0].items():
        if value.is_floating_point(): value.copy_(torch.stack([state[key] for state in states]).mean(0))
    return nets[0]


def load(folder, name, device):
    "A network that was trained before"
    return load_places(folder/f'{name}.safetensors').to(device, memory_format=torch.channels_last)


# What it says

@torch.no_grad()
def answers(net, images, size, batch=64):
    """Logits of tiles (n, classes) and of their cells (n, classes, CELLS), float32; mean over the tile and its mirror
    image
    """
    tiles, cells = [], []
    for part in images.split(batch):
        x = F.interpolate(part.float()/255, (size, size), mode='bilinear', align_corners=False)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(x.device.type, torch.bfloat16):
            z, whole = net(x)
            mirrored, whole_mirrored = net(x.flip(3))
        tiles.append((net.tile_logits(z, whole) + net.tile_logits(mirrored, whole_mirrored))/2)
        cells.append((net.square_logits(z) + net.square_logits(mirrored.flip(3)))/2)
    return torch.cat(tiles).cpu().numpy(), torch.cat(cells).cpu().numpy()


def known_map(logits, labels):
    "Macro mAP over what is known"
    return mean_ap(logits, np.where(labels < 0, np.nan, labels))


def squares_solved(logits, cells):
    "Share of labelled pairs of a tile and a class whose cells are all right, 0 where there is none: an upper bound"
    right = labelled_pairs_solved(logits, cells)
    return right.mean() if len(right) else 0.


def keep(net, s, seconds, steps, valid, test, folder):
    "Weights, logits, and a line about the network"
    save(folder/f'{s.name}.safetensors', net.state_dict())
    (folder/f'{s.name}-unfinished.safetensors').unlink(missing_ok=True)
    device = torch.cuda.get_device_name() if valid.images.is_cuda else 'CPU'
    said, about = {}, {**asdict(s), 'device': device, 'seconds': round(seconds), 'steps': steps}
    about['members'] = [about_places(folder/f'{name}.safetensors') for name in s.average_of]
    for size in ASKED:
        logits, cells = answers(net, valid.images, size)
        labels = valid.labels.cpu().numpy()
        about[f'valid_mAP_{size}'] = round(known_map(logits, labels), 4)
        about[f'squares_{size}'] = round(squares_solved(cells, valid.cells.cpu().numpy()), 4)
        said[f'valid_{size}'] = logits.astype(np.float32)
        said[f'cells_{size}'] = cells.astype(np.float16)[with_cells(valid)]
        said[f'test_{size}'] = answers(net, test.images, size)[0].astype(np.float32)
    np.savez_compressed(folder/f'{s.name}.npz', **said)
    (folder/f'{s.name}.json').write_text(json.dumps(about))
    print(json.dumps(about), flush=True)


def with_cells(tiles): return (tiles.cells > 0).any(2).any(1).cpu().numpy()


# The command

PARTS = dict( # what is left out, or exchanged
    without_cells=dict(cells=0.), without_detected=dict(detected=0.), without_mosaics=dict(mosaics=0.),
    without_balance=dict(balanced=False), without_noise=dict(noise=False), without_average=dict(averaged=False),
    of_one_size=dict(sizes=(192,)))

def planned(text):
    """`lite2:40`, `lite2_s2:40`, `lite2_taught:45`, `lite2_short:9`, `lite2_without_cells:9`, `lite2_averaged` as
    `Settings`
    """
    name, _, epochs = text.partition(':')
    arch, _, part = name.partition('_')
    change = dict(PARTS.get(part, {}))
    if part.startswith('s') and part[1:].isdigit(): change['seed'] = int(part[1:])
    if part == 'averaged': change |= dict(average_of=(arch, f'{arch}_short', f'{arch}_taught'))
    if part == 'taught': change |= dict(start=arch, teachers=(arch, f'{arch}_s2'), lr=1.5e-3)
    return Settings(name=name, arch=f'efficientnet_{arch}', epochs=int(epochs or 40), **change)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--out', type=Path, required=True, help='folder for what comes out')
    p.add_argument('--plan', nargs='+', default=['lite2:40'], help='networks and their epochs, most important first')
    p.add_argument('--data', default='full', choices=['full', 'toy'])
    p.add_argument('--limit', type=float, default=1e9,
                   help='seconds after which no more steps are taken; the schedule ends then')
    a = p.parse_args()
    deadline = time.time()+a.limit
    a.out.mkdir(parents=True, exist_ok=True)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    learn, check, test = read_tiles(a.data, device)
    print(f'{device}: {len(learn)} tiles to learn from, {len(check)} to validate, {len(test)} to test, '
          f'{int(with_cells(learn).sum())} with cells', flush=True)
    for s in map(planned, a.plan):
        if (a.out/f'{s.name}.json').exists() or time.time() > deadline: continue
        net, seconds, steps = trained_or_mean(s, learn, a.out, deadline)
        done = replace(s, epochs=round(steps*s.batch/len(learn))) # fewer than planned where the clock ended them
        keep(net, done, seconds, steps, check, test, a.out)


if __name__ == '__main__': main()
