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
