"""How replicas share the work."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """Where the leases are and how long they last.

    `namespace` and `name`: of the Leases, which are called name-0, name-1, ...; replicas that share work have the same.
    `identity`: names this replica; a process that finds it on a lease takes it for its own, so no two that run at the
    same time may have the same. `shards`: into how many parts the objects are divided, the same in all replicas.
    `duration`: whole seconds from a renewal until another replica may take the lease.
    """

    namespace: str
    name: str
    identity: str
    shards: int = 1
    duration: int = 15

    @property
    def renew_every(self) -> float:
        """Seconds between two renewals."""
        return self.duration / 5

    @property
    def writes_for(self) -> float:
        """Seconds from the sending of a renewal in which writes may begin: well before another may take the lease."""
        return self.duration * 2 / 3
