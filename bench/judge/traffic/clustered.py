"""Failed requests that cluster: each pod's error rate wanders, so that counts vary more than independent ones would."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.judge.traffic.source import HISTORY
from serinus.judge import Counts, Past
from serinus.judge.dispersion import excess
from serinus.judge.evidence import Floats


@dataclass(frozen=True)
class Clustered:
    """Errors as in `Errors`, from pods whose rates follow an autoregression with coefficient `memory`.

    `phi` is the long-run variance of the canary's counts over the binomial's. Each pod has `per_pod` requests a tick.
    """

    canary: float
    stable: float = 0.01
    phi: float = 3.0
    memory: float = 0.8
    canary_pods: int = 2
    stable_pods: int = 18
    per_pod: int = 150

    def past(self, rng: Generator) -> Past:
        """Two hours of the stable when it has all the pods: what is known of the clusters comes from its halves."""
        pods = self.canary_pods + self.stable_pods
        half = pods // 2
        noise = self._noise(rng, (pods,))
        failed = np.stack([rng.binomial(self.per_pod, self._rate(self.stable, next(noise))) for _ in range(HISTORY)])
        n = np.full(HISTORY, float(half * self.per_pod))
        counted = [Counts(n, each.sum(axis=-1).astype(float)) for each in (failed[:, :half], failed[:, half:])]
        beyond = excess(*counted, pods=pods, canary_pods=self.canary_pods, stable_pods=self.stable_pods)
        return Past(stable=Counts(2 * float(n.sum()), float(failed.sum())), excess=(beyond,))

    def ticks(self, rng: Generator, rollouts: int) -> Iterator[tuple[Counts, Counts]]:
        """Counts of both arms, summed over their pods."""
        canary = self._noise(rng, (rollouts, self.canary_pods))
        stable = self._noise(rng, (rollouts, self.stable_pods))
        while True:
            yield self._counts(rng, self.canary, next(canary)), self._counts(rng, self.stable, next(stable))

    def _counts(self, rng: Generator, rate: float, noise: Floats) -> Counts:
        failed = rng.binomial(self.per_pod, self._rate(rate, noise)).sum(axis=-1)
        return Counts(np.full(noise.shape[0], float(noise.shape[-1] * self.per_pod)), failed.astype(float))

    def _rate(self, rate: float, noise: Floats) -> Floats:
        return np.asarray(np.clip(rate * (1 + noise), 0.0, 1.0))

    def _noise(self, rng: Generator, shape: tuple[int, ...]) -> Iterator[Floats]:
        """Relative deviations of the rates: stationary from the first tick, with the variance that gives `phi`."""
        binomial = (1 - self.canary) / (self.canary * self.per_pod)
        lasting = (1 + self.memory) / (1 - self.memory)
        deviation = np.sqrt((self.phi - 1) * binomial / lasting)
        noise = rng.normal(0.0, deviation, shape)
        while True:
            yield noise
            noise = self.memory * noise + rng.normal(0.0, deviation * np.sqrt(1 - self.memory**2), shape)
