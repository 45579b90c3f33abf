"""The operator's own looks at what could spoil a rollout: once, when it is prepared and no user has met the canary."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.controller.cache import Cache, Object
from serinus.metrics import Inquiry, Prometheus
from serinus.rollout import Plan

EvidenceLook = Callable[[Plan, Sequence[Inquiry], Prometheus, float], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Looks:
    """What should be known of a rollout that begins, a line each.

    `at_cluster`: of a CanaryDeployment, by what has been read anyway; it asks nobody and never fails. `at_evidence`: of
    what is measured, until that Unix time; it never fails for what the server does.
    """

    at_cluster: Callable[[Object, Plan, Cache], Sequence[str]]
    at_evidence: EvidenceLook


def is_prepared_now(before: CanaryDeploymentStatus, after: CanaryDeploymentStatus) -> bool:
    """Whether a rollout has got through its preparation between the two."""
    return _prepared(after) is not None and _prepared(after) != _prepared(before)


def _prepared(status: CanaryDeploymentStatus) -> str | None:
    """Id of the rollout, if its preparation is over."""
    return None if status.rollout is None or status.phase is Phase.PENDING else status.rollout.id
