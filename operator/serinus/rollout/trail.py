"""The trail: the ticks judged since the last record, with what the judge knew before them; a record carries it (I8).

From its first state and its ticks every verdict since can be given again, to the same bytes, without Prometheus. A
rollout that is held for days has ticks without end: the trail keeps the newest, and the state before the first of them.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from itertools import chain
from typing import Self

import numpy as np

from serinus.api import VerdictStatus
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
    Verdict,
)
from serinus.rollout.present import verdict_status

_SEGMENT = 120  # ticks; of a long trail the older segment goes when a third would begin
_BLOCK = 20  # ticks that are compressed together


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

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """The sample as numbers that JSON keeps exactly."""
        match sample:
            case Counts(n, x):
                return cls(n=float(n), x=float(x))
            case Events(x, exposure):
                return cls(x=float(x), exposure=float(exposure))
            case Histogram(bounds, cumulative):
                counted = zip(bounds, cumulative.tolist(), strict=True)
                return cls(
                    buckets={"+Inf" if bound == np.inf else repr(float(bound)): count for bound, count in counted}
                )
            case Classes(names, counts):
                return cls(classes=tuple(zip(names, counts.tolist(), strict=True)))
            case Values(values):
                return cls(values=tuple(values.tolist()))

    def sample(self) -> Sample:
        """The inverse of `of`."""
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

    @classmethod
    def of(cls, evidence: Evidence) -> Self:
        """The evidence as a record has it."""
        return cls(
            canary=None if evidence.canary is None else SampleRecord.of(evidence.canary),
            stable=None if evidence.stable is None else SampleRecord.of(evidence.stable),
            straddles=evidence.straddles,
            missing=evidence.missing,
        )

    def evidence(self) -> Evidence:
        """The inverse of `of`."""
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

    @classmethod
    def of(cls, judged: JudgedTick) -> Self:
        """The tick as a record has it."""
        return cls(
            end=judged.end,
            step=judged.tick.step,
            length=judged.tick.length,
            bake=judged.tick.bake,
            window=judged.window,
            rollback=round(judged.rollback, 3),
            evidence={name: ArmsRecord.of(seen) for name, seen in judged.tick.evidence.items()},
        )

    def tick(self) -> Tick:
        """What the judge is to be given again."""
        evidence = {name: arms.evidence() for name, arms in self.evidence.items()}
        return Tick(step=self.step, evidence=evidence, length=self.length, bake=self.bake)


class EvidenceRecord(Lenient):
    """The judge's state before the first of these ticks (packed), the ticks, and the verdict at the last."""

    before: str
    ticks: tuple[TickRecord, ...]
    verdict: VerdictStatus


@dataclass(frozen=True, slots=True)
class _Segment:
    """Ticks in a row, and what the judge knew before the first.

    Kept small, for every rollout under way has one: the newest ticks as JSON, the older ones in compressed blocks.
    """

    before: str
    """The judge's state, packed."""
    blocks: tuple[bytes, ...] = ()
    newest: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return _BLOCK * len(self.blocks) + len(self.newest)

    def and_then(self, tick: TickRecord) -> "_Segment":
        """The segment with one tick more."""
        newest = (*self.newest, tick.model_dump_json(by_alias=True, exclude_none=True).encode())
        if len(newest) < _BLOCK:
            return replace(self, newest=newest)
        return replace(self, blocks=(*self.blocks, zlib.compress(b"\n".join(newest), level=9)), newest=())

    def ticks(self) -> Iterator[TickRecord]:
        """All of them, in order."""
        for line in chain(*(zlib.decompress(block).split(b"\n") for block in self.blocks), self.newest):
            yield TickRecord.model_validate_json(line)


@dataclass(frozen=True, slots=True)
class Trail:
    """The newest ticks since the last record: all of them, or at least the last 120."""

    segments: tuple[_Segment, ...] = ()
    verdict: VerdictStatus | None = None
    """At the last of them."""

    def after(self, *ticks: JudgedTick) -> "Trail":
        """The trail with more ticks, in their order."""
        return reduce(Trail._and, ticks, self)

    def answered(self, verdict: Verdict, at: datetime) -> "Trail":
        """The trail with the judge's own verdict at its last tick, which ended then."""
        return replace(self, verdict=verdict_status(verdict, at))

    def record(self) -> EvidenceRecord | None:
        """The trail as a record carries it; None where nothing was judged since the last one."""
        if self.verdict is None:
            return None
        ticks = tuple(tick for segment in self.segments for tick in segment.ticks())
        return EvidenceRecord(before=self.segments[0].before, ticks=ticks, verdict=self.verdict)

    def _and(self, judged: JudgedTick) -> "Trail":
        tick = TickRecord.of(judged)
        if self.segments and len(self.segments[-1]) < _SEGMENT:
            *older, last = self.segments
            return replace(self, segments=(*older, last.and_then(tick)))
        return replace(self, segments=(*self.segments[-1:], _Segment(judged.before.pack()).and_then(tick)))


NO_TRAIL = Trail()
"""Nothing was judged since the last record."""
