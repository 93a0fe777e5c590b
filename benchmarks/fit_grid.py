"""Fits the weights by which `recaptcha.grid.judge` tells grids from what only looks like one, on composed pictures of
training tiles.

Usage: python benchmarks/fit_grid.py [--pictures 320] [--without 120]

Every candidate of a picture gets the ten numbers that `judge` sees; a softmax over a picture's candidates should put
its weight on those that are right. Prints the weights, how often the best candidate is right, and the scores between
which `SURE` should lie: the lowest of the right grids, the highest of pictures without one. Notebook 06b draws its
pictures from other seeds.
"""
import argparse
import random
import warnings

import numpy as np
from PIL import Image
from scipy.optimize import minimize

warnings.filterwarnings('ignore')
from recaptcha import grid  # noqa: E402
from recaptcha.data import load_tiles, open_tile, training_tiles  # noqa: E402
from recaptcha.grid import (  # noqa: E402
    COARSE,
    FINE,
    WEIGHTS,
    Grid,
    any_kind,
    compose,
    edge_map,
    judge,
    neighbours,
    propose,
)

HOLD = .002 # how firmly the weights are held at those there are


def candidates(im):
    """What `find_grid` would judge: the numbers seen of each, (n, pitch, x, y) of each, and how much the picture was
    shrunk
    """
    small = grid._shrink(grid._shrink(im, FINE), COARSE)
    a = np.asarray(small, dtype=np.float32)
    Ex, Ey = edge_map(a), edge_map(a.transpose(1, 0, 2))
    grey = a.mean(2)
    sums = np.pad(np.stack([grey, grey**2]).cumsum(1, dtype=np.float64).cumsum(2), ((0, 0), (1, 0), (1, 0)))

    def look(at):
        "The score is linear in the weights, so asking with one weight at a time tells the numbers"
        seen = []
        for name in WEIGHTS:
            grid.WEIGHTS = {k: float(k == name) for k in WEIGHTS}
            score, *place = judge(a, Ex, Ey, sums, *at)
            seen.append(score)
        grid.WEIGHTS = WEIGHTS
        return np.array(seen, dtype=float), place

    found = [look(c) for c in propose(Ex, Ey)]
    w = np.array(list(WEIGHTS.values()))
    found += [
        look(c) for _, place in sorted(found, key=lambda f: -(f[0] @ w))[:3] for c in neighbours(*place, *small.size)
    ]
    return np.array([f[0] for f in found]), [(p[0], p[1], *p[3:]) for _, p in found], small.width / im.width


def picture(seed, photos, with_grid=True):
    "A composed challenge and its grid; or a photograph, or a turned challenge, without one"
    rng = random.Random(seed)
    kind = any_kind(rng)
    cut = kind['n'] == 4 and kind['gutter'] > 0 and rng.random() < 0.5
    if not with_grid and seed % 2:
        return rng.choice(photos).resize((rng.randint(300, 900), rng.randint(300, 900)), Image.BICUBIC), None
    im, g = compose(rng.sample(photos, 1 if cut else kind['n'] ** 2), **kind)
    return (
        (im, g)
        if with_grid
        else (im.rotate(rng.choice([-1, 1]) * rng.uniform(6, 40), expand=True, fillcolor='white'), None)
    )


def right(place, g:Grid, scale):
    n,pitch,x,y = place
    return n==g.n and abs(pitch-g.pitch*scale)<1.6 and max(abs(x-g.x*scale), abs(y-g.y*scale))<3.5


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--pictures', type=int, default=320)
    p.add_argument('--without', type=int, default=120)
    a = p.parse_args()
    photos = [open_tile(f) for f in training_tiles(load_tiles('full'), 'full').sample(900, random_state=5).path]
    data = []
    for seed in range(a.pictures):
        im, g = picture(seed, photos)
        seen, places, scale = candidates(im)
        ok = np.array([right(place, g, scale) for place in places])
        if ok.any():
            data.append((seen, ok))
    start = np.array(list(WEIGHTS.values()))
    def loss(w):
        value, slope = HOLD * ((w - start) ** 2).sum(), 2 * HOLD * (w - start)
        for X, ok in data:
            z = X @ w
            e = np.exp(z - z.max())
            q = e * ok
            value -= np.log(q.sum() / e.sum()) / len(data)
            slope = slope - ((q / q.sum()) @ X - (e / e.sum()) @ X) / len(data)
        return value, slope

    w = minimize(loss, start, jac=True).x
    none = [
        (seen @ w).max()
        for seen, *_ in (candidates(picture(1000 + s, photos, False)[0]) for s in range(a.without))
        if len(seen)
    ]
    print('WEIGHTS =', {k: round(float(v), 2) for k, v in zip(WEIGHTS, w)})
    print(
        f'of {len(data)} pictures with a right candidate, it is the best in '
        f'{np.mean([ok[(X @ w).argmax()] for X, ok in data]):.1%}'
    )
    print(
        f'right grids score from {min((X @ w)[ok].max() for X, ok in data):.1f}; 99 % of pictures without a grid stay '
        f'below {np.quantile(none, 0.99):.1f}'
    )


if __name__=='__main__': main()
