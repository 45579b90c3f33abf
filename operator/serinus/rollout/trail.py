"""The trail: the ticks judged since the last record, with what the judge knew before them; a record carries it (I8).

From its first state and its ticks every verdict since can be given again, to the same bytes, without Prometheus. A
rollout that is held for days has ticks without end: the trail keeps the newest, and the state before the first of them.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Self

from serinus.api import VerdictStatus
from serinus.api.model import Lenient
from serinus.judge import State, Verdict
from serinus.rollout.present import verdict_status
from serinus.rollout.tick_record import JudgedTick, TickRecord

_SEGMENT = 120  # ticks; of a long trail the older segment goes when a third would begin
_FEW, _MANY = 5, 30  # ticks that are compressed together: a few quickly, and well when there are many
_QUICKLY, _WELL = 1, 6  # levels of zlib: the one takes a fifth of the time, the other three quarters of the memory


class EvidenceRecord(Lenient):
    """The judge's state before the first of these ticks (packed), the ticks, and the verdict at the last."""

    before: str
    ticks: tuple[TickRecord, ...]
    verdict: VerdictStatus


@dataclass(frozen=True, slots=True)
class _Segment:
    """Ticks in a row, and what the judge knew before the first.

    Kept small, for every rollout under way has one: all of it is compressed but the newest ticks.
    """

    before: bytes
    """The judge's state, packed."""
    many: tuple[bytes, ...] = ()
    few: tuple[bytes, ...] = ()
    newest: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return _MANY * len(self.many) + _FEW * len(self.few) + len(self.newest)

    @classmethod
    def start(cls, state: State) -> Self:
        """No tick yet, after this state."""
        return cls(zlib.compress(state.pack().encode(), _QUICKLY))

    def state(self) -> str:
        """The judge's state before the first tick, packed."""
        return zlib.decompress(self.before).decode()

    def and_then(self, line: bytes) -> "_Segment":
        """The segment with one tick more."""
        newest = (*self.newest, line)
        if len(newest) < _FEW:
            return _Segment(self.before, self.many, self.few, newest)
        few = (*self.few, zlib.compress(b"\n".join(newest), _QUICKLY))
        if len(few) < _MANY // _FEW:
            return _Segment(self.before, self.many, few)
        lines = b"\n".join(map(zlib.decompress, few))
        return _Segment(self.before, (*self.many, zlib.compress(lines, _WELL)))

    def ticks(self) -> Iterator[TickRecord]:
        """All of them, in order."""
        older = (line for block in (*self.many, *self.few) for line in zlib.decompress(block).split(b"\n"))
        return map(TickRecord.model_validate_json, (*older, *self.newest))


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
        return EvidenceRecord(before=self.segments[0].state(), ticks=ticks, verdict=self.verdict)

    def _and(self, judged: JudgedTick) -> "Trail":
        line = judged.line()
        if self.segments and len(self.segments[-1]) < _SEGMENT:
            *older, last = self.segments
            return Trail((*older, last.and_then(line)), self.verdict)
        return Trail((*self.segments[-1:], _Segment.start(judged.before).and_then(line)), self.verdict)


NO_TRAIL = Trail()
"""Nothing was judged since the last record."""
