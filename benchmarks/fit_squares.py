"""Fits `recaptcha.places_release.SURER`: by how much the squares of each class have to be surer in real photographs
than the cells of validation tiles say.

Usage: python benchmarks/fit_squares.py [--model FILE]

RECAPTCHA_CHALLENGES names a folder with real/answers.csv and the pictures of 4×4 challenges. Of each, the squares of
the class that it asks for are compared with the calibrated probabilities of the network. A class gets the shift of its
logits that fits best, held near zero by a ridge penalty, so that classes with few challenges hardly move. The weights
of the network stay as they are. Prints the shifts, and how many challenges are solved without them, with them, and with
those that the other challenges give (leaving one picture out at a time), which is the number to believe.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fit_answers import asked_rows, numbers
from scipy.optimize import minimize_scalar
from scipy.special import logit

from recaptcha.network import CLASSES, SQUARES, Network
from recaptcha.pictures import open_tile

PENALTY = 4.0  # as `recaptcha.calibration.fit_calibration` has for tiles
NUMBERS = np.arange(1, SQUARES + 1)


@dataclass(frozen=True)
class Asked:
    """The squares of one challenge, for the class that it asks for."""

    target: str
    logits: np.ndarray  # calibrated, shape (16,)
    required: np.ndarray  # bool, same shape
    optional: np.ndarray  # bool, same shape

    def solved(self, threshold):
        clicked = self.logits > threshold
        return not (clicked & ~self.required & ~self.optional).any() and clicked[self.required].all()


def read_challenges(folder, network):
    return [asked(row, folder / "real" / row["picture"], network) for row in asked_rows(folder, "4x4")]


def asked(row, picture, network):
    required, optional = (np.isin(NUMBERS, numbers(row, column)) for column in ("required", "optional"))
    squares = network.look(np.asarray(open_tile(picture))).squares
    return Asked(row["target"], logit(squares[:, CLASSES.index(row["target"])].astype(float)), required, optional)


def shift(challenges, bayes):
    """What to add to the logits of one class, by penalised likelihood; `bayes`, their threshold, counts as 0."""
    logits = np.concatenate([c.logits[~c.optional] for c in challenges] or [np.zeros(0)]) - bayes
    truth = np.concatenate([c.required[~c.optional] for c in challenges] or [np.zeros(0)])

    def loss(by):
        z = logits + by
        return (np.logaddexp(0, z) - truth * z).sum() + PENALTY * by**2 / 2

    return minimize_scalar(loss, bounds=(-6, 6), method="bounded").x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a network made with SURER = {}")
    options = parser.parse_args()
    folder = os.environ.get("RECAPTCHA_CHALLENGES")
    if not folder:
        raise SystemExit("fit_squares: RECAPTCHA_CHALLENGES names the folder with real challenges")
    network = Network(options.model)
    bayes = dict(zip(CLASSES, logit(np.asarray(network.square_thresholds, dtype=float))))
    challenges = read_challenges(Path(folder), network)
    found, counts = {}, dict(without=0, fitted=0, left_out=0)
    for target in dict.fromkeys(c.target for c in challenges):
        own = [c for c in challenges if c.target == target]
        found[target] = -shift(own, bayes[target])
        for i, c in enumerate(own):
            others = own[:i] + own[i + 1 :]
            counts["without"] += c.solved(bayes[target])
            counts["fitted"] += c.solved(bayes[target] + found[target])
            counts["left_out"] += c.solved(bayes[target] - shift(others, bayes[target]))
    print("SURER =", {target: round(float(by), 2) for target, by in found.items()})
    print(f"solved of {len(challenges)}:", counts)


if __name__ == "__main__":
    main()
