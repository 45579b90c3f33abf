"""How a rollout ends: promoted, rolled back or failed; and what is still looked after then."""

from dataclasses import replace

from serinus.api import CanaryDeploymentStatus, Phase, VerdictStatus
from serinus.rollout.changes import decision_id, in_rollout, moved, recorded, rollout_of
from serinus.rollout.live import Obstacle
from serinus.rollout.mending import mend
from serinus.rollout.phases import BEFORE_TRAFFIC, Event
from serinus.rollout.present import printed
from serinus.rollout.records import Record
from serinus.rollout.scene import Scene
from serinus.rollout.turn import Outcome, Turn
from serinus.rollout.weights import set_weight

OVERTAKEN = "NewRelease"
"""The reason of a rollout that ended because another release was asked for."""


def roll_back(
    turn: Turn,
    status: CanaryDeploymentStatus,
    event: Event,
    reason: str,
    message: str,
    *,
    verdict: str = "rollback",
    urgent: bool = True,
) -> Outcome:
    """Everything back to stable. `verdict`: what the record calls it; `urgent`: the weights come before the status."""
    decision = decision_id(rollout_of(status), verdict)
    return _back_to_stable(turn, status, event, verdict, reason, message, decision, urgent)


def adopt_rollback(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """Finish the rollback that the mesh carries and the status does not know: the operator was stopped in between."""
    said = status.verdict
    known = said is not None and said.verdict == "rollback"
    reason = said.reason if said and known else "RollbackAdopted"
    message = said.message if said and known else "the weights were rolled back just before the operator stopped"
    return _back_to_stable(turn, status, Event.ADOPTED, "rollback", reason, message, turn.live.decision, True)


def _back_to_stable(
    turn: Turn,
    status: CanaryDeploymentStatus,
    event: Event,
    verdict: str,
    reason: str,
    message: str,
    decision: str,
    urgent: bool,
) -> Outcome:
    is_there = turn.live.decision == decision and turn.live.carries(0)
    intent = None if is_there else set_weight(turn.live, 0, decision, urgent=urgent)
    status, record = recorded(turn, status, verdict, reason, message, weight_after=0)
    said = VerdictStatus(verdict="rollback", reason=reason, message=message, time=turn.now)
    observed = decision if is_there else rollout_of(status).observed
    status = in_rollout(status, decision=decision, observed=observed, ended_at=turn.now, settling_since=turn.now)
    status = moved(status, event, weight=0, next_step_time=None, verdict=said)
    return Outcome(status, intent, (record,))


def fail(
    turn: Turn, status: CanaryDeploymentStatus, event: Event, reason: str, message: str, *, verdict: str = "failed"
) -> Outcome:
    """End before any user met the canary: all traffic is on stable already, and nothing is written.

    `verdict`: what the record calls it.
    """
    status, record = recorded(turn, status, verdict, reason, message, weight_after=0)
    said = VerdictStatus(verdict="rollback", reason=reason, message=message, time=turn.now)
    status = moved(in_rollout(status, ended_at=turn.now), event, verdict=said)
    return Outcome(status, records=(record,))


def promote_fully(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """The ladder is climbed: the canary keeps all of the traffic."""
    message = f"promoted: {printed(turn.plan, status).canary} has all of the traffic"
    status, record = recorded(turn, status, "promoted", "LadderCompleted", message)
    verdict = VerdictStatus(verdict="promote", reason="LadderCompleted", message=message, time=turn.now)
    status = moved(in_rollout(status, ended_at=turn.now), Event.COMPLETED, verdict=verdict, next_step_time=None)
    if turn.plan.traffic.audience is None and turn.plan.traffic.cohort is None:
        return Outcome(status, records=(record,))
    # Now it is everybody's: audience and cohort end by a change of the routes, which is a decision of its own.
    decision = decision_id(rollout_of(status), "promoted")
    last = set_weight(turn.live, status.weight, decision, final=True)
    return Outcome(in_rollout(status, decision=decision), last, (record,))


def ended(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """Nothing more to decide; the last decision is carried out until it is seen, and kept as it is afterwards."""
    rollout = rollout_of(status)
    if rollout.decision == rollout.observed:
        return mend(turn, status) or Outcome(status)
    if turn.live.decision == rollout.decision:
        seen = in_rollout(status, observed=rollout.decision, settling_since=turn.now)
        return Outcome(seen, wake=turn.now)
    urgent = status.phase is Phase.ROLLED_BACK
    return Outcome(status, set_weight(turn.live, status.weight, rollout.decision, urgent=urgent, final=True))


def supersede(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """Another release was applied in the middle: this one ends on stable before the next begins."""
    message = "another release was applied before this one ended"
    return roll_back(turn, status, Event.SUPERSEDED, OVERTAKEN, message, verdict="superseded", urgent=False)


def give_up(scene: Scene, status: CanaryDeploymentStatus, obstacle: Obstacle) -> tuple[CanaryDeploymentStatus, Record]:
    """End an overtaken rollout whose routes can no longer be read: there is nothing left to bring back."""
    message = f"another release was applied; the routes of this one were left as they are: {obstacle.message}"
    status, record = recorded(scene, status, "superseded", OVERTAKEN, message, weight_after=0)
    status = in_rollout(status, ended_at=scene.now, observed=rollout_of(status).decision)
    return (status if status.phase.is_end else moved(status, Event.SUPERSEDED, weight=0)), record


def leave(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """The CanaryDeployment is being deleted: all traffic stays on, or goes to, the version that serves (I7)."""
    rollout = rollout_of(status)
    together = turn.live.stable_serves or turn.live.canary_serves
    if status.phase in BEFORE_TRAFFIC and (together or not rollout.decision):
        return Outcome(status, let_go=True)  # all users have one version, or this rollout has not touched them
    if not status.phase.is_end:
        message = "the CanaryDeployment was deleted before this rollout ended"
        return roll_back(turn, status, Event.DELETED, "Deleted", message, verdict="deleted", urgent=False)
    if rollout.decision == rollout.observed:
        return Outcome(status, let_go=True)
    outcome = ended(turn, status)
    return replace(outcome, let_go=outcome.intent is None)
