"""The time that a tick covers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """From `start` to `end`, in Unix seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return round(self.end - self.start, 3)

    @property
    def phase(self) -> float:
        """By how many seconds it ends after a multiple of its length of Unix time: at least 0, less than its length."""
        return round(1000 * self.end) % round(1000 * self.seconds) / 1000
