"""Train many small networks in one process on one GPU: what `recaptcha.fit` does, without what it costs.

A step of a network of this size takes a GPU a millisecond and Python ten. So everything that steps need lies on the
device beforehand: decoded tiles, the order in which they come, crops, dropout masks, learning rates. One step is
recorded as a CUDA graph and played again and again without Python, and several runs play theirs at the same time, each
on a stream of its own. On a CPU, or where recording fails, the same step runs as plain PyTorch.

The training itself is `fine_tune`'s: the head alone, then all of it, one cycle each, fastai's Adam, the same crops and
flips. It differs in what it draws from the same seed, and in evaluating in float32.
"""

import time
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from fastai.callback.hook import num_features_model
from fastai.vision.learner import add_head, create_vision_model, default_split, imagenet_stats, model_meta
from torch import nn

from recaptcha.backbone import NoWeights, backbone
from recaptcha.batches import TileCrop
from recaptcha.cpu import cpu_has_bf16, patch_strided_depthwise, spare_wide_depthwise
from recaptcha.learner import LR_MULT
from recaptcha.losses import LOSSES, AssumeNegative, set_constants
from recaptcha.toy import CLASSES

WD, EPS, SQR_MOM, MOMS = 0.01, 1e-5, 0.99, (0.95, 0.85, 0.95)  # what fastai's learners train with
MIXUP = 0.2  # Beta's parameter


# What a run trains on


@dataclass
class Tiles:
    "Decoded tiles on the device: to train and validate on, and to test on; uint8 of shape (tiles, 3, side, side)"

    train: torch.Tensor
    valid: torch.Tensor
    test: torch.Tensor


@dataclass
class Training:
    "A run and its targets"

    run: object  # `recaptcha.run.Run`
    targets: torch.Tensor  # of the tiles it trains on, NaN where nobody knows; float of shape (tiles, classes)


@dataclass
class Trained:
    "What is left of a run"

    training: Training
    valid_logits: np.ndarray  # float32, shape (tiles, classes)
    test_logits: np.ndarray
    train_logits: np.ndarray  # or None
    seconds: float
    loss: float  # mean over the last epoch
    pretrained: bool


# The schedule of both phases, a row a step


def cosine(start, end, at):
    return start + (1 + np.cos(np.pi * (1 - at))) * (end - start) / 2


def one_cycle(steps, share, start, middle, end):
    "A value a step: from `start` up to `middle` in a `share` of the steps, and on to `end`"
    at = np.arange(steps) / steps
    return np.where(at < share, cosine(start, middle, at / share), cosine(middle, end, (at - share) / (1 - share)))


def phase_rates(lr, groups, phase):
    "Highest learning rate of each group of layers, and the cycle's shape, as `fine_tune` has them"
    if phase == 0:
        return [lr / 10] * (groups - 1) + [lr], dict(share=0.99, div=25)
    return list(np.geomspace(lr / 2 / LR_MULT, lr / 2, groups)), dict(share=0.3, div=5)


def phase_schedule(steps, lr, groups, phase):
    """Per step: momentum, 1-momentum, what undoes the bias of the squared average, then for each group the step's size
    and what weight decay leaves, for layers that the first phase freezes and for those that it doesn't; float of shape
    (steps, 3+4*groups)"""
    highest, cycle = phase_rates(lr, groups, phase)
    mom = one_cycle(steps, cycle['share'], *MOMS)
    count = np.arange(1, steps + 1)
    columns = [mom, 1 - mom, (1 - SQR_MOM**count) ** -0.5]
    for top in highest:
        rate = one_cycle(steps, cycle['share'], top / cycle['div'], top, top / 1e5)
        moving = [-rate / (1 - mom**count), 1 - rate * WD]
        frozen = [np.zeros(steps), np.ones(steps)]
        columns += [*(frozen if phase == 0 and top != highest[-1] else moving), *moving]
    return np.stack(columns, 1)


