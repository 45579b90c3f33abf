"""What the arms' workloads run, on record from the rollout's start; a template that changes is seen.

Another template of the canary's is another release (begin.py); of the stable's, what the canary was compared with so
far is no more, and the step's evidence starts anew.
"""

from serinus.api import CanaryDeploymentStatus, WorkloadStatus
from serinus.rollout.changes import in_rollout, recorded, rollout_of
from serinus.rollout.phases import BEFORE_TRAFFIC
from serinus.rollout.restarting import restart_step
from serinus.rollout.turn import Outcome, Turn
from serinus.rollout.workload import Workload


def with_templates(turn: Turn, status: CanaryDeploymentStatus) -> CanaryDeploymentStatus:
    """The status that says what the arms' workloads run, from when they are first seen.

    Before there is traffic nothing has been compared yet, and the stable may change.
    """
    rollout = rollout_of(status)
    stable, canary = _status(turn.live.stable_workload), _status(turn.live.canary_workload)
    if stable is None or (rollout.stable_workload is not None and status.phase not in BEFORE_TRAFFIC):
        stable = rollout.stable_workload
    canary = rollout.canary_workload or canary
    if (stable, canary) == (rollout.stable_workload, rollout.canary_workload):
        return status
    return in_rollout(status, stable_workload=stable, canary_workload=canary)


def when_stable_changes(turn: Turn, status: CanaryDeploymentStatus) -> Outcome | None:
    """The step that starts anew for the stable's workload has another template; None where it has not."""
    known, seen = rollout_of(status).stable_workload, _status(turn.live.stable_workload)
    if known is None or seen is None or known.template == seen.template:
        return None
    told = f"the stable's pod template was changed in the middle of step {rollout_of(status).step + 1}: {_images(seen)}"
    status, record = recorded(
        turn, in_rollout(status, stable_workload=seen), "hold", "StableChanged", f"{told}; its evidence starts anew"
    )
    return Outcome(restart_step(turn, status), records=(record,))


def _status(workload: Workload | None) -> WorkloadStatus | None:
    return None if workload is None else WorkloadStatus(template=workload.template, images=workload.images)


def _images(workload: WorkloadStatus) -> str:
    return f"it runs {', '.join(workload.images)} now"
