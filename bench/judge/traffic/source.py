"""What every kind of simulated traffic has in common."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from numpy.random import Generator

from serinus.judge import Past
from serinus.judge.evidence import Sample


class Sizes(NamedTuple):
    """Requests of each arm in a tick."""

    canary: int
    stable: int


SIZES = Sizes(300, 2700)
"""The service that is measured unless a row says otherwise: 200 requests a second, a tenth of them to the canary."""

HISTORY = 480
"""Ticks of the stable alone that are known before the rollout: two hours."""


class Source(Protocol):
    """Where one metric's samples come from."""

    def past(self, rng: Generator) -> Past:
        """What is known of the stable from before the rollout."""

    def ticks(self, rng: Generator, rollouts: int) -> Iterator[tuple[Sample, Sample]]:
        """Canary's and stable's sample of tick after tick without end, each an array with one entry per rollout."""
