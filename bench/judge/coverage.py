"""Whether the comparison's interval holds the true difference at every look."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.judge.policies import ERROR_RATE, policy_of
from bench.judge.rollouts import ERRORS, NEVER, SERINUS, Ends
from bench.judge.traffic import Errors
from serinus.judge import GUARD, Evidence, State, Tick, interval
from serinus.judge.evidence import Floats, Mask
from serinus.judge.tick import settle


@dataclass(frozen=True)
class Coverage:
    """Intervals of confidence 1 − `alpha` around a canary's difference, watched for `ticks` ticks."""

    errors: Errors
    alpha: float
    ticks: int

    def __call__(self, rollouts: int, rng: Generator) -> Mapping[str, Ends]:
        """A "rollback" is the first tick at which the interval misses the truth."""
        policy = policy_of(ERROR_RATE, alpha=self.alpha)
        past = self.errors.past(rng)
        state = State.start(policy, {ERRORS: past, GUARD: past}, rollouts=(rollouts,))
        missed = np.full(rollouts, NEVER)
        stream = self.errors.ticks(rng, rollouts)
        for number in range(1, self.ticks + 1):
            evidence = Evidence(*next(stream))
            state = settle(policy, state, Tick(0, {ERRORS: evidence, GUARD: evidence}))
            ledger = state.ledgers[0]
            grid = interval.SHAPE * float(ledger.watch.unit[0, 0])
            outside = misses(ledger.purse.intervals[:, 0], grid, self.errors.canary - self.errors.stable, self.alpha)
            missed[(missed == NEVER) & outside] = number
        return {SERINUS: Ends(missed, np.full(rollouts, NEVER))}


def misses(log_wealth: Floats, grid: Floats, difference: float, alpha: float) -> Mask:
    """Whether each interval lies wholly on one side of `difference`; `log_wealth` of shape (rollouts, 2, points).

    An end is a point of the grid such that everything up to it is ruled out, so the end is beyond the difference when
    everything up to the nearest point beyond it is.
    """
    ruled_out = log_wealth >= np.log(2 / alpha)
    after, before = np.searchsorted(grid, difference + 1e-9), np.searchsorted(grid, difference - 1e-9) - 1
    low = ruled_out[:, 0, : after + 1].all(axis=-1) & (after < grid.size)
    high = ruled_out[:, 1, max(before, 0) :].all(axis=-1) & (before >= 0)
    return np.asarray(low | high)
