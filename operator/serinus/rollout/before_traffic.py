"""Before any user meets the canary: subsets and weights are brought to the start, and the canary is warmed up."""

from datetime import datetime, timedelta

from serinus.api import CanaryDeploymentStatus
from serinus.rollout.asking import ask_before
from serinus.rollout.capacity import lacking_capacity
from serinus.rollout.changes import decision_id, in_rollout, moved, recorded, rollout_of, saying
from serinus.rollout.ends import fail
from serinus.rollout.gates import held_message, is_held
from serinus.rollout.intents import PointSubset
from serinus.rollout.phases import Event
from serinus.rollout.preparation import next_preparation
from serinus.rollout.steps import rise
from serinus.rollout.turn import Outcome, Turn
from serinus.rollout.warm_up import call_due
from serinus.rollout.weights import set_weight

_LOOK_AGAIN = timedelta(seconds=5)  # at endpoints, which wake nobody when they change


def pending(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """Subsets and weights are brought to the start, one change at a time, each given time to settle."""
    rollout = rollout_of(status)
    if rollout.decision not in ("", turn.live.decision):
        return Outcome(status, set_weight(turn.live, status.weight, rollout.decision))
    if rollout.settling_since is not None:
        settled = rollout.settling_since + turn.timing.settle
        if turn.now < settled:
            return Outcome(status, wake=settled)
    decision = decision_id(rollout, "prepare")
    intent = next_preparation(turn.plan, turn.live, decision)
    if intent is None:
        warm = in_rollout(status, settling_since=None)
        return warming_up(turn, moved(warm, Event.PREPARED, weight=0))
    changing = in_rollout(status, settling_since=turn.now)
    wake = turn.now + turn.timing.settle
    if isinstance(intent, PointSubset):
        return Outcome(changing, intent, wake=wake)
    told = "all traffic to stable before the first step"
    changing, record = recorded(turn, changing, "prepare", "BackToStable", told, weight_after=0)
    changing = in_rollout(changing, decision=decision).model_copy(update={"weight": 0})
    return Outcome(changing, intent, (record,), wake)


def warming_up(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """The canary's time and requests before any traffic that counts (R09); then the first step at once."""
    if found := _not_ready(turn):
        return _waiting_until_ready(turn, status, *found)
    started = rollout_of(status).warm_up_started_at or turn.now
    status = in_rollout(status, warm_up_started_at=started)
    warm_up = rollout_of(status).warm_up
    if warm_up is not None and warm_up.failure:
        told = f"rolled back: {warm_up.failure}; no user has met the canary"
        return fail(turn, status, Event.WARM_UP_FAILED, "WarmUpFailed", told, verdict="rollback")
    if is_held(turn, status):
        return Outcome(saying(status, turn.now, "Paused", f"before the first step: {held_message(turn, status)}"))
    return _while_cold(turn, status, started + turn.plan.warm_up) or _first_step(turn, status)


def _while_cold(turn: Turn, status: CanaryDeploymentStatus, until: datetime) -> Outcome | None:
    """What the warm-up still needs: answers to its requests, and time `until` it is over. None when it has both."""
    if (call := call_due(turn.subject, status)) is not None:
        told = "the canary's endpoints are sent requests before any user's"
        return Outcome(saying(status, turn.now, "WarmingUp", told), wake=turn.now + _LOOK_AGAIN, warm_up=call)
    if turn.now < until:
        return Outcome(saying(status, turn.now, "WarmingUp", "warming up before any traffic"), wake=until)
    return None


def _first_step(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    weight = turn.plan.ladder[0].weight
    if told := lacking_capacity(turn, weight):
        return _before_deadline(turn, saying(status, turn.now, "WaitingForCapacity", told))
    if refused := ask_before(turn, status, [("start", 0), ("beforeStep", 0)], weight):
        return refused
    warm_up = rollout_of(status).warm_up
    answered = f", {warm_up.answered} requests to {warm_up.endpoints} endpoints answered" if warm_up else ""
    return rise(turn, status, 0, "start", "WarmedUp", f"warmed up{answered}: the first step begins")


def _not_ready(turn: Turn) -> tuple[str, str] | None:
    """Why there is nothing to warm up yet: reason and message."""
    workloads, canary = turn.plan.workloads, turn.live.canary_workload
    if workloads is not None and canary is None:
        where = f"there is no {workloads.canary} in namespace {turn.subject.namespace}"
        return "WaitingForWorkload", f"spec.workloads.canary: {where}"
    if workloads is not None and canary is not None and (not canary.rolled_out or not canary.wanted):
        told = f"{workloads.canary} has {canary.ready} of {canary.wanted} replicas ready, or older ones are still there"
        return "WaitingForWorkload", told if canary.wanted else f"{workloads.canary} has no replicas: scale it up"
    if turn.live.canary_ready == 0:
        return "WaitingForEndpoints", f"the canary's subset {turn.plan.canary.subset!r} has no ready endpoint"
    return None


def _waiting_until_ready(turn: Turn, status: CanaryDeploymentStatus, reason: str, told: str) -> Outcome:
    """The warm-up's time counts from the moment at which there is something to warm up."""
    if rollout_of(status).warm_up_started_at is not None:
        status = in_rollout(status, warm_up_started_at=None, warm_up=None)
    return _before_deadline(turn, saying(status, turn.now, reason, told))


def _before_deadline(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """Waiting on, until the deadline where the spec says that it ends the rollout."""
    deadline = turn.subject.deadline
    expires = rollout_of(status).started_at + deadline if deadline is not None else None
    if expires is None or turn.now < expires or not turn.subject.rolls_back_undecided:
        return Outcome(status, wake=turn.now + _LOOK_AGAIN)
    waited = status.verdict.message if status.verdict else ""
    told = f"the deadline passed and the canary was never ready: {waited}; no user has met it"
    return fail(turn, status, Event.NEVER_READY, "CanaryNeverReady", told)
