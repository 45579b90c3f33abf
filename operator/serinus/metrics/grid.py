"""The tick grid: disjoint slots of one length."""

import math
from dataclasses import dataclass

from serinus.metrics.slot import Slot

_FINER = 5  # how many looks an elevated tick is divided into ...
_FINEST = 1.0  # ... but none shorter than this, in seconds


@dataclass(frozen=True, slots=True)
class Grid:
    """Slots [k·interval, (k+1)·interval) of Unix time after `phase`, in seconds; a tick is one slot, or a part of it.

    While errors are elevated (R07) a slot is cut at finer boundaries, about as often as Prometheus scrapes.
    `lateness`: how long after its end a tick's samples may still arrive; its evidence is complete only then.
    """

    interval: float
    lateness: float
    phase: float = 0.0

    def start(self, time: float) -> float:
        """The start of the slot that contains `time`."""
        return self._boundary(math.floor((time - self.phase) / self.interval))

    def next_end(self, after: float, *, elevated: bool) -> float:
        """The first boundary later than `after`: of a slot, or with `elevated` of a part of one."""
        end = self.start(after) + self.interval
        if not elevated:
            return end
        fine = max(_FINEST, self.interval / _FINER)
        # The slot's own boundary counts as well, also where the interval is no multiple of the finer one.
        return min(end, self.start(after) + (math.floor((after - self.start(after)) / fine) + 1) * fine)

    def whole_slots(self, after: float, now: float) -> list[Slot]:
        """The slots that begin at `after` or later, and whose evidence is complete at `now`, in order."""
        first = math.ceil((after - self.phase) / self.interval)
        end = math.floor((now - self.lateness - self.phase) / self.interval)
        return [Slot(self._boundary(number), self._boundary(number + 1)) for number in range(first, end)]

    def is_boundary(self, time: float) -> bool:
        """Whether a slot begins at `time`."""
        return self.start(time) == time

    def complete_at(self, end: float) -> float:
        """When the evidence of a tick that ends at `end` is complete."""
        return end + self.lateness

    def _boundary(self, number: int) -> float:
        return number * self.interval + self.phase
