"""A confidence sequence for θc − θs: an interval that covers the difference at all looks together.

For each of 24 differences d one bet runs against "θc − θs ≤ d" and one against "θc − θs ≥ d". While a bet's wealth is
at least 2/α its d is ruled out. The lower end is the largest d below which everything is ruled out, and likewise the
upper end: it is wrong only if the one test nearest to the true difference is, so each side errs with probability at
most α/2, however often one looks (Ville's inequality). Ends are rounded outwards to the grid.

The wealth is capped at (2/α)², which keeps it valid: a canary that turns bad within a step takes its interval along.
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
    """Log-wealth after a tick, capped."""
    capped: Floats = np.minimum(log_wealth + log_e, 2 * np.log(2 / alpha))
    return capped


def interval(differences: Floats, log_wealth: Floats, alpha: float) -> Interval:
    """The interval that the bets on the sorted `differences` leave now."""
    ruled_out = log_wealth >= np.log(2 / alpha)
    below = int(np.logical_and.accumulate(ruled_out[0]).sum())
    above = int(np.logical_and.accumulate(ruled_out[1, ::-1]).sum())
    return Interval(
        low=float(differences[below - 1]) if below else None,
        high=float(differences[-above]) if above else None,
    )