class Adam:
    """fastai's Adam with decoupled weight decay, its numbers read from a row of `phase_schedule` on the device. Layers
    that the first phase freezes take steps of size 0 in it; batch norm and biases do not decay"""

    def __init__(self, model, split):
        norms = {
            id(p) for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) for p in m.parameters()
        }
        biases = {id(p) for name, p in model.named_parameters() if name.endswith('bias')}
        self.bins, groups = [], split(model)
        for g, group in enumerate(groups):
            for trains_early in (False, True):
                for decays in (False, True):
                    params = [
                        p
                        for p in group
                        if (id(p) in norms) == trains_early and (id(p) not in norms | biases) == decays
                    ]
                    if params:
                        self.bins.append((params, 3 + 4 * g + 2 * trains_early, decays))
        self.groups = len(groups)
        self.params = [p for params, *_ in self.bins for p in params]
        self.average = {id(p): torch.zeros_like(p) for p in self.params}
        self.square = {id(p): torch.zeros_like(p) for p in self.params}

    def clear(self):
        for average in (*self.average.values(), *self.square.values()):
            average.zero_()

    @torch.no_grad()
    def step(self, row):  # of the schedule, shape (columns,)
        mom, rest, unbias = row[0], row[1], row[2]
        for params, column, decays in self.bins:
            grads = [p.grad for p in params]
            average, square = [self.average[id(p)] for p in params], [self.square[id(p)] for p in params]
            torch._foreach_mul_(average, mom)
            torch._foreach_add_(average, torch._foreach_mul(grads, rest))
            torch._foreach_mul_(square, SQR_MOM)
            torch._foreach_addcmul_(square, grads, grads, value=1 - SQR_MOM)
            size = torch._foreach_sqrt(square)
            torch._foreach_mul_(size, unbias)
            torch._foreach_add_(size, EPS)
            move = torch._foreach_div(average, size)
            torch._foreach_mul_(move, row[column])
            if decays:
                torch._foreach_mul_(params, row[column + 1])
            torch._foreach_add_(params, move)


# The network


class MaskedDropout(nn.Module):
    "Dropout whose masks are drawn an epoch at a time, outside of the recorded step"

    def __init__(self, p):
        super().__init__()
        self.p, self.masks, self.at = p, None, None

    def draw(self, steps, size, device, generator):
        if self.masks is None:
            self.masks = torch.empty(steps, *size, dtype=torch.bool, device=device)
        self.masks.copy_(torch.rand(self.masks.shape, device=device, generator=generator) >= self.p)

    def forward(self, x):
        if not self.training:
            return x
        return x * self.masks.index_select(0, self.at)[0] / (1 - self.p)


def with_masked_dropout(module):
    "Replace each `nn.Dropout`, and say how many features it sees"
    found, features = [], None
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d):
            features = child.num_features
        if isinstance(child, nn.Dropout):
            setattr(module, name, MaskedDropout(child.p))
            found.append((getattr(module, name), features))
        else:
            found += with_masked_dropout(child)
    return found


@lru_cache
def make_body(arch, hub):
    """A network without its head: how many features it gives, how its layers are grouped, and whether it has learned
    ImageNet, as it does where weights are at hand"""
    make = backbone(arch, hub)
    try:
        model, pretrained = create_vision_model(make, len(CLASSES), pretrained=True), True
    except NoWeights:
        torch.manual_seed(0)
        model, pretrained = create_vision_model(make, len(CLASSES), pretrained=False), False
    split = model_meta[make].get('split', default_split)
    return model[0], num_features_model(nn.Sequential(*model[0].children())), split, pretrained


def make_network(arch, seed, hub, device, layout):
    "The network of `tile_learner`, how its layers are grouped, its dropouts, and whether it has learned ImageNet"
    body, features, split, pretrained = make_body(arch, hub)
    torch.manual_seed(seed)
    model = add_head(deepcopy(body), features, len(CLASSES))
    drops = with_masked_dropout(model[1])
    return model.to(device, memory_format=layout), split, drops, pretrained


@torch.no_grad()
def logits(model, tiles, size, batch=512):
    "What the network says of whole tiles, in evaluation mode and float32; shape (tiles, classes)"
    model.eval()
    # no search for the fastest kernels, which costs more than it saves on a few batches of odd sizes
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, allow_tf32=False):
        said = [model(normalised(resized(tiles[i : i + batch], size))) for i in range(0, len(tiles), batch)]
    model.train()
    return torch.cat(said)


def resized(x, size):
    return F.interpolate(x.float() / 255, (size, size), mode='bilinear', align_corners=False)


def normalised(x):
    mean, sd = (torch.tensor(s, device=x.device).reshape(1, 3, 1, 1) for s in imagenet_stats)
    return ((x - mean) / sd).contiguous(memory_format=torch.channels_last)


# One run


def make_loss(run, tiles):
    "The loss of a run's method with the run's constants"

    class Loaders:
        train_ds = range(tiles)

    change = LOSSES[run.method](Loaders, run) if run.method in LOSSES else {}
    return set_constants(change.get('loss_func', AssumeNegative()), run.constants)


