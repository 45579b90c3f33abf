"""Overdispersion is measured in the stable's past, or said to be unknown where there is too little of it."""

import math

import numpy as np
import pytest

from serinus.judge.dispersion import excess
from serinus.judge.evidence import Counts

REQUESTS, RATE = 100.0, 0.1


def of_halves(ticks: int, *, swing: float = 0.0) -> float:
    """τ² of two pods whose failure rates swing apart and back, over so many ticks."""
    random, away = np.random.default_rng(3), swing * np.sign(np.sin(np.arange(ticks) / 5 + 0.1))
    one, other = (
        Counts(np.full(ticks, REQUESTS), random.binomial(100, RATE + side * away).astype(float)) for side in (1, -1)
    )
    return excess(one, other, pods=2, canary_pods=1, stable_pods=2)


@pytest.mark.parametrize("ticks", [0, 1, 13, 39])
def test_a_short_past_says_nothing_and_tempers_nothing(ticks: int) -> None:
    assert math.isnan(of_halves(ticks, swing=0.05))


def test_ticks_in_which_one_half_served_nobody_are_no_past() -> None:
    half = Counts(np.full(60, REQUESTS), np.full(60, 10.0))
    idle = Counts(np.where(np.arange(60) < 30, REQUESTS, 0.0), np.where(np.arange(60) < 30, 10.0, 0.0))
    assert math.isnan(excess(half, idle, pods=2, canary_pods=1, stable_pods=2))


def test_counts_that_cluster_vary_more_than_independent_ones() -> None:
    binomial = RATE * (1 - RATE) * (1 / REQUESTS + 1 / REQUESTS)
    assert 0 <= of_halves(480) < binomial
    assert of_halves(480, swing=0.05) > 5 * binomial
