"""Training throughput on this CPU: fastai's default, ours, and the ceiling, each in a process of its own, in turn.

Usage: python benchmarks/train.py [--rounds 3] [--steps 40] [--arch mobilenet_v2] [--bs 32]

- default: the DataBlock of notebook 01 with fastai's own loader (its workers included) and float32 training
- ours: the same tiles through `tile_dls` and `FastCPU`, reading, decoding (done once, before) and augmentation included
- ceiling: our training step, optimiser and callbacks included, on one batch, in memory and augmented already

Machines drift, so the three take turns and the ratios are taken within a round. Absolute numbers hold for this machine
and moment only.
"""
import argparse
import json
import platform
import statistics
import subprocess
import sys
import warnings

MODES = ('default', 'ours', 'ceiling')


def measure(mode, arch, bs, steps):
    "Tiles a second of `steps` training steps after ten to warm up, the whole network learning"
    warnings.filterwarnings('ignore')
    from time import perf_counter

    from fastai.callback.core import Callback, CancelFitException
    from fastai.torch_core import set_seed

    from recaptcha.batches import tile_dls
    from recaptcha.learner import tile_learner
    from recaptcha.tiles import load_tiles, tile_block, training_tiles

    class Clock(Callback):
        "Stops the fit after `steps` batches and notes when each ended"
        order = 200
        def before_fit(self): self.times = []
        def after_batch(self):
            self.times.append(perf_counter())
            if len(self.times)==steps+10: raise CancelFitException

    class SameBatch(Callback):
        "Every batch is the first one: nothing is read or augmented any more"
        order = -100
        def before_train(self): self.learn.dl = [self.dls.one_batch()]*len(self.dl)

    set_seed(1)
    tiles = training_tiles(load_tiles('full'))
    tiles = tiles.sample(min(len(tiles), int(1.5*bs*(steps+12))), random_state=1).reset_index(drop=True)
    dls = tile_block().dataloaders(tiles, bs=bs) if mode=='default' else tile_dls(tiles, bs=bs)
    learn = tile_learner(dls, arch, pretrained=False, fast=mode!='default')
    clock = Clock()
    learn.unfreeze()
    with learn.no_bar(), learn.no_logging(): learn.fit(1, 1e-4, cbs=[clock]+[SameBatch()]*(mode=='ceiling'))
    return bs*steps/(clock.times[-1]-clock.times[9])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--steps', type=int, default=40)
    p.add_argument('--arch', default='mobilenet_v2')
    p.add_argument('--bs', type=int, default=32)
    p.add_argument('--mode', choices=MODES, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.mode: return print(json.dumps(measure(a.mode, a.arch, a.bs, a.steps)))
    rates = {m: [] for m in MODES}
    for r in range(a.rounds):
        for m in MODES:
            out = subprocess.run(
                [sys.executable, __file__, '--mode', m, '--arch', a.arch, '--bs', str(a.bs), '--steps', str(a.steps)],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout
            rates[m].append(json.loads(out.splitlines()[-1]))
            print(f'round {r+1}, {m}: {rates[m][-1]:.1f} tiles/s', file=sys.stderr)
    import torch

    from recaptcha.cpu import cpu_has_bf16
    name = getattr(torch.cpu, 'get_capabilities', dict)().get('cpu_name') or platform.processor() or platform.machine()
    print(
        f"\n{a.arch}, batch {a.bs}, 128 px, {torch.get_num_threads()} threads, {name}, bf16 "
        f"{'yes' if cpu_has_bf16() else 'no'}, torch {torch.__version__}, {a.rounds} rounds"
    )
    print(f"{'':10}{'tiles/s':>9}{'of default':>12}{'of ceiling':>12}")
    for m in MODES:
        of = lambda other, m=m: statistics.median(x/y for x, y in zip(rates[m], rates[other]))
        print(f"{m:10}{statistics.median(rates[m]):9.1f}{of('default'):11.2f}×{of('ceiling'):12.2f}")


if __name__=='__main__': main()
