"""The tick grid: disjoint slots of one length, the same for every canary with that interval."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """Slots [k·interval, (k+1)·interval) of Unix time, in seconds.

    `lateness`: how long after its end a slot's samples may still arrive; its evidence is complete only then.
    """

    interval: float
    lateness: float

    def slot(self, time: float) -> int:
        """The slot that contains `time`."""
        return int(time // self.interval)

    def start(self, slot: int) -> float:
        """When the slot begins."""
        return slot * self.interval

    def end(self, slot: int) -> float:
        """When the slot ends and the next one begins."""
        return (slot + 1) * self.interval

    def complete_at(self, slot: int) -> float:
        """When the slot's evidence is complete."""
        return self.end(slot) + self.lateness

    def newest_complete(self, now: float) -> int:
        """The newest slot whose evidence is complete at `now`."""
        return self.slot(now - self.lateness) - 1
