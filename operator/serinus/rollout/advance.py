"""The ladder as a state machine: what is, what the judge says and what the mesh shows in; what shall be out.

`advance` is pure. It never assumes that something it asked for was done: the next call reads the mesh again and asks
once more until the decision's id is seen there (architecture: intent first, then the weights, then the observation).
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from serinus.api import CanaryDeploymentStatus, Phase, RolloutStatus, VerdictStatus
from serinus.judge import Row, State, Verdict
from serinus.rollout.conditions import conditions
from serinus.rollout.intents import Intent, PointSubset, SetWeight
from serinus.rollout.live import Live, Obstacle
from serinus.rollout.plan import Plan
from serinus.rollout.preparation import next_preparation
from serinus.rollout.present import printed, row_status, verdict_status
from serinus.rollout.records import HISTORY, Record
from serinus.rollout.subject import Subject

_RETRY = timedelta(seconds=10)  # an obstacle is looked at again; a change of the objects wakes earlier


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a change takes to reach the proxies (`settle`), and how long before a tick a weight rises (`lead`)."""

    settle: timedelta
    lead: timedelta


@dataclass(frozen=True, slots=True)
class Judged:
    """The judge's answer after the tick that ended at `at`."""

    at: datetime
    state: State
    rows: tuple[Row, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one turn of the machine asks for.

    `intent`: the one change of the mesh that is due, if any. `records`: decisions taken now. `wake`: when time alone
    makes the next turn worth taking; None when only a change of the objects or new evidence does.
    """

    status: CanaryDeploymentStatus
    intent: Intent | None = None
    records: tuple[Record, ...] = ()
    wake: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Turn:
    """What the phases look at."""

    subject: Subject
    plan: Plan
    live: Live
    now: datetime
    timing: Timing


def advance(
    subject: Subject,
    status: CanaryDeploymentStatus,
    live: Live | Obstacle,
    judged: Judged | None,
    *,
    now: datetime,
    timing: Timing,
) -> Outcome:
    """One turn of the rollout.

    `live` is the mesh as it is now, or why it cannot be read as this rollout needs it; `judged` is new since the last
    turn, if anything is. The weight rises only by a promote verdict of the newest tick (I1), never before the step's
    window has elapsed (I2), just before a slot begins; it falls at once.
    """
    status, records = _begin_if_new(subject, status, now)
    assert status.rollout is not None
    plan = Plan.unpack(status.rollout.snapshot)
    if judged is not None and not status.phase.is_end:
        status = _with_judgement(status, judged)
    if isinstance(live, Obstacle):
        return _finish(subject, plan, Outcome(status, records=records, wake=now + _RETRY), live, now)
    turn = _Turn(subject, plan, live, now, timing)
    try:
        outcome = _PHASES[status.phase](turn, status)
    except Obstacle as obstacle:
        return _finish(subject, plan, Outcome(status, records=records, wake=now + _RETRY), obstacle, now)
    outcome = replace(outcome, records=(*records, *outcome.records))
    return _finish(subject, plan, outcome, None, now)


def _begin_if_new(
    subject: Subject, status: CanaryDeploymentStatus, now: datetime
) -> tuple[CanaryDeploymentStatus, tuple[Record, ...]]:
    """A new rollout where the spec asks for another release than the last one; the old one's end is recorded."""
    old = status.rollout
    if old is not None and old.release == subject.release:
        return status, ()
    records: tuple[Record, ...] = ()
    if old is not None and not status.phase.is_end:
        record = _record(
            subject, status, now, "superseded", "NewRelease", "another release was applied before this one ended"
        )
        status, records = _recorded(status, record), (record,)
    started = f"{subject.uid}/{subject.release}/{now.isoformat()}"
    plan = subject.plan
    rollout = RolloutStatus(
        id=f"{subject.name}-{hashlib.sha256(started.encode()).hexdigest()[:8]}",
        started_at=now,
        release=subject.release,
        policy_hash=plan.digest(),
        snapshot=plan.pack(),
        last_hash=status.rollout.last_hash if status.rollout else "",
    )
    fresh = {"step": None, "next_step_time": None, "observed_share": None, "comparison": ()}
    begun = {"phase": Phase.PENDING, "rollout": rollout, "steps": len(plan.ladder)}
    verdict = VerdictStatus(verdict="hold", reason="Preparing", message="bringing all traffic to stable", time=now)
    return status.model_copy(update=fresh | begun | {"verdict": verdict}), records


def _with_judgement(status: CanaryDeploymentStatus, judged: Judged) -> CanaryDeploymentStatus:
    """The status with the comparison and verdict of the newest slot."""
    canary, stable = judged.state.guard.canary, judged.state.guard.stable
    total = canary.n + stable.n
    rollout = _rollout(status).model_copy(update={"judged_until": judged.at, "judge": judged.state.pack()})
    return status.model_copy(
        update={
            "rollout": rollout,
            "comparison": tuple(row_status(row) for row in judged.rows),
            "verdict": verdict_status(judged.verdict, judged.at),
            "observed_share": round(100 * canary.n / total, 2) if total else None,
        }
    )


def _pending(turn: _Turn, status: CanaryDeploymentStatus) -> Outcome:
    """Subsets and weights are brought to the start, one change at a time, each given time to settle."""
    rollout = _rollout(status)
    if rollout.decision not in ("", turn.live.decision):
        return Outcome(status, SetWeight(status.weight, rollout.decision))
    if rollout.settling_since is not None:
        settled = rollout.settling_since + turn.timing.settle
        if turn.now < settled:
            return Outcome(status, wake=settled)
    decision = _decision_id(rollout, "prepare")
    intent = next_preparation(turn.plan, turn.live, decision)
    if intent is None:
        warm = _moved(status, phase=Phase.WARMING_UP, weight=0)
        warm = _in_rollout(warm, warm_up_started_at=turn.now, settling_since=None)
        return _warming_up(turn, warm)
    changing = _in_rollout(status, settling_since=turn.now)
    wake = turn.now + turn.timing.settle
    if isinstance(intent, PointSubset):
        return Outcome(changing, intent, wake=wake)
    record = _record(
        turn.subject, status, turn.now, "prepare", "BackToStable", "all traffic to stable before the first step", 0
    )
    moved = _moved(_in_rollout(changing, decision=decision), weight=0)
    return Outcome(_recorded(moved, record), intent, (record,), wake)


def _warming_up(turn: _Turn, status: CanaryDeploymentStatus) -> Outcome:
    """The canary's time before any traffic that counts (R09); then the first step at once."""
    rollout = _rollout(status)
    assert rollout.warm_up_started_at is not None
    until = rollout.warm_up_started_at + turn.plan.warm_up
    if turn.subject.paused:
        return Outcome(_saying(status, turn.now, "Paused", "paused before the first step"))
    if turn.now < until:
        return Outcome(_saying(status, turn.now, "WarmingUp", "warming up before any traffic"), wake=until)
    return _rise(turn, status, 0, "start", "WarmedUp", "warmed up: the first step begins")


def _progressing(turn: _Turn, status: CanaryDeploymentStatus) -> Outcome:
    """A step: its weight is on the mesh or on its way there, and its evidence decides."""
    rollout = _rollout(status)
    if turn.live.decision.startswith(rollout.id) and turn.live.decision.endswith("-rollback"):
        return _roll_back(turn, status, turn.live.decision)
    if status.verdict is not None and status.verdict.verdict == "rollback":
        return _roll_back(turn, status, _decision_id(rollout, "rollback"))
    if rollout.decision != rollout.observed:
        if turn.live.decision != rollout.decision:
            return Outcome(status, SetWeight(status.weight, rollout.decision))
        window = turn.plan.ladder[rollout.step].window
        status = _in_rollout(status, observed=rollout.decision, step_started_at=turn.now)
        status = status.model_copy(update={"next_step_time": turn.now + window})
    return _climb(turn, status)


def _climb(turn: _Turn, status: CanaryDeploymentStatus) -> Outcome:
    """Up a step when the verdict says so, else wait."""
    step, last = _rollout(status).step, len(turn.plan.ladder) - 1
    verdict = status.verdict
    # The window is over when a tick that ended after it has been judged, not when the clock says so.
    elapsed = status.next_step_time is not None and verdict is not None and verdict.time >= status.next_step_time
    proven = elapsed and verdict is not None and verdict.verdict == "promote"
    nothing_to_bake = step == last and turn.plan.ladder[last].window == timedelta()
    if turn.subject.paused:
        return Outcome(_moved(status, phase=Phase.PAUSED))
    if nothing_to_bake or (step == last and proven):
        return _promoted(turn, status)
    if proven and verdict is not None:
        # The weight rises just before the next slot begins, so that the tick after sees one weight only.
        at = verdict.time + turn.plan.interval - turn.timing.lead
        if turn.now < at:
            return Outcome(_moved(status, phase=Phase.PROGRESSING), wake=at)
        return _rise(turn, status, step + 1, "promote", verdict.reason, verdict.message)
    if elapsed and verdict is not None:
        return _hold(turn, status, verdict)
    return Outcome(_moved(status, phase=Phase.PROGRESSING))


def _hold(turn: _Turn, status: CanaryDeploymentStatus, verdict: VerdictStatus) -> Outcome:
    """The window is over and the evidence does not suffice; the first time in a step, that is a record."""
    if status.phase is Phase.HOLDING:
        return Outcome(status)
    record = _record(turn.subject, status, turn.now, "hold", verdict.reason, verdict.message)
    return Outcome(_recorded(_moved(status, phase=Phase.HOLDING), record), records=(record,))


def _rise(turn: _Turn, status: CanaryDeploymentStatus, step: int, verdict: str, reason: str, message: str) -> Outcome:
    weight = turn.plan.ladder[step].weight
    decision = _decision_id(_rollout(status), verdict)
    record = _record(turn.subject, status, turn.now, verdict, reason, message, weight)
    status = _recorded(status, record)
    status = _in_rollout(status, step=step, decision=decision, step_started_at=None)
    status = _moved(status, phase=Phase.PROGRESSING, weight=weight, step=step + 1, next_step_time=None)
    status = _saying(status, turn.now, "StepStarted", f"step {step + 1} of {len(turn.plan.ladder)} begins")
    return Outcome(status, SetWeight(weight, decision), (record,))


def _roll_back(turn: _Turn, status: CanaryDeploymentStatus, decision: str) -> Outcome:
    """Everything back to stable; also finishes a rollback whose weights were written before a crash."""
    verdict = status.verdict
    if verdict is None or verdict.verdict != "rollback":
        message = "the weights were rolled back just before the operator stopped"
        verdict = VerdictStatus(verdict="rollback", reason="RollbackAdopted", message=message, time=turn.now)
        status = status.model_copy(update={"verdict": verdict})
    record = _record(turn.subject, status, turn.now, "rollback", verdict.reason, verdict.message, 0)
    status = _in_rollout(_recorded(status, record), decision=decision, ended_at=turn.now)
    status = _moved(status, phase=Phase.ROLLED_BACK, weight=0, next_step_time=None)
    if turn.live.decision == decision:
        return Outcome(_in_rollout(status, observed=decision), records=(record,))
    return Outcome(status, SetWeight(0, decision, urgent=True), (record,))


def _promoted(turn: _Turn, status: CanaryDeploymentStatus) -> Outcome:
    message = f"promoted: {printed(turn.plan, status).canary} has all of the traffic"
    record = _record(turn.subject, status, turn.now, "promoted", "LadderCompleted", message)
    verdict = VerdictStatus(verdict="promote", reason="LadderCompleted", message=message, time=turn.now)
    status = _in_rollout(_recorded(status, record), ended_at=turn.now)
    status = _moved(status, phase=Phase.PROMOTED, next_step_time=None)
    return Outcome(status.model_copy(update={"verdict": verdict}), records=(record,))


def _ended(turn: _Turn, status: CanaryDeploymentStatus) -> Outcome:
    """Nothing more to decide; the last decision is carried out until it is seen."""
    rollout = _rollout(status)
    if rollout.decision == rollout.observed:
        return Outcome(status)
    if turn.live.decision == rollout.decision:
        return Outcome(_in_rollout(status, observed=rollout.decision))
    return Outcome(status, SetWeight(status.weight, rollout.decision, urgent=True))


_PHASES = {
    Phase.PENDING: _pending,
    Phase.WARMING_UP: _warming_up,
    Phase.PROGRESSING: _progressing,
    Phase.HOLDING: _progressing,
    Phase.PAUSED: _progressing,
    Phase.PROMOTED: _ended,
    Phase.ROLLED_BACK: _ended,
    Phase.FAILED: _ended,
}


def _finish(subject: Subject, plan: Plan, outcome: Outcome, obstacle: Obstacle | None, now: datetime) -> Outcome:
    """What follows from the rest of the status: columns, conditions, the generation it speaks of."""
    status = outcome.status
    status = status.model_copy(
        update={
            "observed_generation": subject.generation,
            "printed": printed(plan, status),
            "conditions": conditions(status, subject, obstacle, now),
        }
    )
    return replace(outcome, status=status)


def _record(
    subject: Subject,
    status: CanaryDeploymentStatus,
    now: datetime,
    verdict: str,
    reason: str,
    message: str,
    weight_after: int | None = None,
) -> Record:
    rollout = _rollout(status)
    number = 1 + int(status.history[-1].id.rpartition("/")[2]) if status.history else 1
    return Record(
        id=f"{rollout.id}/{number}",
        rollout=rollout.id,
        namespace=subject.namespace,
        name=subject.name,
        time=now,
        verdict=verdict,
        reason=reason,
        message=message,
        step=rollout.step,
        weight_before=status.weight,
        weight_after=status.weight if weight_after is None else weight_after,
        comparison=status.comparison,
        policy_hash=rollout.policy_hash,
        previous_hash=rollout.last_hash,
    )


def _recorded(status: CanaryDeploymentStatus, record: Record) -> CanaryDeploymentStatus:
    """The status with the record in its history and its hash for the next one to name."""
    history = (*status.history, record.summary())[-HISTORY:]
    return _in_rollout(status, last_hash=record.digest()).model_copy(update={"history": history})


def _saying(status: CanaryDeploymentStatus, now: datetime, reason: str, message: str) -> CanaryDeploymentStatus:
    """The status with a hold verdict that says what is waited for; unchanged when it says so already."""
    if status.verdict is not None and status.verdict.reason == reason:
        return status
    verdict = VerdictStatus(verdict="hold", reason=reason, message=message, time=now)
    return status.model_copy(update={"verdict": verdict})


def _moved(status: CanaryDeploymentStatus, **fields: object) -> CanaryDeploymentStatus:
    return status.model_copy(update=fields)


def _in_rollout(status: CanaryDeploymentStatus, **fields: object) -> CanaryDeploymentStatus:
    return status.model_copy(update={"rollout": _rollout(status).model_copy(update=fields)})


def _rollout(status: CanaryDeploymentStatus) -> RolloutStatus:
    assert status.rollout is not None, "a rollout has begun"
    return status.rollout


def _decision_id(rollout: RolloutStatus, verb: str) -> str:
    """The next decision's id: rollout, running number, what it does."""
    number = int(rollout.decision.rpartition("/")[2].partition("-")[0]) if rollout.decision else 0
    return f"{rollout.id}/{number + 1}-{verb}"
