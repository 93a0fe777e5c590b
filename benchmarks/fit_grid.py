"""Fits the weights by which `recaptcha.candidates.judge` tells grids from what only looks like one, and the logistic
regression by which `recaptcha.grid.surely` says how sure a grid is, on composed pictures.

Usage: python benchmarks/fit_grid.py [--pictures 300] [--without 150]

Every candidate of a picture gets the twelve numbers of `look_at`; a softmax over a picture's candidates and "there is
none" should put its weight on those that are right. Prints the weights, the score of "none", how often the best
candidate is right, and the regression of that on score and lead. The notebook on the grid draws its pictures from other
seeds.
"""

import argparse
import random
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.optimize import minimize

from recaptcha.candidates import APART, LEAST, WEIGHTS, Candidate, View, look_at, neighbours, propose
from recaptcha.compose import any_kind, beside_windows, compose, disturb
from recaptcha.grid import COARSE, FINE, WITHIN, shrink
from recaptcha.regions import regions
from recaptcha.tiles import load_tiles, open_tile, training_tiles

HOLD = 0.001  # how firmly the weights are held at those there are
LANDED = np.array(list(WEIGHTS.values()))
NONE = 34.8  # the score of "there is none" from which the fit begins


@dataclass(frozen=True)
class Seen:
    """The candidates of a region of a picture: what is seen of each, and where it is in the picture."""

    numbers: np.ndarray  # shape (candidates, 12)
    places: np.ndarray  # n, x, y and pitch in pixels, shape (candidates, 4)
    right: np.ndarray  # bool, shape (candidates,)


def candidates(view, least):
    """What `search` would judge: the numbers of each, and the `Candidate` at its exact place."""

    def seen(candidate):
        numbers, x, y = look_at(view, candidate)
        place = Candidate(0.0, candidate.n, candidate.pitch, candidate.gutter, x, y)
        return np.array(list(numbers.values()), dtype=float), place

    found = [seen(one) for one in propose(view, least)]
    best = sorted(found, key=lambda one: -(one[0] @ LANDED))[:3]
    return found + [seen(other) for _, place in best for other in neighbours(view, place)]


def right(places, grid, scale):
    """Which candidates are so near that `measure` finds the grid; none where there is no grid."""
    if grid is None:
        return np.zeros(len(places), bool)
    n, x, y, pitch = places.T
    far = np.maximum(abs(x - grid.x), abs(y - grid.y))
    near = far < max(3.5 * scale, 0.05 * grid.pitch)
    return (n == grid.n) & (abs(pitch - grid.pitch) < max(1.6 * scale, 0.03 * grid.pitch)) & near


def views(im):
    """A `View` of each region, its place, pixels of the picture for one of the view, and a grid's least share of it."""
    full = shrink(im, FINE)
    small = shrink(full, COARSE)
    for box in regions(np.asarray(small, dtype=np.float32).mean(2)):
        left, top, right_side, bottom = (round(v * full.width / small.width) for v in box)
        part = full.crop((left, top, min(right_side, full.width), min(bottom, full.height)))
        view = View.of(shrink(part, COARSE))
        f = im.width / full.width
        least = LEAST if box == (0, 0, *small.size) else WITHIN
        yield view, (left * f, top * f), part.width / view.width * f, least


def regions_seen(im, grid):
    """A `Seen` for each region with candidates."""
    for view, (left, top), scale, least in views(im):
        found = candidates(view, least)
        if found:
            places = np.array([(c.n, left + c.x * scale, top + c.y * scale, c.pitch * scale) for _, c in found])
            yield Seen(np.array([numbers for numbers, _ in found]), places, right(places, grid, scale))


def challenge(seed, photos):
    """A composed challenge as it may be handed over, and its grid."""
    rng = random.Random(seed)
    kind = any_kind(rng)
    cut = kind["n"] == 4 and kind["gutter"] > 0 and rng.random() < 0.5
    return disturb(*compose(rng.sample(photos, 1 if cut else kind["n"] ** 2), **kind), rng)


