"""A Lease as it is in the cluster, and the patches by which one replica holds it at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from serinus.controller.cache import Object
from serinus.controller.leases.settings import LeaseSettings
from serinus.controller.times import micro_time
from serinus.istio import Operation

LABEL = "serinus.io/lease"
"""On every lease: the name that the leases of replicas which share work have in common."""
_SHARDS = "serinus.io/shards"
_WANTED_BY = "serinus.io/wanted-by"


@dataclass(frozen=True, slots=True)
class Lease:
    """What a Lease says.

    `holder`: the identity of the replica that has it, empty where nobody has. `renewed` and `acquired`: times as text,
    which are compared and never computed with, for clocks differ. `duration`: seconds, as the holder has promised.
    `shards`: into how many its holder divides the objects. `wanted_by`: who has asked for it. `transitions`: how often
    it changed hands.
    """

    name: str
    version: str
    holder: str
    renewed: str
    acquired: str
    duration: int
    transitions: int
    shards: int
    wanted_by: str

    @classmethod
    def of(cls, found: Object) -> Self:
        """Read an object of the API server."""
        metadata, spec = found["metadata"], found.get("spec") or {}
        annotations = metadata.get("annotations") or {}
        shards = annotations.get(_SHARDS, "")
        return cls(
            name=metadata["name"],
            version=metadata["resourceVersion"],
            holder=spec.get("holderIdentity") or "",
            renewed=spec.get("renewTime") or "",
            acquired=spec.get("acquireTime") or "",
            duration=spec.get("leaseDurationSeconds") or 0,
            transitions=spec.get("leaseTransitions") or 0,
            shards=int(shards) if shards.isdecimal() else 0,
            wanted_by=annotations.get(_WANTED_BY, ""),
        )


def lease_name(settings: LeaseSettings, shard: int) -> str:
    """The name of a shard's lease."""
    return f"{settings.name}-{shard}"


def new_lease(settings: LeaseSettings, shard: int, now: datetime) -> Object:
    """The manifest of a lease that does not exist yet, held by this replica."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": lease_name(settings, shard),
            "labels": {LABEL: settings.name},
            "annotations": {_SHARDS: str(settings.shards)},
        },
        "spec": _spec(settings.identity, settings.duration, 0, now),
    }


def taking(lease: Lease, settings: LeaseSettings, now: datetime) -> list[Operation]:
    """The patch that takes a free lease, refused when anything of it has changed meanwhile."""
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": lease.version},
        {"op": "add", "path": "/metadata/annotations", "value": {_SHARDS: str(settings.shards)}},
        {"op": "add", "path": "/spec", "value": _held(lease, settings.identity, settings.duration, now)},
    ]


def renewing(settings: LeaseSettings, now: datetime) -> list[Operation]:
    """The patch that renews a lease of ours, refused when it is another's; the answer tells who wants it."""
    return [_is_held_by(settings.identity), {"op": "add", "path": "/spec/renewTime", "value": micro_time(now)}]


def asking(lease: Lease, settings: LeaseSettings) -> list[Operation]:
    """The patch that asks the holder for its lease."""
    wants = {_SHARDS: str(lease.shards), _WANTED_BY: settings.identity}
    return [_is_held_by(lease.holder), {"op": "add", "path": "/metadata/annotations", "value": wants}]


def handing_over(lease: Lease, settings: LeaseSettings, now: datetime) -> list[Operation]:
    """The patch that gives a lease of ours to who wants it, as if that one had just taken it."""
    return [
        _is_held_by(settings.identity),
        {"op": "add", "path": "/metadata/annotations", "value": {_SHARDS: str(settings.shards)}},
        {"op": "add", "path": "/spec", "value": _held(lease, lease.wanted_by, settings.duration, now)},
    ]


def releasing(settings: LeaseSettings) -> list[Operation]:
    """The patch that gives a lease of ours to nobody: whoever comes may take it at once."""
    return [_is_held_by(settings.identity), {"op": "add", "path": "/spec/holderIdentity", "value": ""}]


def _is_held_by(holder: str) -> Operation:
    return {"op": "test", "path": "/spec/holderIdentity", "value": holder}


def _held(lease: Lease, holder: str, duration: int, now: datetime) -> dict[str, Any]:
    return _spec(holder, duration, lease.transitions + 1, now)


def _spec(holder: str, duration: int, transitions: int, now: datetime) -> dict[str, Any]:
    return {
        "holderIdentity": holder,
        "leaseDurationSeconds": duration,
        "acquireTime": micro_time(now),
        "renewTime": micro_time(now),
        "leaseTransitions": transitions,
    }
