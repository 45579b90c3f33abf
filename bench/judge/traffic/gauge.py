"""A level such as memory: log-normal, with differences between pods that stay and noise that wanders."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.judge.traffic.source import HISTORY
from serinus.judge import Past, Values
from serinus.judge.evidence import Floats
from serinus.judge.kinds.gauge import spread

BETWEEN, WITHIN, MEMORY = 0.03, 0.05, 0.5
"""Standard deviations of the logarithm between pods and within one, and the autocorrelation of the latter per tick."""


@dataclass(frozen=True)
class Memory:
    """The canary's level is `ratio` times the stable's."""

    ratio: float
    canary_pods: int = 4
    stable_pods: int = 16

    def past(self, rng: Generator) -> Past:
        """Two hours of the stable's pods."""
        levels = self._levels(rng, 1, self.stable_pods, 1.0)
        return Past(spread=spread(np.concatenate([next(levels) for _ in range(HISTORY)])))

    def ticks(self, rng: Generator, rollouts: int) -> Iterator[tuple[Values, Values]]:
        """The level in each pod of both arms."""
        canary = self._levels(rng, rollouts, self.canary_pods, self.ratio)
        stable = self._levels(rng, rollouts, self.stable_pods, 1.0)
        while True:
            yield Values(next(canary)), Values(next(stable))

    def _levels(self, rng: Generator, rollouts: int, pods: int, ratio: float) -> Iterator[Floats]:
        pod = rng.normal(np.log(ratio), BETWEEN, (rollouts, pods))
        noise = rng.normal(0.0, WITHIN, (rollouts, pods))
        while True:
            yield np.exp(pod + noise)
            noise = MEMORY * noise + rng.normal(0.0, WITHIN * np.sqrt(1 - MEMORY**2), (rollouts, pods))