def without(seed, photos):
    """A photograph, a payload that is one, a turned challenge, or a page with a photograph in the challenge's place."""
    rng = random.Random(seed)
    if seed % 4 == 0:
        return rng.choice(photos).resize((rng.randint(300, 900), rng.randint(300, 900)), Image.BICUBIC)
    if seed % 4 == 1:
        return rng.choice(photos).resize((rng.choice([300, 400, 450, 600]),) * 2, Image.BICUBIC)
    kind = {**any_kind(rng), "zoom": 1}
    im, grid = compose(rng.sample(photos, kind["n"] ** 2), **kind)
    if seed % 4 == 2:
        return im.rotate(rng.choice([-1, 1]) * rng.uniform(6, 40), expand=True, fillcolor="white")
    im.paste(rng.choice(photos).resize((round(grid.pitch * grid.n),) * 2), grid.boxes()[0][:2])
    return beside_windows(im, grid, rng)[0] if rng.random() < 0.5 else im


def loss(parameters, pictures):
    """The softmax's over candidates and "none", and its slope; the last parameter is the score of "none"."""
    off = parameters - np.r_[LANDED, NONE]
    off[-1] = 0
    value, slope = HOLD * (off**2).sum(), 2 * HOLD * off
    for numbers, ok in pictures:
        inputs = np.vstack([np.c_[numbers, np.zeros(len(numbers))], np.r_[np.zeros(len(LANDED)), 1]])
        z = inputs @ parameters
        e = np.exp(z - z.max())
        q = e * np.r_[ok, not ok.any()]
        value -= np.log(q.sum() / e.sum()) / len(pictures)
        slope = slope + (e / e.sum() - q / q.sum()) @ inputs / len(pictures)
    return value, slope


def score_and_lead(seen, weights):
    """Of a region's best candidate, and whether it is right."""
    scores = seen.numbers @ weights
    best = scores.argmax()
    off = abs(seen.places - seen.places[best])
    others = scores[(off[:, 0] > 0) | (off[:, 1:].max(1) > APART * seen.places[best, 3])]
    return scores[best], scores[best] - max(others, default=0.0), seen.right[best]


def surely(data):
    """The logistic regression of being right on score and lead: the two slopes, and the bias."""
    score, lead, ok = np.array(data, dtype=float).T
    middle = score.mean()

    def mean_loss(p):
        z = p[0] * (score - middle) + p[1] * lead + p[2]
        return np.mean(np.logaddexp(0, -np.where(ok, z, -z))) + 1e-3 * (p[:2] ** 2).sum()

    slope, of_lead, bias = minimize(mean_loss, [1.0, 0.5, 0.0]).x
    return slope, of_lead, bias - slope * middle


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--without", type=int, default=150)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    tiles = training_tiles(load_tiles("full"), "full").sample(900, random_state=5)
    photos = [open_tile(path) for path in tiles.path]
    seen = [list(regions_seen(*challenge(20_000 + seed, photos))) for seed in range(args.pictures)]
    seen += [list(regions_seen(without(30_000 + seed, photos), None)) for seed in range(args.without)]
    joined = [
        (np.concatenate([one.numbers for one in found]), np.concatenate([one.right for one in found]))
        for found in seen
        if found
    ]
    *weights, none = minimize(loss, np.r_[LANDED, NONE], args=(joined,), jac=True).x
    best = np.mean([ok[(numbers @ weights).argmax()] for numbers, ok in joined if ok.any()])
    slope, of_lead, bias = surely([score_and_lead(one, weights) for found in seen for one in found])
    print("WEIGHTS =", {name: round(float(value), 2) for name, value in zip(WEIGHTS, weights)})
    print(f"none scores {none:.1f}; where a candidate is right, the best one is in {best:.1%}")
    print(f"SURELY = dict(score={slope:.3f}, lead={of_lead:.3f}, bias={bias:.1f})")


if __name__ == "__main__":
    main()
