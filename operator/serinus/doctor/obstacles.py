"""What stands in a rollout's way, as the operator itself would find it: the same functions, before it does."""

from collections.abc import Callable
from typing import TypeVar

from serinus.doctor.finding import Finding, error
from serinus.rollout import Obstacle

T = TypeVar("T")

_CHECK = {
    "PolicyNotFound": "policy",
    "InvalidPolicy": "policy",
    "VirtualServiceNotFound": "routes",
    "RouteUnsuitable": "routes",
    "RouteTaken": "owners",
    "VirtualServiceNotAllowed": "owners",
    "DestinationRuleNotFound": "subsets",
    "SubsetMissing": "subsets",
    "ArmsAreTheSame": "subsets",
    "StableIsNotServing": "subsets",
    "StableUnavailable": "endpoints",
    "ArmHasNoSeries": "evidence",
}
_WHY = "The rollout would not begin: the condition Stalled would say {reason}."
_DO = {
    "PolicyNotFound": "apply the CanaryPolicy first, or correct spec.policyRef",
    "InvalidPolicy": "correct the field that is named",
    "VirtualServiceNotFound": "create it, with a route that has a destination for the stable's subset",
}
_SAID = "as it says"


def refused(obstacle: Obstacle) -> Finding:
    """An obstacle as a finding. Its message says what to do wherever that depends on what was found."""
    return error(
        _CHECK[obstacle.reason],
        obstacle.message,
        why=_WHY.format(reason=obstacle.reason),
        do=_DO.get(obstacle.reason, _SAID),
    )


def attempt(step: Callable[[], T]) -> T | Finding:
    """What a function of the operator's gives, or the finding that it is refused with."""
    try:
        return step()
    except Obstacle as obstacle:
        return refused(obstacle)