class Trainer:
    "A run in progress: everything that its steps need, on the device"

    def __init__(self, training, tiles, device, graphs=True, channels_last=True):
        run = training.run
        self.training, self.run, self.tiles, self.device = training, run, tiles, device
        self.stream = torch.cuda.Stream(device) if device.type == 'cuda' else None
        self.graphs, self.graph = graphs and device.type == 'cuda', None
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        with self.on_stream():
            self._prepare(run)

    def on_stream(self):
        return torch.cuda.stream(self.stream)  # a stream of None changes nothing

    def _prepare(self, run):
        self.generator = torch.Generator(self.device)
        self.generator.manual_seed(run.seed)
        hub = run.data != 'toy'
        self.model, split, self.drops, self.pretrained = make_network(
            run.arch, run.seed, hub, self.device, self.layout
        )
        self.adam = Adam(self.model, split)
        self.bf16 = run.fast and (self.device.type == 'cuda' or cpu_has_bf16())
        if self.bf16 and self.device.type == 'cpu':
            patch_strided_depthwise(self.model)
            spare_wide_depthwise(self.model)
        self.loss = make_loss(run, len(self.tiles.train)).to(self.device)
        self.loss.epoch = torch.zeros((), device=self.device)
        self.targets = self.training.targets.to(self.device)
        self.crop = TileCrop(run.size)
        self.steps = len(self.tiles.train) // run.bs  # an epoch; what is left over waits for the next one
        self.stats = [torch.tensor(s, device=self.device).reshape(1, 3, 1, 1) for s in imagenet_stats]
        self._draw_all(run)
        self.model.train()

    def _draw_all(self, run):
        "Schedule, order and crops of all steps"
        phases = (run.freeze_epochs, run.epochs)
        rows = [
            phase_schedule(self.steps * n, run.lr, self.adam.groups, phase) for phase, n in enumerate(phases) if n
        ]
        self.schedule = torch.tensor(np.concatenate(rows), dtype=torch.float, device=self.device)
        self.order = torch.stack([self._epoch_order() for _ in range(sum(phases))]).reshape(-1, run.bs)  # (steps, bs)
        theta = self.crop.draw(self.order.numel(), self.device, self.generator)
        self.theta = theta.reshape(-1, run.bs, 2, 3)
        self.step = torch.zeros(1, dtype=torch.long, device=self.device)
        self.in_epoch = torch.zeros(1, dtype=torch.long, device=self.device)
        self.total = torch.zeros((), device=self.device)
        if run.method == 'mixup':
            self._draw_mixup(len(self.order), run)

    def _epoch_order(self):
        tiles = torch.randperm(len(self.tiles.train), device=self.device, generator=self.generator)
        return tiles[: self.steps * self.run.bs]

    def _draw_mixup(self, steps, run):
        share = torch.tensor(np.random.default_rng(run.seed).beta(MIXUP, MIXUP, (steps, run.bs)), dtype=torch.float)
        self.share = torch.maximum(share, 1 - share).to(self.device)  # of the tile itself
        self.partner = torch.rand(steps, run.bs, device=self.device, generator=self.generator).argsort(1)

    def batch(self):
        "Tiles and targets of the step that `self.step` counts"
        places = self.order.index_select(0, self.step)[0]  # (bs,)
        x = self.tiles.train.index_select(0, places).float() / 255
        x = self.crop.crop(x, self.theta.index_select(0, self.step)[0])
        mean, sd = self.stats
        x, y = ((x - mean) / sd).contiguous(memory_format=self.layout), self.targets.index_select(0, places)
        if self.run.method == 'mixup':
            x, y = self._mixed(x, y)
        return x, y, places

    def _mixed(self, x, y):
        share, partner = self.share.index_select(0, self.step)[0], self.partner.index_select(0, self.step)[0]
        x = torch.lerp(x[partner], x, share[:, None, None, None])
        return x, torch.lerp(y[partner], y, share[:, None])

    def one_step(self):
        "A step of training; nothing in it waits for the device, so that it can be recorded"
        x, y, self.loss.places = self.batch()
        for drop, _ in self.drops:
            drop.at = self.in_epoch
        for p in self.adam.params:
            p.grad = None
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16, cache_enabled=False):
            z = self.model(x)
        known = ~y.isnan()
        loss = self.loss.mean(self.loss.entries(z.float(), y.masked_fill(~known, 0)), known)
        loss.backward()
        self.adam.step(self.schedule.index_select(0, self.step)[0])
        self.loss.step()
        self.total += loss.detach()
        self.step += 1
        self.in_epoch += 1

    def _state(self):
        counters = [self.step, self.in_epoch, self.total]
        averages = [*self.adam.average.values(), *self.adam.square.values()]
        return [*self.model.state_dict().values(), *self.loss.state_dict().values(), *averages, *counters]

    def record(self):
        "The step as a CUDA graph; what the trial steps before it changed is put back"
        before = [t.clone() for t in self._state()]
        for _ in range(3):  # libraries choose their kernels
            self.one_step()
        self.loss.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            self.one_step()
        with torch.no_grad():
            for now, then in zip(self._state(), before):
                now.copy_(then)
        self.graph = graph

    def start_epoch(self, epoch):
        with self.on_stream():
            if epoch == self.run.freeze_epochs:
                self.adam.clear()  # as fastai's `unfreeze` does
            self.loss.epoch.fill_(epoch)
            self.in_epoch.zero_()
            self.total.zero_()
            for drop, features in self.drops:
                drop.draw(self.steps, (self.run.bs, features), self.device, self.generator)
            if self.graphs and self.graph is None:
                self.record()

    def play_step(self):
        with self.on_stream():
            if self.graph is None:
                self.one_step()
            else:
                self.graph.replay()

    def end_epoch(self, epoch):
        if not self.loss.wants_scores(epoch):
            return
        with self.on_stream():
            self.loss.end_epoch(epoch, logits(self.model, self.tiles.train, self.run.size).sigmoid(), self.targets)

    def finish(self, doubts) -> Trained:
        "Logits of validation and test tiles, and those of training tiles where its `doubts` are asked for"

        def said(tiles):
            return logits(self.model, tiles, self.run.size).cpu().numpy()

        with self.on_stream():
            train = said(self.tiles.train) if doubts else None
            loss = float(self.total) / self.steps
            return Trained(
                self.training, said(self.tiles.valid), said(self.tiles.test), train, 0.0, loss, self.pretrained
            )


