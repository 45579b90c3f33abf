"""The requests that are expected, and what becomes of them: independent of each other, as the judge's promises say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from serinus.judge import Counts, Evidence, Sample
from serinus.judge.evidence import Floats, Number
from serinus.planning.arrivals import drawn, times

_HISTORY = 7200.0
"""Seconds of the stable alone that the operator knows before a rollout."""


@dataclass(frozen=True)
class Requests:
    """The traffic of both arms together.

    `rps`: requests a second. `error_rate`: share of the stable's that fails, in the policy's sense of failing.
    `others`: of metrics that this says nothing about, what is to be expected in a second, by name.
    """

    rps: float
    error_rate: float
    others: Mapping[str, Sample] = field(default_factory=dict)

    @property
    def past(self) -> Counts:
        """What is known of the stable when a rollout starts: as many failures as are to be expected."""
        n = self.rps * _HISTORY
        return Counts(n, n * self.error_rate)

    @property
    def past_of_others(self) -> Mapping[str, Sample]:
        """The same of the other metrics."""
        return {name: times(sample, _HISTORY) for name, sample in self.others.items()}

    def failures(self, rng: Generator, seconds: float, weight: Number, canary_rate: Floats) -> Evidence:
        """Failed requests of both arms in a tick of `seconds`, for each rollout of `canary_rate`.

        `weight`: the canary's, in percent. Requests come at random times, so their number is random too.
        """
        expected = self.rps * seconds * np.broadcast_to(np.asarray(weight) / 100, canary_rate.shape)
        stable = self.rps * seconds - expected
        return Evidence(
            _counted(rng, expected, canary_rate), _counted(rng, stable, np.full_like(stable, self.error_rate))
        )

    def unchanged_others(
        self, rng: Generator, seconds: float, weight: Number, rollouts: tuple[int, ...]
    ) -> Mapping[str, Evidence]:
        """The other metrics of both arms in such a tick, where the canary is as the stable; `rollouts`: their shape."""
        canary = seconds * np.broadcast_to(np.asarray(weight) / 100, rollouts)
        return {
            name: Evidence(drawn(rng, expected, canary), drawn(rng, expected, seconds - canary))
            for name, expected in self.others.items()
        }


def _counted(rng: Generator, expected: Floats, rate: Floats) -> Counts:
    failed = rng.poisson(expected * rate).astype(float)
    return Counts(failed + rng.poisson(expected * (1 - rate)), failed)
