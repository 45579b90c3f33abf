"""An interval that misses the truth is counted as one that misses it."""

import numpy as np
import pytest

from bench.judge.coverage import misses
from serinus.judge import interval

ALPHA = 0.05


@pytest.mark.parametrize("difference", [-0.0101, 0.0, 0.003, 0.01, 0.2])
def test_an_interval_misses_what_lies_beyond_its_ends(difference: float) -> None:
    grid = interval.SHAPE * 0.01
    ruled_out = np.log(2 / ALPHA)
    steps = np.arange(interval.POINTS)
    missed = []
    for low, high in [(0, 0), (1, 3), (11, 8), (13, 0), (17, 2), (0, 13), (24, 0), (0, 24)]:
        wealth = np.zeros((1, 2, interval.POINTS))
        wealth[0, 0, steps < low] = ruled_out + 1e-9
        wealth[0, 1, steps >= interval.POINTS - high] = ruled_out + 1e-9
        ends = interval.interval(grid, wealth[0], ALPHA)
        below = ends.low is not None and ends.low > difference + 1e-9
        above = ends.high is not None and ends.high < difference - 1e-9
        assert misses(wealth, grid, difference, ALPHA)[0] == (below or above), (low, high)
        missed.append(below or above)
    assert len(set(missed)) == 2
