"""A confidence sequence for a difference: an interval that covers it at all looks together.

For each of 24 differences d one bet runs against "the difference is at most d" and one against "it is at least d".
While a bet's wealth is at least 2/α its d is ruled out. The lower end is the largest d below which everything is ruled
out, and likewise the upper end: it is wrong only if the one test nearest to the true difference is, so each side errs
with probability at most α/2, however often one looks (Ville's inequality). Ends are rounded outwards to the grid.

The wealth is capped at (2/α)², which keeps it valid: a canary that turns bad within a step takes its interval along.
"""

from dataclasses import dataclass

import numpy as np

from serinus.judge.evidence import Floats, Number

_STEPS = np.array([0.1, 0.25, 0.4, 0.6, 0.8, 1.0, 1.25, 1.7, 2.5, 4.0, 8.0, 16.0])
SHAPE = np.concatenate([-_STEPS[::-1], _STEPS])
"""The grid in units of the tolerance: finest around it, wide enough for a disaster."""

POINTS = SHAPE.size
"""How many differences are tested on each side."""

SIDES = np.array([[+1.0], [-1.0]])
"""Of the bets against ≤ d and against ≥ d: shape (2, 1), beside the 24 differences."""

_NEAR, _FAR = 1.4, 4.0  # odds by which a bet stays off the boundary that it tests
_PRIOR = 20.0  # requests' worth of belief that the canary is like the stable


@dataclass(frozen=True, slots=True)
class Interval:
    """Ends of the interval; None where that side is not bounded yet."""

    low: float | None = None
    high: float | None = None

    def scaled(self, factor: float) -> "Interval":
        """The interval of the difference times `factor`, which is at least 0."""
        return Interval(
            None if self.low is None else self.low * factor, None if self.high is None else self.high * factor
        )

    def reversed(self) -> "Interval":
        """The interval of minus the difference."""
        return Interval(None if self.high is None else -self.high, None if self.low is None else -self.low)


def start(*shape: int) -> Floats:
    """Log-wealth before any tick, of the bets against ≤ d and against ≥ d: shape (*shape, 2, 24)."""
    return np.zeros((*shape, 2, POINTS))


def step(log_wealth: Floats, log_e: Floats, alpha: float) -> Floats:
    """Log-wealth after a tick, capped."""
    return np.asarray(np.minimum(log_wealth + log_e, 2 * np.log(2 / alpha)))


def interval(
    differences: Floats, log_wealth: Floats, alpha: float, *, least: float = -np.inf, most: float = np.inf
) -> Interval:
    """The interval that the bets on the 24 sorted `differences` leave now; `log_wealth` of shape (2, 24).

    No difference can be `least` or below, whatever was counted; those above `most` cannot be told apart: no bets.
    """
    ruled_out = log_wealth >= np.log(2 / alpha)
    below = int(np.logical_and.accumulate(ruled_out[0] | (differences <= least)).sum())
    tested = ruled_out[1, differences <= most][::-1]
    above = int(np.logical_and.accumulate(tested).sum())
    return Interval(
        low=float(differences[below - 1]) if below else None,
        high=float(differences[tested.size - above]) if above else None,
    )


def believed(x: Number, n: Number, stable: Floats) -> Floats:
    """The canary's rate as its counts so far suggest it, beginning from the stable's."""
    return np.asarray((x + _PRIOR * stable) / (n + _PRIOR))


def targets(boundary: Floats, expected: Floats, n: Number, side: Floats) -> Floats:
    """The canary rates to bet on against each boundary rate.

    A bet goes where the canary seems to be (`expected`), but stays on its own side of the boundary that it tests: far
    off at first, so that a disaster shows in the first ticks, and near once the canary is known from its `n` requests.
    """
    boundary = np.minimum(np.maximum(boundary, 1e-9), 1 - 1e-9)
    odds = boundary / (1 - boundary)
    off = _NEAR + (_FAR - _NEAR) * _PRIOR / (n + _PRIOR)
    return np.where(
        side > 0, np.maximum(expected, off * odds / (1 + off * odds)), np.minimum(expected, odds / (off + odds))
    )
