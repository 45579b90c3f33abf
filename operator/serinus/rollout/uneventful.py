"""Ticks after which everything stays as it is but the evidence: most of a rollout's."""

from datetime import datetime

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.rollout.phases import UNDER_WAY


def is_uneventful(status: CanaryDeploymentStatus, hold: str, end: datetime) -> bool:
    """Whether a tick until `end` that holds for the reason `hold` changes nothing but what is known of the evidence.

    For a status that a turn left with nothing to do, while the mesh, the spec and the people say what they said then,
    and nothing that it waits for is due: `advance` would ask for nothing, and tell nothing but newer numbers.
    """
    rollout, verdict = status.rollout, status.verdict
    if rollout is None or status.phase not in UNDER_WAY:
        return False
    if verdict is None or (verdict.verdict, verdict.reason) != ("hold", hold):
        return False
    # The first tick after the window ends it; how long there has been no ready endpoint is looked at in each turn.
    is_over = status.next_step_time is not None and end >= status.next_step_time
    return rollout.unready_since is None and not (is_over and status.phase is Phase.PROGRESSING)
