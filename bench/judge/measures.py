"""From the ends of many rollouts to one estimate."""

from collections.abc import Callable

import numpy as np

from bench.judge.rollouts import Ends
from bench.judge.row import Estimate
from serinus.judge.evidence import Floats

Share = Callable[[Ends, float], Estimate]
"""The share of rollouts to which something happened within so many ticks."""


def rolled_back(ends: Ends, within: float = np.inf) -> Estimate:
    """The share that was rolled back, within so many ticks."""
    return Estimate.mean((np.isfinite(ends.rollback) & (ends.rollback <= within)).astype(float))


def promoted(ends: Ends, within: float = np.inf) -> Estimate:
    """The share that was promoted before any rollback, within so many ticks."""
    return Estimate.mean((np.isfinite(ends.promotion) & (ends.promotion <= within)).astype(float))


def ticks_to_rollback(ends: Ends, watched: int, good_ticks: int = 0) -> Estimate:
    """Mean ticks from the regression, which comes after `good_ticks`; `watched` for those that were never found.

    Rollouts that were rolled back before it are left out: what happened to them is another row's matter.
    """
    found = ends.rollback[ends.rollback > good_ticks]
    return Estimate.mean(np.minimum(found, watched) - good_ticks)


def ticks_to_promotion(ends: Ends, watched: int) -> Estimate:
    """Mean ticks to a promotion; `watched` for those that were not promoted."""
    return Estimate.mean(np.minimum(ends.promotion, watched))


def rolled_back_by(ends: Ends, ticks: Floats) -> Floats:
    """The share that had been rolled back after each of so many ticks."""
    return np.asarray((ends.rollback[:, None] <= ticks).mean(axis=0))
