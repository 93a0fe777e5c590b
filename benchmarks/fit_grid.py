"""Fits the weights by which `recaptcha.candidates.judge` tells grids from what only looks like one, on composed
pictures.

Usage: python benchmarks/fit_grid.py [--pictures 320] [--without 120]

Every candidate of a picture gets the ten numbers of `look_at`; a softmax over a picture's candidates should put its
weight on those that are right. Prints the weights, how often the best candidate is right, and the scores between which
`SURE` should lie: the lowest of the right grids, the highest of pictures without one. The notebook on the grid draws
its pictures from other seeds.
"""

import argparse
import random
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.optimize import minimize

from recaptcha.candidates import WEIGHTS, Candidate, View, look_at, neighbours, propose
from recaptcha.compose import any_kind, compose
from recaptcha.grid import COARSE, FINE, Grid, shrink
from recaptcha.tiles import load_tiles, open_tile, training_tiles

HOLD = 0.002  # how firmly the weights are held at those there are
LANDED = np.array(list(WEIGHTS.values()))


@dataclass(frozen=True)
class Seen:
    """A candidate at its exact place, and the ten numbers that are seen of it."""

    place: Candidate
    numbers: np.ndarray  # shape (10,)


def seen(view, candidate):
    numbers, x, y = look_at(view, candidate)
    place = Candidate(0.0, candidate.n, candidate.pitch, candidate.gutter, x, y)
    return Seen(place, np.array(list(numbers.values()), dtype=float))


def candidates(im):
    """What `find_grid` would judge, a `Seen` each, and how much the picture was shrunk."""
    small = shrink(shrink(im, FINE), COARSE)
    view = View.of(small)
    found = [seen(view, one) for one in propose(view)]
    best = sorted(found, key=lambda one: -(one.numbers @ LANDED))[:3]
    found += [seen(view, other) for one in best for other in neighbours(view, one.place)]
    return found, small.width / im.width


def picture(seed, photos, with_grid=True):
    """A composed challenge and its grid; or a photograph, or a turned challenge, without one."""
    rng = random.Random(seed)
    kind = any_kind(rng)
    cut = kind["n"] == 4 and kind["gutter"] > 0 and rng.random() < 0.5
    if not with_grid and seed % 2:
        photo = rng.choice(photos)
        return photo.resize((rng.randint(300, 900), rng.randint(300, 900)), Image.BICUBIC), None
    im, grid = compose(rng.sample(photos, 1 if cut else kind["n"] ** 2), **kind)
    if with_grid:
        return im, grid
    angle = rng.choice([-1, 1]) * rng.uniform(6, 40)
    return im.rotate(angle, expand=True, fillcolor="white"), None


def right(place: Candidate, grid: Grid, scale):
    far = max(abs(place.x - grid.x * scale), abs(place.y - grid.y * scale))
    return place.n == grid.n and abs(place.pitch - grid.pitch * scale) < 1.6 and far < 3.5


def training_data(photos, pictures):
    """For each picture with a right candidate, the numbers of all, shape (candidates, 10), and which are right."""
    data = []
    for seed in range(pictures):
        im, grid = picture(seed, photos)
        found, scale = candidates(im)
        ok = np.array([right(one.place, grid, scale) for one in found])
        if ok.any():
            data.append((np.array([one.numbers for one in found]), ok))
    return data


def loss(weights, data):
    """The softmax's, and its slope."""
    off = weights - LANDED
    value, slope = HOLD * (off**2).sum(), 2 * HOLD * off
    for numbers, ok in data:
        z = numbers @ weights
        e = np.exp(z - z.max())
        q = e * ok
        value -= np.log(q.sum() / e.sum()) / len(data)
        slope = slope - ((q / q.sum()) @ numbers - (e / e.sum()) @ numbers) / len(data)
    return value, slope


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=320)
    parser.add_argument("--without", type=int, default=120)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    tiles = training_tiles(load_tiles("full"), "full").sample(900, random_state=5)
    photos = [open_tile(path) for path in tiles.path]
    data = training_data(photos, args.pictures)
    weights = minimize(loss, LANDED, args=(data,), jac=True).x
    empty = [candidates(picture(1000 + seed, photos, False)[0])[0] for seed in range(args.without)]
    none = [max(one.numbers @ weights for one in found) for found in empty if found]
    best = np.mean([ok[(numbers @ weights).argmax()] for numbers, ok in data])
    lowest = min((numbers @ weights)[ok].max() for numbers, ok in data)
    print("WEIGHTS =", {name: round(float(value), 2) for name, value in zip(WEIGHTS, weights)})
    print(f"of {len(data)} pictures with a right candidate, it is the best in {best:.1%}")
    print(
        f"right grids score from {lowest:.1f}; 99 % of pictures without a grid stay below {np.quantile(none, 0.99):.1f}"
    )


if __name__ == "__main__":
    main()
