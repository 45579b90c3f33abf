"""Events that are counted against an exposure: jobs done, messages sent."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.judge.traffic.source import HISTORY
from serinus.judge import Events, Past


@dataclass(frozen=True)
class Jobs:
    """Two Poisson streams: the canary has a tenth of the exposure, and `ratio` times the stable's rate."""

    ratio: float
    per_tick: float = 1000.0
    """Events of both arms in a tick, were the canary like the stable."""

    def past(self, rng: Generator) -> Past:
        """Two hours of the stable's events."""
        return Past(stable=Events(float(rng.poisson(HISTORY * self.per_tick)), float(HISTORY)))

    def ticks(self, rng: Generator, rollouts: int) -> Iterator[tuple[Events, Events]]:
        """Poisson counts and the exposures of both arms."""
        canary, stable = np.full(rollouts, 0.1), np.full(rollouts, 0.9)
        while True:
            yield (
                Events(rng.poisson(self.per_tick * self.ratio * canary).astype(float), canary),
                Events(rng.poisson(self.per_tick * stable).astype(float), stable),
            )