def train_together(trainings, tiles, device, graphs=True, channels_last=True, doubters=()) -> list:
    """Train runs of equally many steps at the same time; a `Trained` each, whose `seconds` are its share of the time.
    Those whose ids are among `doubters` say what they think of the training tiles, too"""
    started = time.time()
    trainers = [Trainer(t, tiles, device, graphs, channels_last) for t in trainings]
    run = trainings[0].run
    if device.type == 'cuda':
        torch.cuda.synchronize()  # what was made elsewhere is there
    for epoch in range(run.freeze_epochs + run.epochs):
        for trainer in trainers:
            trainer.start_epoch(epoch)
        for _ in range(trainers[0].steps):
            for trainer in trainers:
                trainer.play_step()
        for trainer in trainers:
            trainer.end_epoch(epoch)
    done = [trainer.finish(trainer.run.id in doubters) for trainer in trainers]
    for trained in done:
        trained.seconds = (time.time() - started) / len(done)
    return done


# How to train on this device


def pace(training, tiles, device, graphs, channels_last, steps=60):
    "Seconds a step, and the mean loss of so many steps"
    trainer = Trainer(training, tiles, device, graphs, channels_last)
    trainer.start_epoch(0)
    for _ in range(steps // 3):
        trainer.play_step()
    torch.cuda.synchronize()
    began = time.time()
    for _ in range(steps - steps // 3):
        trainer.play_step()
    torch.cuda.synchronize()
    return (time.time() - began) / (steps - steps // 3), float(trainer.total) / steps


def fastest(training, tiles, device, say=print):
    """`graphs` and `channels_last` for `train_together`: graphs if they learn what plain steps do, and the faster
    layout; and the seconds that a step of one run takes so
    """
    plain, loss = pace(training, tiles, device, False, True)
    say(f'plain steps: {1000 * plain:.2f} ms, loss {loss:.4f}')
    times = {}
    for channels_last in (True, False):
        try:
            seconds, recorded = pace(training, tiles, device, True, channels_last)
        except RuntimeError as e:
            say(f'recorded steps, channels last {channels_last}: {str(e)[:300]}')
            continue
        say(f'recorded steps, channels last {channels_last}: {1000 * seconds:.2f} ms, loss {recorded:.4f}')
        if abs(recorded - loss) < 0.1 * loss:
            times[channels_last] = seconds
    if not times:
        return dict(graphs=False, channels_last=True), plain
    best = min(times, key=times.get)
    return dict(graphs=True, channels_last=best), times[best]
