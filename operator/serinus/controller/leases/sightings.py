"""Which leases are free: told from when each was last seen to change, by one's own clock and nobody else's."""

from serinus.controller.leases.lease import Lease
from serinus.controller.tenure import Clock


class Sightings:
    """What this replica has seen of the leases. A lease that is new to it counts as just renewed."""

    def __init__(self, identity: str, clock: Clock) -> None:
        self._identity = identity
        self._clock = clock
        self._seen: dict[str, tuple[Lease, float]] = {}

    def look(self, lease: Lease) -> None:
        """Remember when the lease was first seen as it is now; who asks for it changes nothing."""
        known = self._seen.get(lease.name)
        if known is None or _sign_of_life(known[0]) != _sign_of_life(lease):
            self._seen[lease.name] = (lease, self._clock())

    def is_free(self, lease: Lease) -> bool:
        """Whether the lease may be taken: nobody has it, its holder is gone, or it is from an earlier life of ours."""
        seen, at = self._seen[lease.name]
        return lease.holder in ("", self._identity) or self._clock() - at > seen.duration

    def may_create(self, name: str) -> bool:
        """Whether a lease that is not there may be created: one that was deleted is still its holder's for a while."""
        known = self._seen.get(name)
        return known is None or self._clock() - known[1] > known[0].duration


def _sign_of_life(lease: Lease) -> tuple[str, str, str]:
    return lease.holder, lease.acquired, lease.renewed
