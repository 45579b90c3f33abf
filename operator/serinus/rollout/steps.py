"""A step of the ladder: its weight is on the mesh or on its way there, and its evidence decides."""

from dataclasses import replace
from datetime import timedelta

from serinus.api import CanaryDeploymentStatus, Phase, VerdictStatus, format_duration
from serinus.rollout.asking import Question, ask_before
from serinus.rollout.breaker import canary_is_unreachable, with_readiness
from serinus.rollout.capacity import lacking_capacity
from serinus.rollout.changes import decision_id, decision_number, in_rollout, moved, recorded, rollout_of, saying
from serinus.rollout.ends import adopt_rollback, promote_fully, roll_back
from serinus.rollout.gates import at_gate, is_held, waiting
from serinus.rollout.live import Obstacle
from serinus.rollout.mending import mend
from serinus.rollout.phases import Event
from serinus.rollout.restarts import told_restarts
from serinus.rollout.templates import when_stable_changes
from serinus.rollout.turn import Outcome, Turn
from serinus.rollout.weights import set_weight


def progressing(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """One turn of a step. What protects users comes first, then what was decided, then what may be decided."""
    rollout = rollout_of(status)
    if _is_unknown_rollback(turn, status):
        return adopt_rollback(turn, status)
    if _is_ahead(turn, status):
        raise _behind(turn)
    if status.verdict is not None and status.verdict.verdict == "rollback":
        return roll_back(turn, status, Event.REGRESSED, status.verdict.reason, status.verdict.message)
    status = with_readiness(turn, status)
    if told := canary_is_unreachable(turn, status):
        return roll_back(turn, status, Event.UNREACHABLE, "CanaryUnreachable", told)
    if rollout.decision != rollout.observed:
        if turn.live.decision != rollout.decision:
            return Outcome(status, set_weight(turn.live, status.weight, rollout.decision))
        window = turn.plan.ladder[rollout.step].window
        status = in_rollout(status, observed=rollout.decision, step_started_at=turn.now)
        status = status.model_copy(update={"next_step_time": turn.now + window})
    return mend(turn, status) or when_stable_changes(turn, status) or _climb(turn, status)


def rise(turn: Turn, status: CanaryDeploymentStatus, step: int, verdict: str, reason: str, message: str) -> Outcome:
    """Give the canary the weight of a step, from the first one by a warm-up, from any other by a promote verdict."""
    weight = turn.plan.ladder[step].weight
    decision = decision_id(rollout_of(status), verdict)
    status, record = recorded(turn, status, verdict, reason, message, weight_after=weight)
    status = in_rollout(status, step=step, decision=decision, step_started_at=None, undecided_at=None)
    event = Event.WARMED_UP if status.phase is Phase.WARMING_UP else Event.PROVEN
    status = moved(status, event, weight=weight, step=step + 1, next_step_time=None)
    status = saying(status, turn.now, "StepStarted", f"step {step + 1} of {len(turn.plan.ladder)} begins")
    return Outcome(status, set_weight(turn.live, weight, decision), (record,))


def _is_unknown_rollback(turn: Turn, status: CanaryDeploymentStatus) -> bool:
    """Whether the mesh carries a rollback of this rollout, which is not the decision that the status knows.

    Whatever its number: it may come from an operator that read an old status, and still saw the evidence for it.
    """
    rollout, decision = rollout_of(status), turn.live.decision
    belongs = decision.startswith(f"{rollout.id}/") and decision.endswith("-rollback")
    return belongs and decision != rollout.decision


def _is_ahead(turn: Turn, status: CanaryDeploymentStatus) -> bool:
    """Whether the mesh carries a later decision of this rollout than the status knows."""
    rollout, decision = rollout_of(status), turn.live.decision
    belongs = decision.startswith(f"{rollout.id}/")
    return belongs and decision_number(decision) > decision_number(rollout.decision)


def _behind(turn: Turn) -> Obstacle:
    return Obstacle(
        "StatusBehind",
        f"the VirtualService carries the decision {turn.live.decision}, which this status does not know. It is read "
        "again; if somebody restored an old status, change spec.revision to start anew",
    )


def _climb(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """Up a step when the verdict says so, else wait."""
    step, last = rollout_of(status).step, len(turn.plan.ladder) - 1
    if is_held(turn, status):
        return Outcome(status if status.phase is Phase.PAUSED else moved(status, Event.PAUSED))
    if status.phase is Phase.PAUSED:
        status = moved(status, Event.RESUMED)
    verdict = status.verdict
    # The window is over when a tick that ended after it has been judged, not when the clock says so.
    elapsed = status.next_step_time is not None and verdict is not None and verdict.time >= status.next_step_time
    proven = elapsed and verdict is not None and verdict.verdict == "promote" and _is_newest(turn, verdict)
    nothing_to_bake = step == last and turn.plan.ladder[last].window == timedelta()
    if nothing_to_bake or proven:
        return at_gate(turn, status) or _up(turn, status)
    if elapsed and verdict is not None and verdict.verdict == "hold":
        return _hold(turn, status, verdict)
    return Outcome(status)


def _up(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """The step is done: up, or after the last promoted, unless pods or a hook have something against it."""
    step, last, verdict = rollout_of(status).step, len(turn.plan.ladder) - 1, status.verdict
    if told := told_restarts(turn.live, status):
        told = f"{told}: look at its logs; promote it by an override, or release it anew"
        return _before_deadline(turn, waiting(turn, status, "CanaryRestarted", told))
    if step == last:
        return ask_before(turn, status, [("afterStep", step)], status.weight) or promote_fully(turn, status)
    if told := lacking_capacity(turn, turn.plan.ladder[step + 1].weight):
        return _before_deadline(turn, waiting(turn, status, "WaitingForCapacity", told))
    questions: list[Question] = [("afterStep", step), ("beforeStep", step + 1)]
    if refused := ask_before(turn, status, questions, turn.plan.ladder[step + 1].weight):
        return refused
    assert verdict is not None, "below the last step nothing is done without a verdict"
    # The weight rises just before the next slot begins, so that the tick after sees one weight only.
    at = verdict.time + turn.plan.interval - turn.timing.lead
    if turn.now < at:
        return Outcome(status, wake=at)
    return rise(turn, status, step + 1, "promote", verdict.reason, verdict.message)


def _is_newest(turn: Turn, verdict: VerdictStatus) -> bool:
    """Whether no later tick should have been judged by now: a promotion is never taken on what was true a while ago."""
    return turn.now < verdict.time + 2 * turn.plan.interval + turn.timing.settle


def _hold(turn: Turn, status: CanaryDeploymentStatus, verdict: VerdictStatus) -> Outcome:
    """The window is over and the evidence does not suffice; the first time in a step, that is a record."""
    held = Outcome(status)
    if status.phase is not Phase.HOLDING:
        status, record = recorded(turn, status, "hold", verdict.reason, verdict.message)
        held = Outcome(moved(status, Event.UNDECIDED), records=(record,))
    return _before_deadline(turn, held)


def _before_deadline(turn: Turn, held: Outcome) -> Outcome:
    """What the step's deadline adds: when it has passed a condition and a record, or where the spec says so the end."""
    rollout, deadline = rollout_of(held.status), turn.subject.deadline
    started = rollout.step_started_at
    expires = started + deadline if started is not None and deadline is not None else None
    if deadline is None or expires is None or turn.now < expires:
        forgotten = held.status if rollout.undecided_at is None else in_rollout(held.status, undecided_at=None)
        return replace(held, status=forgotten, wake=expires)
    if rollout.undecided_at is not None and not turn.subject.rolls_back_undecided:
        return held
    told = f"no verdict within {format_duration(deadline)} at step {rollout.step + 1}"
    if turn.subject.rolls_back_undecided:
        last = roll_back(turn, held.status, Event.EXPIRED, "DeadlineExpired", told)
    else:
        status, record = recorded(turn, held.status, "hold", "DeadlineExpired", told)
        last = Outcome(in_rollout(status, undecided_at=turn.now), records=(record,))
    return replace(last, records=(*held.records, *last.records))
