"""What the mesh says now: read before anything is decided, and never assumed."""

from collections.abc import Mapping
from dataclasses import dataclass

from serinus.rollout.workload import Workload

_WHOLE = 100
_OF_MESH = frozenset({"VirtualServiceNotFound", "DestinationRuleNotFound", "RouteUnsuitable", "SubsetMissing"})


@dataclass(frozen=True, slots=True)
class Live:
    """The objects that carry the canary, as the watch last saw them.

    `weights`: the canary's percentage on each of its routes, which may differ when somebody else wrote them.
    `decision`: id of the decision on the VirtualService, or an empty string. `stable` and `canary`: the labels behind
    each subset, None where the DestinationRule has no such subset. `has_rule`: whether there is that DestinationRule.
    `stable_ready` and `canary_ready`: ready endpoints of each arm, None where nobody can tell. `stable_workload` and
    `canary_workload`: None where none is named, or it is not there.
    """

    weights: tuple[int, ...]
    decision: str
    stable: Mapping[str, str] | None
    canary: Mapping[str, str] | None
    has_rule: bool = True
    stable_ready: int | None = None
    canary_ready: int | None = None
    stable_workload: Workload | None = None
    canary_workload: Workload | None = None

    @property
    def weight(self) -> int:
        """The largest percentage that the canary has on any route."""
        return max(self.weights)

    @property
    def canary_serves(self) -> bool:
        """Whether the canary's subset has all of the traffic."""
        return min(self.weights) == _WHOLE

    @property
    def stable_serves(self) -> bool:
        """Whether the stable's subset has all of the traffic."""
        return self.weight == 0

    def carries(self, weight: int) -> bool:
        """Whether every route gives the canary this percentage."""
        return set(self.weights) == {weight}


@dataclass(unsafe_hash=True)  # nobody changes one, but an exception's traceback must be: contextlib does
class Obstacle(Exception):
    """Why a rollout cannot go on: `reason` is one CamelCase word, `message` says what, where, and what to do."""

    reason: str
    message: str

    def __str__(self) -> str:
        return self.message

    @property
    def is_of_mesh(self) -> bool:
        """Whether it is Istio's objects that are not as the rollout needs them."""
        return self.reason in _OF_MESH
