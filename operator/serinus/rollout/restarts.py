"""Restarts of pods: those of the canary's block a promotion, and both arms' stand in the comparison."""

from datetime import datetime

from serinus.api import ArmStatus, CanaryDeploymentStatus, RowStatus
from serinus.rollout.changes import rollout_of
from serinus.rollout.live import Live, Obstacle
from serinus.rollout.workload import Workload

RESTARTS = "restarts"
"""The row's kind: it comes from Kubernetes, and the judge knows nothing of it."""


def told_restarts(live: Live, status: CanaryDeploymentStatus) -> str:
    """Which of the canary's pods were restarted in this step; an empty string where none was."""
    since = rollout_of(status).step_started_at
    if since is None or live.canary_workload is None:
        return ""
    found = live.canary_workload.restarts_since(since)
    if not found:
        return ""
    last = max(found, key=lambda each: each.at)
    return f"{len(found)} of the canary's pods restarted since the step began, the last of them {last}"


def with_restarts(
    rows: tuple[RowStatus, ...], live: Live | Obstacle, status: CanaryDeploymentStatus
) -> tuple[RowStatus, ...]:
    """The comparison with a row of the restarts, the worse first; without workloads there is none."""
    row = None if isinstance(live, Obstacle) else _row(live, status)
    if row is None:
        return rows
    return (row, *rows) if row.verdict == "worse" else (*rows, row)


def _row(live: Live, status: CanaryDeploymentStatus) -> RowStatus | None:
    """Pods restarted since the step began, of all that are wanted."""
    since, canary, stable = rollout_of(status).step_started_at, live.canary_workload, live.stable_workload
    if since is None or canary is None or stable is None:
        return None
    found = canary.restarts_since(since)
    killed = sorted(each.pod for each in found if each.reason == "OOMKilled")
    arms = [_arm(each, since) for each in (canary, stable)]
    return RowStatus(
        metric=RESTARTS,
        kind=RESTARTS,
        verdict="worse" if found else "within tolerance",
        canary=arms[0],
        stable=arms[1],
        difference=(arms[0].estimate or 0.0) - (arms[1].estimate or 0.0),
        confidence=0.0,
        p_value=1.0,
        tolerance="none",
        margin="none",
        gating=True,
        rollback=0.0,
        promote=0.0 if found else 1.0,
        tested=f"pods restarted in this step{f'; out of memory: {killed[0]}' if killed else ''}",
    )


def _arm(workload: Workload, since: datetime) -> ArmStatus:
    restarted = len(workload.restarts_since(since))
    share = round(restarted / workload.wanted, 6) if workload.wanted else None
    return ArmStatus(total=workload.wanted, events=restarted, estimate=share)
