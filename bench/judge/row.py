"""A row of the benchmark's table: what was measured, how surely, and what was promised."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal

import numpy as np

from serinus.judge.evidence import Floats

Unit = Literal["%", "ticks", "×", "ms", ""]
"""Shares are kept as shares and printed in percent; × is a multiple of what no rule can beat."""


class Section(StrEnum):
    """What rows are about, in the order of the table."""

    EXACT = "Without simulation"
    FALSE_ROLLBACK = "Rolled back within 240 looks although within tolerance"
    FALSE_PROMOTION = "Promoted within 240 looks although not within the margin"
    IDENTICAL = "An identical canary is promoted within 60 ticks"
    POWER = "A canary at twice the tolerance is rolled back within 60 ticks"
    DETECTION = "Mean ticks until a canary with so many errors is rolled back"
    LATE = "Canaries that turn bad late"
    INTERVAL = "The 95 % interval holds the true difference at all 240 looks"


@dataclass(frozen=True)
class Estimate:
    """A figure from `rollouts` simulated rollouts, with its standard error."""

    value: float
    error: float
    rollouts: int

    @classmethod
    def mean(cls, samples: Floats) -> "Estimate":
        """The mean of a sample per rollout."""
        size = samples.size
        return cls(float(samples.mean()), float(samples.std(ddof=1) / np.sqrt(size)), size)

    def over(self, divisor: float) -> "Estimate":
        """The estimate in another unit."""
        return Estimate(self.value / divisor, self.error / divisor, self.rollouts)


@dataclass(frozen=True)
class Row:
    """An estimate beside its bound; rows without one are for information."""

    section: Section
    name: str
    estimate: Estimate
    unit: Unit
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether anything was promised."""
        return self.at_most is not None or self.at_least is not None

    @property
    def is_kept(self) -> bool:
        """Whether the value is within its bound."""
        value = self.estimate.value
        return (self.at_most is None or value <= self.at_most) and (self.at_least is None or value >= self.at_least)

    @property
    def line(self) -> str:
        """The row in at most 80 columns."""
        value, error = (shown(each, self.unit) for each in (self.estimate.value, self.estimate.error))
        bound = "" if self.at_most is None else f"≤ {shown(self.at_most, self.unit)}"
        bound = bound if self.at_least is None else f"≥ {shown(self.at_least, self.unit)}"
        verdict = ("kept" if self.is_kept else "MISSED") if self.is_bounded else ""
        tail = f"{value:>6} ±{error:<5} {self.unit:<5} {bound:<8}{self.estimate.rollouts:>6} {verdict}"
        return f"  {self.name:<36} {tail}".rstrip()

    def summary(self, seed: int) -> dict[str, object]:
        """The row for a JSON file; `seed` reproduces it."""
        return {**asdict(self), "seed": seed, "kept": self.is_kept if self.is_bounded else None}


def table(rows: Sequence[Row]) -> str:
    """All rows by section, in at most 80 columns."""
    lines = [f"{'':<38} {'value':>6}  {'s.e.':<5} {'':<5} {'bound':<8}{'n':>6}"]
    for section in Section:
        lines += [section, *(row.line for row in rows if row.section is section)]
    return "\n".join(lines)


def shown(value: float, unit: Unit) -> str:
    """Three digits or so: 0.0052 of unit % is 0.52, 12.345 is 12.3."""
    shown = 100 * value if unit == "%" else value
    if not np.isfinite(shown):
        return "never"
    digits = 0 if abs(shown) >= 1000 else 1 if abs(shown) >= 10 else 2 if abs(shown) >= 0.01 or shown == 0 else 3
    return f"{shown:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{shown:.0f}"
