"""Overrides: a person's order outranks the verdict, in either direction, on record (R27).

Each is answered once: the answer waits in the status until the override itself has it, so that an operator that is
killed in between neither forgets an order nor carries it out twice.
"""

from collections.abc import Callable
from dataclasses import replace

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.api.override import Action
from serinus.api.status import AnswerStatus
from serinus.judge import State, acknowledge
from serinus.rollout.changes import in_rollout, moved, recorded, rollout_of
from serinus.rollout.ends import promote_fully, roll_back
from serinus.rollout.people import Order, People
from serinus.rollout.phases import BEFORE_TRAFFIC, UNDER_WAY, Event
from serinus.rollout.records import Record
from serinus.rollout.steps import rise
from serinus.rollout.turn import Outcome, Turn

# Of orders that were given in the same second the safest is heard first; the others may then be refused.
_SAFEST: tuple[Action, ...] = ("rollback", "hold", "resume", "approve", "promote")
_REASON = "Override"


def obey(turn: Turn, status: CanaryDeploymentStatus) -> Outcome | None:
    """Carry out or refuse the oldest order that has no answer; None where there is none, or it must wait a moment.

    A rollback by the judge that is due comes before any order.
    """
    order = _next(turn, status)
    if order is None:
        return None
    if refusal := _refusal(turn, status, order):
        return Outcome(_answered(turn, status, order, refusal, None), wake=turn.now)
    if order.action == "promote" and _must_wait(turn, status):
        return None
    done = _ACTIONS[order.action](replace(turn, order=order), status)
    told = f"done: {done.records[-1].message}"
    return replace(done, status=_answered(turn, done.status, order, told, done.records[-1]), wake=turn.now)


def without_delivered(status: CanaryDeploymentStatus, people: People) -> CanaryDeploymentStatus:
    """The status without answers that the overrides themselves have, or that nobody waits for any more."""
    waiting = {order.uid for order in people.orders}
    kept = tuple(answer for answer in status.answers if answer.uid in waiting)
    return status if kept == status.answers else status.model_copy(update={"answers": kept})


def _next(turn: Turn, status: CanaryDeploymentStatus) -> Order | None:
    answered = {answer.uid for answer in status.answers}
    waiting = [order for order in turn.people.orders if order.uid not in answered]
    return min(
        waiting, key=lambda order: (order.created, _SAFEST.index(order.action), order.name, order.uid), default=None
    )


def _refusal(turn: Turn, status: CanaryDeploymentStatus, order: Order) -> str | None:
    """Why nothing will ever come of the order; None where something may."""
    rollout = rollout_of(status)
    if order.rollout != rollout.id:
        return f"it is meant for the rollout {order.rollout}; now it is {rollout.id}"
    if status.phase.is_end and not (order.action == "rollback" and status.phase is Phase.PROMOTED):
        return f"the rollout has ended: {status.phase.value}"
    gate = None if status.phase in BEFORE_TRAFFIC else turn.plan.ladder[rollout.step].gate
    checks: dict[Action, tuple[tuple[object, str], ...]] = {
        "promote": (
            (turn.subject.paused, "spec.paused is true: set it to false first"),
            (rollout.held_by, f"{rollout.held_by} holds the rollout: resume it first"),
        ),
        "hold": ((rollout.held_by, f"{rollout.held_by} holds the rollout already"),),
        "resume": ((not rollout.held_by, "nobody holds the rollout"),),
        "approve": (
            (gate is None, "the step has no gate that waits for an approval"),
            (rollout.approved_step == rollout.step, "the step has been approved already"),
        ),
    }
    return next((told for is_wrong, told in checks.get(order.action, ()) if is_wrong), None)


def _must_wait(turn: Turn, status: CanaryDeploymentStatus) -> bool:
    """Whether the last decision is still on its way to the mesh, or a rollback is due."""
    rollout = rollout_of(status)
    if status.phase is Phase.PENDING or (status.verdict is not None and status.verdict.verdict == "rollback"):
        return True
    return status.phase in UNDER_WAY and (
        rollout.decision != rollout.observed or turn.live.decision != rollout.decision
    )


def _promote(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """To the next step or all the way; what is worse now is acknowledged, and does not roll back by itself."""
    last = len(turn.plan.ladder) - 1
    step = 0 if status.phase is Phase.WARMING_UP else rollout_of(status).step + 1
    if status.phase is Phase.PAUSED:
        status = moved(status, Event.RESUMED)
    if step > last:
        return promote_fully(turn, status)
    step = last if turn.order is not None and turn.order.to is not None else step
    status, names = _acknowledged(turn, status)
    spent = f"; acknowledged as worse: {', '.join(names)}" if names else ""
    told = f"step {step + 1} of {last + 1} by order{spent}"
    return rise(turn, status, step, "promote", _REASON, told)


def _acknowledged(turn: Turn, status: CanaryDeploymentStatus) -> tuple[CanaryDeploymentStatus, tuple[str, ...]]:
    packed = rollout_of(status).judge
    if not packed:
        return status, ()
    policy = turn.plan.judged_by
    state, names = acknowledge(policy, State.unpack(packed, policy))
    return in_rollout(status, judge=state.pack()), names


def _roll_back(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    return roll_back(turn, status, Event.ORDERED_BACK, _REASON, "all traffic to stable by order")


def _hold(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    status, record = recorded(turn, status, "hold", _REASON, "no promotion until somebody resumes")
    return Outcome(in_rollout(status, held_by=record.actor), records=(record,))


def _resume(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    status, record = recorded(turn, status, "resume", _REASON, "promotions are possible again")
    return Outcome(in_rollout(status, held_by=None), records=(record,))


def _approve(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    step = rollout_of(status).step
    status, record = recorded(turn, status, "approve", _REASON, f"step {step + 1} may pass its gate")
    return Outcome(in_rollout(status, approved_step=step), records=(record,))


_ACTIONS: dict[Action, Callable[[Turn, CanaryDeploymentStatus], Outcome]] = {
    "promote": _promote,
    "rollback": _roll_back,
    "hold": _hold,
    "resume": _resume,
    "approve": _approve,
}


def _answered(
    turn: Turn, status: CanaryDeploymentStatus, order: Order, message: str, record: Record | None
) -> CanaryDeploymentStatus:
    answer = AnswerStatus(
        uid=order.uid,
        name=order.name,
        outcome="Refused" if record is None else "Applied",
        message=message,
        time=turn.now,
        record=None if record is None else record.id,
    )
    return status.model_copy(update={"answers": (*status.answers, answer)})
