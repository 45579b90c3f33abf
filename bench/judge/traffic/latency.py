"""Latencies with a log-normal body, in the buckets of Istio's histograms."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy.special import ndtr

from bench.judge.traffic.source import HISTORY, SIZES, Sizes
from serinus.judge import Histogram, Past
from serinus.judge.evidence import Floats

CLASSIC = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, np.inf)
"""Bounds of Istio's classic histogram, in milliseconds."""

NATIVE = (*(2.0 ** (exponent / 8) for exponent in range(107)), np.inf)
"""Bounds of a native histogram of schema 3, from 1 ms to 10 s: each 9 % above the one before."""

SPREAD = 0.5
"""Of the logarithm: with a median of 100 ms nine of ten requests take up to 190 ms, 99 of 100 up to 320 ms."""

_AT_ONCE = 1e-9  # ms: no request takes less


@dataclass(frozen=True)
class Latencies:
    """The stable's latencies are log-normal; of the canary's requests the slowest take `factor` times as long.

    To that comes `added`, in ms. The slowest are those above the stable's quantile `above`: 0 for all of them. `median`
    is the stable's, in ms.
    """

    bounds: tuple[float, ...]
    factor: float
    above: float = 0.0
    median: float = 100.0
    added: float = 0.0
    sizes: Sizes = SIZES

    def past(self, rng: Generator) -> Past:
        """Two hours of the stable's requests."""
        n = HISTORY * sum(self.sizes)
        return Past(stable=Histogram(self.bounds, _counts(rng, n, self._stable(), 1)[0]))

    def ticks(self, rng: Generator, rollouts: int) -> Iterator[tuple[Histogram, Histogram]]:
        """Cumulative counts of both arms."""
        canary, stable = self._canary(), self._stable()
        while True:
            yield (
                Histogram(self.bounds, _counts(rng, self.sizes.canary, canary, rollouts)),
                Histogram(self.bounds, _counts(rng, self.sizes.stable, stable, rollouts)),
            )

    def _stable(self) -> Floats:
        return share_within(self.bounds, self.median)

    def _canary(self) -> Floats:
        """Share within each bound: as in the stable up to the slowest, which begin so much later."""
        slowed = share_within(np.maximum(np.subtract(self.bounds, self.added) / self.factor, _AT_ONCE), self.median)
        return np.maximum(slowed, np.minimum(self._stable(), self.above))


def share_within(milliseconds: ArrayLike, median: float) -> Floats:
    """The share of requests that take at most so long, where half of them take at most `median` ms."""
    return np.asarray(ndtr(np.log(np.divide(milliseconds, median)) / SPREAD))


def _counts(rng: Generator, n: int, within: Floats, rollouts: int) -> Floats:
    """Cumulative counts of `n` requests for each rollout."""
    return np.cumsum(rng.multinomial(n, np.diff(within, prepend=0.0), rollouts), axis=-1).astype(float)
