"""The breaker (I3): a canary that has weight and nobody to serve it is rolled back at once, outside the guarantee."""

from serinus.api import CanaryDeploymentStatus
from serinus.rollout.changes import in_rollout, rollout_of
from serinus.rollout.turn import Turn

_TICKS = 2  # for how long there must have been no ready endpoint


def with_readiness(turn: Turn, status: CanaryDeploymentStatus) -> CanaryDeploymentStatus:
    """The status that knows since when the canary has had no ready endpoint."""
    since = rollout_of(status).unready_since
    if turn.live.canary_ready != 0 or turn.live.weight == 0:
        return in_rollout(status, unready_since=None) if since is not None else status
    return in_rollout(status, unready_since=turn.now) if since is None else status


def canary_is_unreachable(turn: Turn, status: CanaryDeploymentStatus) -> str:
    """Why the canary counts as unreachable; an empty string while it does not."""
    since = rollout_of(status).unready_since
    if since is None or turn.now - since < _TICKS * turn.plan.interval:
        return ""
    return (
        f"rolled back: the canary has {turn.live.weight} % of the traffic and its subset {turn.plan.canary.subset!r} "
        f"has had no ready endpoint for {_TICKS} ticks"
    )
