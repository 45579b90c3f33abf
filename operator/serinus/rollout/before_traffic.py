"""Before any user meets the canary: subsets and weights are brought to the start, and the canary is warmed up."""

from datetime import timedelta

from serinus.api import CanaryDeploymentStatus
from serinus.rollout.asking import ask_before
from serinus.rollout.changes import decision_id, in_rollout, moved, recorded, rollout_of, saying
from serinus.rollout.ends import fail
from serinus.rollout.gates import held_message, is_held
from serinus.rollout.intents import PointSubset
from serinus.rollout.phases import Event
from serinus.rollout.preparation import next_preparation
from serinus.rollout.steps import rise
from serinus.rollout.turn import Outcome, Turn
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
    """The canary's time before any traffic that counts (R09); then the first step at once."""
    if turn.live.canary_ready == 0:
        return _waiting_for_endpoints(turn, status)
    started = rollout_of(status).warm_up_started_at or turn.now
    status = in_rollout(status, warm_up_started_at=started)
    if is_held(turn, status):
        return Outcome(saying(status, turn.now, "Paused", f"before the first step: {held_message(turn, status)}"))
    until = started + turn.plan.warm_up
    if turn.now < until:
        return Outcome(saying(status, turn.now, "WarmingUp", "warming up before any traffic"), wake=until)
    if refused := ask_before(turn, status, [("start", 0), ("beforeStep", 0)], turn.plan.ladder[0].weight):
        return refused
    return rise(turn, status, 0, "start", "WarmedUp", "warmed up: the first step begins")


def _waiting_for_endpoints(turn: Turn, status: CanaryDeploymentStatus) -> Outcome:
    """The warm-up's time counts from the moment at which there is something to warm up."""
    deadline = turn.subject.deadline
    rollout = rollout_of(status)
    expires = rollout.started_at + deadline if deadline is not None else None
    if expires is not None and turn.now >= expires and turn.subject.rolls_back_undecided:
        told = "the deadline passed and the canary never had a ready endpoint; no user has met it"
        return fail(turn, status, Event.NEVER_READY, "CanaryNeverReady", told)
    if rollout.warm_up_started_at is not None:
        status = in_rollout(status, warm_up_started_at=None)
    told = f"the canary's subset {turn.plan.canary.subset!r} has no ready endpoint"
    return Outcome(saying(status, turn.now, "WaitingForEndpoints", told), wake=turn.now + _LOOK_AGAIN)
