"""The requests that are expected, and how many of them fail: independent of each other, as the judge's promises say."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from serinus.judge import Counts, Evidence
from serinus.judge.evidence import Floats, Number

_HISTORY = 7200.0
"""Seconds of the stable alone that the operator knows before a rollout."""


@dataclass(frozen=True)
class Requests:
    """The traffic of both arms together.

    `rps`: requests a second. `error_rate`: share of the stable's that fails, in the policy's sense of failing.
    """

    rps: float
    error_rate: float

    @property
    def past(self) -> Counts:
        """What is known of the stable when a rollout starts: as many failures as are to be expected."""
        n = self.rps * _HISTORY
        return Counts(n, n * self.error_rate)

    def failures(self, rng: Generator, seconds: float, weight: Number, canary_rate: Floats) -> Evidence:
        """Failed requests of both arms in a tick of `seconds`, for each rollout of `canary_rate`.

        `weight`: the canary's, in percent. Requests come at random times, so their number is random too.
        """
        expected = self.rps * seconds * np.broadcast_to(np.asarray(weight) / 100, canary_rate.shape)
        stable = self.rps * seconds - expected
        return Evidence(
            _counted(rng, expected, canary_rate), _counted(rng, stable, np.full_like(stable, self.error_rate))
        )


def _counted(rng: Generator, expected: Floats, rate: Floats) -> Counts:
    failed = rng.poisson(expected * rate).astype(float)
    return Counts(failed + rng.poisson(expected * (1 - rate)), failed)
