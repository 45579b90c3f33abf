"""What is done about drift: reported at once, repaired when the spec says so and it is safe, never fought in a loop."""

from datetime import datetime

from serinus.api import CanaryDeploymentStatus
from serinus.rollout.changes import in_rollout, recorded, rollout_of
from serinus.rollout.drift import Drift, find_drift, is_calm, repair_due
from serinus.rollout.intents import SetWeight
from serinus.rollout.phases import UNDER_WAY
from serinus.rollout.restarting import restart_step
from serinus.rollout.turn import Outcome, Turn


def mend(turn: Turn, status: CanaryDeploymentStatus) -> Outcome | None:
    """The outcome of a turn that finds drift, None where the mesh is as it was decided.

    Nothing is promoted meanwhile. The status is written before the repair: one who reads an old status, and so takes
    its own later writes for somebody else's, is stopped there by the API server.
    """
    drift = find_drift(turn.plan, status, turn.live)
    if drift is None:
        return None
    if drift.repair is None:
        return Outcome(status, drift=drift)
    due = max(repair_due(rollout_of(status), turn.now), _safe_at(turn, status, drift))
    if turn.now < due:
        return Outcome(status, wake=due, drift=drift)
    return _repair(turn, status, drift)


def _safe_at(turn: Turn, status: CanaryDeploymentStatus, drift: Drift) -> datetime:
    """When the repair is safe: one that raises the canary's weight waits until the evidence is caught up (I1)."""
    raises = isinstance(drift.repair, SetWeight) and drift.repair.weight > min(turn.live.weights)
    if not raises or status.phase not in UNDER_WAY:
        return turn.now
    rollout = rollout_of(status)
    known_until = rollout.judged_until or rollout.step_started_at or rollout.started_at
    is_caught_up = turn.now - known_until < 2 * turn.plan.interval + turn.timing.settle
    return turn.now if is_caught_up else turn.now + turn.plan.interval


def _repair(turn: Turn, status: CanaryDeploymentStatus, drift: Drift) -> Outcome:
    rollout = rollout_of(status)
    repairs = 1 if is_calm(rollout, turn.now) else rollout.repairs + 1
    status, record = recorded(turn, status, "repair", drift.reason, drift.message)
    status = in_rollout(status, repairs=repairs, repaired_at=turn.now)
    if status.phase in UNDER_WAY:
        status = restart_step(turn, status)
    if isinstance(drift.repair, SetWeight):
        status = in_rollout(status, decision=drift.repair.decision)
    return Outcome(status, drift.repair, (record,), drift=drift)
