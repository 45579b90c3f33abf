"""A judged tick as a record has it: a line of JSON, from which the judge can be given the same tick again (I8).

Lines are written at every tick of every rollout, and read when there is a record to make: so they are written without
the models that read them, in a quarter of the time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from serinus.api.model import Lenient
from serinus.judge import (
    Classes,
    Counts,
    Events,
    Evidence,
    Histogram,
    Missing,
    Sample,
    State,
    Tick,
    Values,
)


@dataclass(frozen=True, slots=True)
class JudgedTick:
    """A tick that has been judged: what the judge was given for it, and knew before.

    `window`: for how many slots the tick's step must be observed before it can be promoted. `rollback`: how far the row
    that was nearest to a rollback was on its way there after it, 0 to 1.
    """

    before: State
    tick: Tick
    window: int
    end: datetime
    rollback: float

    def line(self) -> bytes:
        """The tick as JSON that TickRecord reads, with numbers to the last bit."""
        tick = self.tick
        told = {
            "end": self.end.isoformat(),
            "step": int(tick.step),
            "length": float(tick.length),
            "window": self.window,
            "rollback": float(round(self.rollback, 3)),
            "evidence": {name: _arms(seen) for name, seen in tick.evidence.items()},
        }
        return msgspec.json.encode({**told, "bake": True} if tick.bake else told)


class SampleRecord(Lenient):
    """One arm's share of a tick; which fields there are says which kind it is."""

    n: float | None = None
    x: float | None = None
    exposure: float | None = None
    buckets: dict[str, float] | None = None
    """By upper bound in milliseconds, cumulative."""
    classes: tuple[tuple[str, float], ...] | None = None
    """Pairs, for the order of their sum is part of the answer's last bit."""
    values: tuple[float, ...] | None = None

    def sample(self) -> Sample:
        """What was counted."""
        if self.buckets is not None:
            # Canonical JSON sorts its keys as text; the bounds of a histogram rise.
            pairs = sorted((float(bound), count) for bound, count in self.buckets.items())
            return Histogram(tuple(bound for bound, _ in pairs), np.array([count for _, count in pairs]))
        if self.classes is not None:
            return Classes(tuple(name for name, _ in self.classes), np.array([count for _, count in self.classes]))
        if self.values is not None:
            return Values(np.array(self.values))
        if self.exposure is not None:
            return Events(self.x or 0.0, self.exposure)
        return Counts(self.n or 0.0, self.x or 0.0)


class ArmsRecord(Lenient):
    """A metric's evidence in one tick."""

    canary: SampleRecord | None = None
    stable: SampleRecord | None = None
    straddles: bool = False
    missing: Missing | None = None

    def evidence(self) -> Evidence:
        """What the judge was given."""
        return Evidence(
            canary=None if self.canary is None else self.canary.sample(),
            stable=None if self.stable is None else self.stable.sample(),
            straddles=self.straddles,
            missing=self.missing,
        )


class TickRecord(Lenient):
    """A tick as the judge was given it: `length` in slots of the grid, `window` in slots, `step` from 0."""

    end: datetime
    step: int
    length: float
    bake: bool = False
    window: int
    rollback: float
    """How far the metric that was nearest to a rollback was on its way there after this tick: 0 to 1."""
    evidence: Mapping[str, ArmsRecord]

    def tick(self) -> Tick:
        """What the judge is to be given again."""
        evidence = {name: arms.evidence() for name, arms in self.evidence.items()}
        return Tick(step=self.step, evidence=evidence, length=self.length, bake=self.bake)


def _arms(evidence: Evidence) -> dict[str, Any]:
    """What ArmsRecord reads."""
    told: dict[str, Any] = {}
    if evidence.canary is not None:
        told["canary"] = _sample(evidence.canary)
    if evidence.stable is not None:
        told["stable"] = _sample(evidence.stable)
    if evidence.straddles:
        told["straddles"] = True
    if evidence.missing is not None:
        told["missing"] = evidence.missing
    return told


def _sample(sample: Sample) -> dict[str, Any]:
    """What SampleRecord reads."""
    match sample:
        case Counts(n, x):
            return {"n": float(n), "x": float(x)}
        case Events(x, exposure):
            return {"x": float(x), "exposure": float(exposure)}
        case Histogram(bounds, cumulative):
            return {"buckets": dict(zip(_named(bounds), cumulative.tolist(), strict=True))}
        case Classes(names, counts):
            return {"classes": tuple(zip(names, counts.tolist(), strict=True))}
        case Values(values):
            return {"values": values.tolist()}


@lru_cache(256)
def _named(bounds: tuple[float, ...]) -> tuple[str, ...]:
    """The bounds as keys; there are few different ones."""
    return tuple("+Inf" if bound == np.inf else repr(float(bound)) for bound in bounds)
