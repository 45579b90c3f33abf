"""Predictions that fall into classes, some frequent and many rare."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.judge.traffic.source import HISTORY, SIZES, Sizes
from serinus.judge import Classes, Past
from serinus.judge.evidence import Floats

FREQUENT = 6
"""So many classes are judged one by one; the others are folded into one group."""


@dataclass(frozen=True)
class Predictions:
    """Class i has a share proportional to 1/i in the stable.

    In the canary every second group (a frequent class, or all the rare ones together) gains and the others lose, in
    proportion to their shares, so that the total variation distance of the groups is `distance`. Within the rare
    ones the proportions stay.
    """

    classes: int
    distance: float
    sizes: Sizes = SIZES

    def past(self, rng: Generator) -> Past:
        """Two hours of the stable's predictions."""
        n = HISTORY * sum(self.sizes)
        return Past(stable=Classes(self._names, rng.multinomial(n, self.stable).astype(float)))

    def ticks(self, rng: Generator, rollouts: int) -> Iterator[tuple[Classes, Classes]]:
        """Counts of each class in both arms."""
        while True:
            yield (
                Classes(self._names, rng.multinomial(self.sizes.canary, self.canary, rollouts).astype(float)),
                Classes(self._names, rng.multinomial(self.sizes.stable, self.stable, rollouts).astype(float)),
            )

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(f"class-{number:02}" for number in range(self.classes))

    @property
    def stable(self) -> Floats:
        """The share of each class in the stable, the most frequent first."""
        shares = 1.0 / np.arange(1, self.classes + 1)
        return np.asarray(shares / shares.sum())

    @property
    def canary(self) -> Floats:
        """The share of each class in the canary."""
        stable = self.stable
        group = np.minimum(np.arange(self.classes), FREQUENT)
        gains = group % 2 == 1
        change = np.where(gains, self.distance / stable[gains].sum(), -self.distance / stable[~gains].sum())
        return np.asarray(stable * (1 + change))
