"""`benchmarks/fit_squares.py`: the shift that makes squares of a class as sure as real photographs say"""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
from fit_squares import Asked, shift


def asked(logits, required, optional=()):
    numbers = np.arange(len(logits))
    return Asked("Car", np.asarray(logits, dtype=float), np.isin(numbers, required), np.isin(numbers, optional))


def test_a_challenge_is_solved_when_no_square_is_missed_or_clicked_by_mistake():
    one = asked([2.0, -1.0, 0.5, -3.0], required=[0], optional=[2])
    assert one.solved(0.0) and one.solved(1.0)  # with and without the optional square
    assert not one.solved(-2.0) and not one.solved(3.0)


def test_squares_that_are_too_unsure_are_shifted_up_and_few_of_them_hardly():
    rng = np.random.default_rng(0)
    said = rng.normal(0, 3, (40, 16))
    truth = rng.random(said.shape) < 1 / (1 + np.exp(-said - 2))  # two surer than the network says
    many = [asked(z, np.flatnonzero(y)) for z, y in zip(said, truth)]
    assert shift(many, 0.0) == pytest.approx(2, abs=0.5)
    assert shift(many, 1.0) == pytest.approx(3, abs=0.5)  # as far as the threshold is above zero, and two more
    assert 0 < shift(many[:1], 0.0) < shift(many, 0.0)
    assert shift([], 0.0) == pytest.approx(0, abs=1e-3)
