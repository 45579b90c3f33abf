"""A confidence sequence for θc − θs: an interval that covers the difference at all looks together.

For each of 24 differences d one bet runs against "θc − θs ≤ d" and one against "θc − θs ≥ d". A bet whose wealth has
reached 2/α rules its d out, for good. The lower end is the largest d below which everything is ruled out, and likewise
the upper end: it is wrong only if the one test nearest to the true difference is, so each side errs with probability
at most α/2, however often one looks (Ville's inequality). Ends are rounded outwards to the grid.
"""

from dataclasses import dataclass

import numpy as np

from serinus.judge.proportion import Floats

_STEPS = np.array([0.1, 0.25, 0.4, 0.6, 0.8, 1.0, 1.25, 1.7, 2.5, 4.0, 8.0, 16.0])
SHAPE = np.concatenate([-_STEPS[::-1], _STEPS])
"""The grid in units of the tolerance: finest around it, wide enough for a disaster."""


def grid(unit: float) -> Floats:
    """The 24 differences that are tested, for a tolerance of `unit` (a share of requests)."""
    return np.clip(SHAPE * unit, -0.999, 0.999)


@dataclass(frozen=True, slots=True)
class Interval:
    """Ends of the interval, shares of requests; None where that side is not bounded yet."""

    low: float | None
    high: float | None


def start() -> Floats:
    """Log-wealth of the 24 bets against ≤ d and the 24 against ≥ d, before any tick: shape (2, 24)."""
    return np.zeros((2, SHAPE.size))


def step(log_wealth: Floats, log_e: Floats, alpha: float) -> Floats:
    """Log-wealth after a tick; what has reached 2/α becomes infinite, which is how it stays ruled out."""
    grown = log_wealth + log_e
    return np.where(grown >= np.log(2 / alpha), np.inf, grown)


def interval(differences: Floats, log_wealth: Floats) -> Interval:
    """The interval that is left by the bets of `step` on the sorted `differences`."""
    ruled_out = np.isinf(log_wealth)
    below = int(np.logical_and.accumulate(ruled_out[0]).sum())
    above = int(np.logical_and.accumulate(ruled_out[1, ::-1]).sum())
    return Interval(
        low=float(differences[below - 1]) if below else None,
        high=float(differences[-above]) if above else None,
    )
