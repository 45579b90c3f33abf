"""The operator's own look at what could spoil a rollout: once, when it is prepared and no user has met the canary."""

from collections.abc import Callable, Sequence

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.controller.cache import Cache, Object
from serinus.rollout import Plan

Look = Callable[[Object, Plan, Cache], Sequence[str]]
"""What should be known of a CanaryDeployment that begins, a line each; whoever looks asks nobody and never fails."""


def is_prepared_now(before: CanaryDeploymentStatus, after: CanaryDeploymentStatus) -> bool:
    """Whether a rollout has got through its preparation between the two."""
    return _prepared(after) is not None and _prepared(after) != _prepared(before)


def _prepared(status: CanaryDeploymentStatus) -> str | None:
    """Id of the rollout, if its preparation is over."""
    return None if status.rollout is None or status.phase is Phase.PENDING else status.rollout.id
