"""What the judge is given: per metric and tick, the counts of both arms."""

from dataclasses import dataclass
from enum import StrEnum


class Missing(StrEnum):
    """Why a tick says nothing about a metric. Each leads to hold, never to a promotion (I3)."""

    NO_TRAFFIC = "no traffic"
    NO_SERIES = "no series"
    STALE = "stale"
    RESET = "counter reset"
    UNREACHABLE = "Prometheus unreachable"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of one arm in one tick (`n`) and how many of them were events (`x`), 0 ≤ x ≤ n."""

    n: float = 0.0
    x: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.x <= self.n:
            raise ValueError(f"counts must satisfy 0 <= x <= n, got x={self.x}, n={self.n}")

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.n + other.n, self.x + other.x)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One metric's counts in one tick.

    `straddles` marks a tick in which the weight changed: it counts for rollback, not for promotion.
    `missing` names what is wrong with the tick; its counts are what is known all the same.
    """

    canary: Counts = Counts()
    stable: Counts = Counts()
    straddles: bool = False
    missing: Missing | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """All evidence of one tick of the ladder's step `step` (from 0), by metric.

    `length`: in slots of the grid; ticks are shorter while errors are elevated. `bake`: the canary has all the traffic.
    """

    step: int
    evidence: dict[str, Evidence]
    length: float = 1.0
    bake: bool = False
