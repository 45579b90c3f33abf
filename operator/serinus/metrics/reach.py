"""Whether what is sent to the canary reaches it: what the breaker `CanaryUnreachable` looks at (I3)."""

from dataclasses import dataclass

from serinus.metrics.istio import UNATTRIBUTED
from serinus.metrics.reading import Reading

_ENOUGH = 5.0  # requests meant for the canary: of fewer, chance may have sent it none


@dataclass(frozen=True, slots=True)
class Reach:
    """Requests for the host in one tick, or several: those that an arm's workload answered, and those that failed
    before any workload was reached.
    """

    canary: float = 0.0
    stable: float = 0.0
    unattributed: float = 0.0

    def __add__(self, other: "Reach") -> "Reach":
        return Reach(self.canary + other.canary, self.stable + other.stable, self.unattributed + other.unattributed)

    @property
    def total(self) -> float:
        """All of them."""
        return self.canary + self.stable + self.unattributed

    @property
    def unattributed_rate(self) -> float:
        """The share that reached no workload; 0 without requests."""
        return self.unattributed / self.total if self.total else 0.0

    def is_lost(self, weight: int, before: "Reach", tolerance: float) -> bool:
        """Whether the canary's requests go nowhere, in the terms of I3.

        Requests fail unattributed at a rate beyond that of `before` (at weight 0) by more than `tolerance` (a share),
        while the canary answers less than half of what its `weight` (percent) implies.
        """
        implied = weight / 100 * self.total
        return (
            implied >= _ENOUGH
            and self.unattributed_rate > before.unattributed_rate + tolerance
            and self.canary < implied / 2
        )


def reach(reading: Reading) -> Reach:
    """From the answer about a service's requests."""
    return Reach(
        reading.of("canary", "requests").total,
        reading.of("stable", "requests").total,
        reading.shared(UNATTRIBUTED).total,
    )
