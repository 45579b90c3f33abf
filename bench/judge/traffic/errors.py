"""Failed requests that are independent of each other: the exact case."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.random import Generator

from bench.judge.traffic.source import HISTORY, SIZES, Sizes
from serinus.judge import Counts, Past


@dataclass(frozen=True)
class Errors:
    """Requests of which a share fails: `canary` and `stable`.

    During the first `good_ticks` ticks the canary fails as seldom as the stable.
    """

    canary: float
    stable: float = 0.01
    sizes: Sizes = SIZES
    good_ticks: int = 0

    def past(self, rng: Generator) -> Past:
        """Two hours of the stable's requests."""
        n = HISTORY * sum(self.sizes)
        return Past(stable=Counts(float(n), float(rng.binomial(n, self.stable))))

    def ticks(self, rng: Generator, rollouts: int) -> Iterator[tuple[Counts, Counts]]:
        """Binomial counts of both arms."""
        n = Counts(np.full(rollouts, float(self.sizes.canary))), Counts(np.full(rollouts, float(self.sizes.stable)))
        for tick in count():
            canary = self.canary if tick >= self.good_ticks else self.stable
            xc = rng.binomial(self.sizes.canary, canary, rollouts).astype(float)
            xs = rng.binomial(self.sizes.stable, self.stable, rollouts).astype(float)
            yield Counts(n[0].n, xc), Counts(n[1].n, xs)
