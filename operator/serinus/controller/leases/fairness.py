"""Which lease a replica that has few asks one that has many for."""

from collections import Counter
from collections.abc import Sequence

from serinus.controller.leases.lease import Lease


def to_ask_for(taken: Sequence[Lease], identity: str) -> Lease | None:
    """The lease to ask for, None where the shares are fair: no replica has two more than another.

    `taken`: every lease that somebody holds. One request at a time, so that the answer to it can be seen.
    """
    if any(lease.wanted_by == identity for lease in taken):
        return None
    counts = Counter(lease.holder for lease in taken)
    others = [lease for lease in taken if lease.holder != identity and not lease.wanted_by]
    richest = max(others, key=lambda lease: (counts[lease.holder], lease.holder), default=None)
    return richest if richest is not None and counts[richest.holder] >= counts[identity] + 2 else None
