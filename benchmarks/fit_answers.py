"""Fits the two numbers by which `recaptcha.trust.TRUST` turns a product over tiles into the probability that all of
them are right, on challenges with known answers, and measures how far it can be relied on.

Usage: python benchmarks/fit_answers.py [--model FILE] [--draws 300]

Nine tiles are drawn from the validation fifth, which no released network has learnt: a class, two to five tiles that
show it and others that don't. Photographs are the validation tiles whose cells are labelled, looked at as sixteen
squares each; and the real ones of the folder that RECAPTCHA_CHALLENGES names, where it is set: these are harder, so
they have a shift of their own, which counts. Real challenges of nine tiles are left for a check. Prints slope and shift
of each kind, then a table: how many answers are sure, and how many of these, and of the others, are right.
"""

import argparse
import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from recaptcha.answers import SURE, Trust, all_right, answer
from recaptcha.batches import encode_known
from recaptcha.calibration import finite_logits
from recaptcha.network import CLASSES, Network
from recaptcha.pictures import open_tile
from recaptcha.tiles import load_cells, load_tiles, training_tiles, validation_fifth

MATCHES = (2, 3, 4, 5)  # of nine tiles


@dataclass(frozen=True)
class Answered:
    """Answers to challenges."""

    product: np.ndarray  # over the tiles of each, shape (challenges,)
    right: np.ndarray  # are all tiles? bool, same shape

    @classmethod
    def of(cls, pairs):
        product, right = zip(*pairs) if pairs else ((), ())
        return cls(np.array(product, dtype=float), np.array(right, dtype=bool))


def validation_tiles():
    table = training_tiles(load_tiles("full", labels="complete"))
    return table[validation_fifth(table)].reset_index(drop=True)


def nine_tiles(table, network, draws, rng):
    """Drawn challenges of nine validation tiles, `draws` of each class."""
    truth, known = encode_known(table)
    probs = np.concatenate([network.probs(np.asarray(open_tile(path))[None]) for path in table.path])
    found = []
    for c in range(len(CLASSES)):
        there, others = (np.flatnonzero(known[:, c] & (truth[:, c] == shows)) for shows in (1, 0))
        for draw in range(draws):
            k = MATCHES[draw % len(MATCHES)]
            tiles = np.r_[rng.choice(there, k, replace=False), rng.choice(others, 9 - k, replace=False)]
            right = (probs[tiles, c] > network.thresholds[c]) == truth[tiles, c]
            found.append((all_right(probs[tiles], network.thresholds)[c], right.all()))
    return Answered.of(found)


def solved(clicks, required, optional):
    return set(required) <= set(clicks) <= {*required, *optional}


def cells(table, network):
    """Validation tiles whose cells are labelled, each a photograph."""
    places = dict(zip(table.file, table.path))
    found = []
    for row in load_cells("full").to_dict("records"):
        if row["file"] not in places:
            continue
        said = answer(places[row["file"]], row["class"], "4x4", network)
        found.append((product(said), solved(said.clicks(), row["required"], row["optional"])))
    return Answered.of(found)


def product(said):
    return all_right(said.probabilities, said.thresholds)[CLASSES.index(said.target)]


def asked_rows(folder, grid):
    """What `real/answers.csv` says of the payloads of one grid (`3x3` or `4x4`), for the class that each asks for."""
    with open(folder / "real" / "answers.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["asked"] and row["grid"] == grid]
    return [row for row in rows if row["picture"].startswith("p")]


def numbers(row, column):
    return [int(k) for k in row[column].split(";") if k]


def real(folder, grid, network):
    """Real payloads of one grid (`3x3` or `4x4`), the class that each asks for."""
    if folder is None:
        return Answered.of([])
    found = []
    for row in asked_rows(folder, grid):
        said = answer(folder / "real" / row["picture"], row["target"], grid, network)
        found.append((product(said), solved(said.clicks(), numbers(row, "required"), numbers(row, "optional"))))
    return Answered.of(found)


def fitted(*sources):
    """By maximum likelihood, one slope for all sources, and the shift of the last: it is the one that matters most."""
    sources = [source for source in sources if len(source.right)]
    last = np.concatenate([np.full(len(source.right), source is sources[-1]) for source in sources])
    seen = np.c_[finite_logits(np.concatenate([source.product for source in sources])), ~last]
    model = LogisticRegression(C=1e6).fit(seen, np.concatenate([source.right for source in sources]))
    return Trust(round(float(model.coef_[0, 0]), 2), round(float(model.intercept_[0]), 2))


def report(name, answered, trust):
    if not len(answered.right):
        return
    confidence = trust.calibrated(answered.product)
    sure = confidence >= SURE
    print(
        f"{name:34} {len(sure):6} {answered.right.mean():7.2f} {confidence.mean():9.2f} {sure.mean():6.2f}"
        f" {answered.right[sure].mean():12.2f} {answered.right[~sure].mean():14.2f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--draws", type=int, default=300)
    options = parser.parse_args()
    network, table = Network(options.model), validation_tiles()
    folder = os.environ.get("RECAPTCHA_CHALLENGES")
    folder = Path(folder) if folder else None
    drawn = nine_tiles(table, network, options.draws, np.random.default_rng(1))
    tiles = fitted(drawn)
    print(f"tiles={tiles}")
    parts = {"drawn": (drawn, tiles), "real, 3×3": (real(folder, "3x3", network), tiles)}
    if "photograph" in network.kinds:
        of_tiles, of_challenges = cells(table, network), real(folder, "4x4", network)
        photograph = fitted(of_tiles, of_challenges)
        print(f"photograph={photograph}")
        parts |= {"cells of tiles": (of_tiles, photograph), "real, 4×4": (of_challenges, photograph)}
    print("challenges".ljust(34), "number   right  expected   sure  right if sure  if unsure")
    for name, (answered, trust) in parts.items():
        report(name, answered, trust)


if __name__ == "__main__":
    main()
