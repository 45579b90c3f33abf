"""The requests of a warm-up: asked for by a turn, sent outside, and their answers kept in the status.

They may be sent twice where an operator is stopped in between: that is what a warm-up is for.
"""

from dataclasses import dataclass

from serinus.api import CanaryDeploymentStatus, Phase, WarmUpRequest, WarmUpStatus
from serinus.rollout.changes import in_rollout, rollout_of
from serinus.rollout.subject import Subject


@dataclass(frozen=True, slots=True)
class WarmUpCall:
    """Requests that each of the canary's endpoints is to be sent. `key` names this warm-up."""

    key: str
    requests: tuple[WarmUpRequest, ...]


@dataclass(frozen=True, slots=True)
class WarmUpReply:
    """What came of the call named `key`; `failure` says what was not answered as it must be, if anything was not."""

    key: str
    endpoints: int
    answered: int
    failure: str = ""


def with_warm_up(status: CanaryDeploymentStatus, reply: WarmUpReply | None) -> CanaryDeploymentStatus:
    """The status that knows how the endpoints answered, unless the reply is to a warm-up that began anew meanwhile."""
    if reply is None or status.phase is not Phase.WARMING_UP or reply.key != _key(status):
        return status
    told = WarmUpStatus(endpoints=reply.endpoints, answered=reply.answered, failure=reply.failure)
    return in_rollout(status, warm_up=told)


def call_due(subject: Subject, status: CanaryDeploymentStatus) -> WarmUpCall | None:
    """What is to be sent; None where nothing is, or it was answered."""
    if not subject.warm_up_requests or rollout_of(status).warm_up is not None:
        return None
    return WarmUpCall(_key(status), subject.warm_up_requests)


def _key(status: CanaryDeploymentStatus) -> str:
    rollout = rollout_of(status)
    since = rollout.warm_up_started_at
    return "" if since is None else f"{rollout.id}/{since.isoformat()}"
