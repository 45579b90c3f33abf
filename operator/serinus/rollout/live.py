"""What the mesh says now: read before anything is decided, and never assumed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Live:
    """The objects that carry the canary, as the watch last saw them.

    `weight`: the canary's percentage on its routes. `decision`: id of the decision on the VirtualService, or an empty
    string. `stable` and `canary`: the labels behind each subset, None where the DestinationRule has no such subset.
    """

    weight: int
    decision: str
    stable: Mapping[str, str] | None
    canary: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Obstacle(Exception):
    """Why a rollout cannot go on: `reason` is one CamelCase word, `message` says what, where, and what to do."""

    reason: str
    message: str

    def __str__(self) -> str:
        return self.message
