"""What every kind of metric offers to the judge."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeVar

import numpy as np

from serinus.judge.bets import Asked
from serinus.judge.evidence import Floats, Mask, Number, Past, Sample
from serinus.judge.interval import Interval
from serinus.judge.policy import Metric
from serinus.judge.wealth import SHARES

Unit = Literal["share", "milliseconds", "distance", "rate", "value"]
"""What a row's estimates are: a share of requests, a latency, total variation, events per exposure, or a level."""

Batch = tuple[int, ...]
"""Leading axes of everything in a memory: () for one rollout, else how many are simulated together."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of a row, over the step: how much was counted, how many of it were events, and the estimate from it."""

    total: float
    events: float
    estimate: float | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A row's estimates; `label` tells a metric's rows apart, `model` names what a test relies on besides counts."""

    canary: Arm
    stable: Arm
    tested: str
    label: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Bets:
    """log e of a tick's bets. `rollback` has shape (..., tests, 6), `promote` (..., tests, alternatives).

    Whatever is None stays as it was.
    """

    rollback: Floats
    promote: Floats | None = None
    phi: Floats | None = None
    """φ of each of the metric's rows in this tick: broadcasts to (..., rows)."""
    intervals: Floats | None = None
    """Of the intervals, shape (..., rows, 2, 24)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How many rows and tests a metric has, and which rows can block and roll back, if the metric can."""

    gates: tuple[bool, ...] = (True,)
    rollback: int = 1
    promote: tuple[int, int] = (1, SHARES)

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.gates)


class Memory(ABC):
    """What is remembered of a metric between ticks, in whatever form its kind needs; immutable.

    Every bet is made from the memory as it was before the tick, then settled with the tick's samples. `excess` is τ²
    of each row (0 where it is unknown), shape (..., rows).
    """

    unit: ClassVar[Unit]
    name: ClassVar[str]
    """The kind, as policies call it."""
    stacks: ClassVar[bool] = True
    """Whether ticks of many rollouts can be settled at once, whatever each has seen."""
    needs_one_weight: ClassVar[bool] = False
    """Whether a tick in which the weight changed says nothing at all."""

    @classmethod
    @abstractmethod
    def start(cls, metric: Any, past: Past, batch: Batch) -> Self:
        """Before the first tick."""

    @classmethod
    def shape(cls, metric: Any) -> Shape:
        """By what the metric asks for."""
        return Shape()

    @abstractmethod
    def new_step(self, metric: Any) -> Self:
        """At the start of a step: its counts begin anew."""

    @abstractmethod
    def bets(
        self, metric: Any, canary: Sample, stable: Sample, excess: Floats, unit: Floats | None
    ) -> Asked[Bets | None]:
        """The tick's bets on both arms; those of the intervals on a grid in units of `unit`, shape (..., rows).

        Without a unit there are none of the intervals: a simulation of verdicts does not look at them.
        """

    @abstractmethod
    def bake_bets(self, metric: Any, canary: Sample, excess: Floats) -> Floats:
        """Rollback bets when the canary has all the traffic, against the stable as it was last seen (model-based)."""

    @abstractmethod
    def interval_unit(self, metric: Any) -> Floats:
        """The scale of each row's interval, shape (..., rows), in which tolerance is about 1; 0 while it is unknown."""

    @abstractmethod
    def remember(self, metric: Any, canary: Sample | None, stable: Sample | None, *, bake: bool) -> Self:
        """With the tick's samples. While `bake`, what is known of the stable stays as it is."""

    def can_compare(self, metric: Any, canary: Sample, stable: Sample) -> bool:
        """Whether the samples can be compared with each other and with the memory; else the tick lacks data."""
        return True

    @abstractmethod
    def requests(self) -> tuple[Floats, Floats]:
        """Requests of the canary and the stable in this step, as far as this kind counts them: shape (...)."""

    @abstractmethod
    def within_tolerance(self, metric: Any) -> Mask:
        """Whether each row's estimates are within tolerance as they stand: shape (..., rows)."""

    @abstractmethod
    def estimates(self, metric: Any) -> tuple[Estimate, ...]:
        """The rows as they stand in this step. Of one rollout only."""

    @abstractmethod
    def intervals(self, metric: Any, log_wealth: Floats, unit: Floats, alpha: float) -> tuple[Interval, ...]:
        """The interval of each row's difference, from its bets' wealth of shape (rows, 2, 24). Of one rollout only."""


S = TypeVar("S")


def zero(batch: Batch) -> Number:
    """0 of each rollout; of one alone a number, as it is once something has been added, and no array without axes."""
    value: Number = np.zeros(batch)[()]
    return value


def of_kind(kind: type[S], sample: Sample | None, metric: Metric) -> S:
    """The sample, which must be of the kind that the metric is counted by. Raises TypeError."""
    if not isinstance(sample, kind):
        raise TypeError(f"{metric.name} is counted by {kind.__name__}, not by {type(sample).__name__}")
    return sample
