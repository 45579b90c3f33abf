"""What the judge is given: per metric and tick, what was counted in both arms.

Every sample may hold one rollout's numbers or, for simulations, arrays of them: all arrays of a tick then have the
same leading axes, one entry for each rollout.
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Integers = int | NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]
Number = float | Floats


class Missing(StrEnum):
    """Why a tick says nothing about a metric. Each leads to hold, never to a promotion (I3)."""

    NO_TRAFFIC = "no traffic"
    NO_SERIES = "no series"
    STALE = "stale"
    RESET = "counter reset"
    UNREACHABLE = "Prometheus unreachable"
    PARTIAL = "partial"
    UNATTRIBUTED = "unattributed errors"


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a proportion: requests of one arm in one tick (`n`) and how many of them were events (`x`), 0 ≤ x ≤ n."""

    n: Number = 0.0
    x: Number = 0.0

    def __post_init__(self) -> None:
        is_valid = (self.x >= 0) & (self.x <= self.n)
        if not (is_valid.all() if isinstance(is_valid, np.ndarray) else is_valid):
            raise ValueError(f"counts must satisfy 0 <= x <= n, got x={self.x}, n={self.n}")

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.n + other.n, self.x + other.x)

    @property
    def failures(self) -> "Counts":
        """The requests that were not events: errors, where the events are successes."""
        return Counts(self.n, self.n - self.x)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Of a latency: how many requests of one arm in one tick took at most each of `bounds`.

    `bounds`: milliseconds, rising, the last infinite. `cumulative`: shape (..., bounds), rising; the last is all.
    """

    bounds: tuple[float, ...]
    cumulative: Floats

    def __post_init__(self) -> None:
        counts = self.cumulative
        if self.bounds[-1:] != (np.inf,) or any(map(operator.ge, self.bounds, self.bounds[1:])):
            raise ValueError(f"bounds must rise to +Inf, got {self.bounds}")
        if (
            counts.shape[-1] != len(self.bounds)
            or (counts[..., 0] < 0).any()
            or (counts[..., 1:] < counts[..., :-1]).any()
        ):
            raise ValueError(f"cumulative counts must rise from 0, one for each bound, got {counts}")

    @property
    def n(self) -> Number:
        """Requests in all."""
        return self.cumulative[..., -1]


@dataclass(frozen=True, slots=True)
class Classes:
    """Of a distribution: how many requests of one arm in one tick fell into each class; shape (..., names)."""

    names: tuple[str, ...]
    counts: Floats

    def __post_init__(self) -> None:
        if self.counts.shape[-1] != len(set(self.names)) or (self.counts < 0).any():
            raise ValueError(f"one count, at least 0, is needed for each of the distinct classes {self.names}")

    @property
    def n(self) -> Number:
        """Requests in all."""
        return np.asarray(self.counts.sum(axis=-1))


@dataclass(frozen=True, slots=True)
class Events:
    """Of a rate: events of one arm in one tick (`x`), and what they are counted against (`exposure`).

    The exposure's unit is the user's: seconds times pods, requests, or the arm's weight.
    """

    x: Number = 0.0
    exposure: Number = 0.0

    def __post_init__(self) -> None:
        is_negative = (self.x < 0) | (self.exposure < 0)
        if is_negative.any() if isinstance(is_negative, np.ndarray) else is_negative:
            raise ValueError(f"events and exposure must be at least 0, got {self.x} and {self.exposure}")


@dataclass(frozen=True, slots=True)
class Values:
    """Of a gauge: its value in each pod of one arm at the tick's end; shape (..., pods).

    A tick with a value that is not positive says nothing: it is the logarithm that is judged.
    """

    values: Floats


Sample = Counts | Histogram | Classes | Events | Values
"""One arm's share of a tick, by kind of metric."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One metric's samples in one tick.

    `straddles` marks a tick in which the weight changed: it counts for rollback, not for promotion.
    `missing` names what is wrong with the tick; its counts are what is known all the same. An arm of which nothing
    is known is None.
    """

    canary: Sample | None = None
    stable: Sample | None = None
    straddles: bool = False
    missing: Missing | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """All evidence of one tick of the ladder's step `step` (from 0), by metric.

    `length`: in slots of the grid; ticks are shorter while errors are elevated. `bake`: the canary has all the traffic.
    """

    step: Integers
    evidence: Mapping[str, Evidence]
    length: Number = 1.0
    bake: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a metric from before the rollout: it makes the first bets good and says how counts cluster.

    `stable`: the stable arm's sample, summed over the history. `excess`: of each of the metric's rows, the variance
    of the arms' difference beyond the binomial (τ², see `dispersion`); empty where it could not be measured.
    `spread`: of a gauge (see `gauge`).
    """

    stable: Sample | None = None
    excess: tuple[float, ...] = ()
    spread: "Spread | None" = None


@dataclass(frozen=True, slots=True)
class Spread:
    """How the logarithm of a gauge varies in the stable arm, each at an upper confidence bound.

    `noise`: variance of one block's mean of one arm. `pods`: variance between pods.
    """

    noise: float
    pods: float
