"""The ladder as a state machine: what is, what the judge says and what the mesh shows in; what shall be out.

`advance` is pure. It never assumes that something it asked for was done: the next call reads the mesh again and asks
once more until the decision's id is seen there (architecture: intent first, then the weights, then the observation).
phases.py has the table of what can happen; each phase's turn is in the file that its function comes from.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.rollout.asking import tell, with_replies
from serinus.rollout.before_traffic import pending, warming_up
from serinus.rollout.begin import (
    abandoned_if_damaged,
    begin,
    is_carried_out,
    is_over,
    names_other_objects,
    plan_in_force,
    wants_another,
)
from serinus.rollout.changes import in_rollout
from serinus.rollout.conditions import conditions
from serinus.rollout.drift import Drift
from serinus.rollout.ends import ended, give_up, leave, supersede
from serinus.rollout.live import Live, Obstacle
from serinus.rollout.overrides import obey, without_delivered
from serinus.rollout.people import NOBODY, People
from serinus.rollout.phases import UNDER_WAY
from serinus.rollout.plan import Plan
from serinus.rollout.present import printed, query_status, row_status, verdict_status
from serinus.rollout.records import Record
from serinus.rollout.restarts import with_restarts
from serinus.rollout.scene import Scene
from serinus.rollout.share import find_misalignment
from serinus.rollout.steps import progressing
from serinus.rollout.subject import Subject
from serinus.rollout.templates import with_templates
from serinus.rollout.trail import NO_TRAIL, Trail
from serinus.rollout.turn import Judged, Outcome, Timing, Turn
from serinus.rollout.warm_up import WarmUpReply, with_warm_up

_RETRY = timedelta(seconds=10)  # an obstacle is looked at again; a change of the objects wakes earlier

_PHASES: dict[Phase, Callable[[Turn, CanaryDeploymentStatus], Outcome]] = {
    Phase.PENDING: pending,
    Phase.WARMING_UP: warming_up,
    Phase.PROGRESSING: progressing,
    Phase.HOLDING: progressing,
    Phase.PAUSED: progressing,
    Phase.PROMOTED: ended,
    Phase.ROLLED_BACK: ended,
    Phase.FAILED: ended,
}


def advance(
    subject: Subject,
    status: CanaryDeploymentStatus,
    live: Live | Obstacle,
    judged: Judged | None,
    *,
    now: datetime,
    timing: Timing,
    trail: Trail = NO_TRAIL,
    people: People = NOBODY,
    warmed: WarmUpReply | None = None,
) -> Outcome:
    """One turn of the rollout; `trail` holds the ticks judged since its last record, `people` what was said to it.

    `warmed`: how the canary's endpoints answered since the last turn.

    `live` is the mesh as it is now, or why it cannot be read as `plan_in_force` needs it; `judged` is new since the
    last turn, if anything is. The weight rises only by a person's order or by a promote verdict of the newest
    tick (I1), then never before the step's window has elapsed (I2), just before a slot begins; it falls at once.
    """
    if subject.leaving and status.rollout is None:
        return Outcome(status, let_go=True)
    scene, plan = Scene(subject, now, trail, None), plan_in_force(subject, status)
    records: tuple[Record, ...] = ()
    if wants_another(subject, status) and not subject.leaving:
        status = abandoned_if_damaged(status)
        overtaken = not is_carried_out(status)
        if overtaken and isinstance(live, Obstacle) and names_other_objects(plan, subject.plan):
            status, record = give_up(scene, status, live)
            records = (record,)
        if is_carried_out(status):
            status, plan = begin(subject, status, now), subject.plan
    status = with_warm_up(with_replies(without_delivered(status, people), people.replies, now), warmed)
    if judged is not None and not status.phase.is_end:
        status = _with_judgement(status, judged, live)
    try:
        if isinstance(live, Obstacle):
            raise live
        outcome, obstacle = _turn(Turn(subject, now, trail, None, plan, live, timing, people), status), None
    except Obstacle as found:
        outcome, obstacle = _hindered(subject, status, found, now), found
    return _finished(subject, plan, replace(outcome, records=(*records, *outcome.records)), obstacle, now)


def _turn(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    if turn.subject.leaving:
        return leave(turn, status)
    if status.phase in UNDER_WAY and wants_another(turn.subject, status):
        return supersede(turn, status)
    if not status.phase.is_end:
        status = with_templates(turn, status)
    return tell(turn, obey(turn, status) or _PHASES[status.phase](turn, status))


def _hindered(subject: Subject, status: CanaryDeploymentStatus, obstacle: Obstacle, now: datetime) -> Outcome:
    """The weight stays where it is. A deleted object waits for a stable that can serve, and for nothing else."""
    lets_go = subject.leaving and obstacle.reason != "StableUnavailable"
    drift = Drift(obstacle.reason, obstacle.message) if obstacle.is_of_mesh else None
    return Outcome(status, wake=now + _RETRY, drift=drift, let_go=lets_go)


def _finished(subject: Subject, plan: Plan, outcome: Outcome, obstacle: Obstacle | None, now: datetime) -> Outcome:
    """What follows from the rest of the status: columns, conditions, the generation it speaks of."""
    status = outcome.status
    drift = outcome.drift or find_misalignment(plan, status)
    status = status.model_copy(
        update={
            "observed_generation": subject.generation,
            "printed": printed(plan, status),
            # A rollout that is over has nothing left that could be hindered; what changed is drift.
            "conditions": conditions(status, subject, None if is_over(status) else obstacle, drift, now),
        }
    )
    return replace(outcome, status=status)


def _with_judgement(status: CanaryDeploymentStatus, judged: Judged, live: Live | Obstacle) -> CanaryDeploymentStatus:
    """The status with the comparison and verdict of the newest slot."""
    guard = judged.state.guard.watch
    canary, total = float(guard.canary.n), float(guard.canary.n + guard.stable.n)
    of_judge = (row_status(row, judged.reporters.get(row.metric.name)) for row in judged.rows)
    rows = with_restarts(tuple(of_judge), live, status)
    status = in_rollout(status, judged_until=judged.at, judge=judged.state.pack())
    return status.model_copy(
        update={
            "comparison": rows,
            "verdict": verdict_status(judged.verdict, judged.at),
            "observed_share": round(100 * canary / total, 2) if total else None,
            "observed_requests": round(total),
            "queries": tuple(query_status(metric, query) for metric, query in judged.queries.items()),
        }
    )
