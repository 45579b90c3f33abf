"""Statuses of CanaryDeployments as the cache keeps them: compressed, for there are thousands and few are read."""

import zlib
from typing import Any

import msgspec

from serinus.api import CanaryDeploymentStatus

_LEVEL = 1  # half as small as the best, in a tenth of its time


def packed_status(seen: dict[str, Any]) -> bytes:
    """The status of an object as the API server tells of it; of one that has none as well."""
    told = msgspec.json.encode(seen.get("status") or {})
    return zlib.compress(told, _LEVEL)


def status_of(owner: dict[str, Any]) -> dict[str, Any]:
    """The status that an object carries, in the cache or as the API server told it."""
    found: dict[str, Any] = msgspec.json.decode(status_text(owner))
    return found


def read_status(owner: dict[str, Any]) -> CanaryDeploymentStatus:
    """The status that an object carries, or that of an object which no operator has seen yet."""
    return CanaryDeploymentStatus.model_validate_json(status_text(owner))


def status_text(owner: dict[str, Any]) -> bytes:
    """The status that an object carries, as JSON."""
    kept = owner.get("status") or {}
    # A manifest that is only looked at was never in the cache.
    return zlib.decompress(kept) if isinstance(kept, bytes) else msgspec.json.encode(kept)
