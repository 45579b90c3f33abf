"""What a rollout is waiting for, and until when: the question of whoever looks at it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from serinus.api import Phase
from serinus.cli.seen import Seen
from serinus.cli.times import clock, spoken

_TRAFFIC = (Phase.PROGRESSING, Phase.HOLDING, Phase.PAUSED)
# Conditions that say something when they are so, and those that do when they are not.
_TOLD: tuple[tuple[str, str], ...] = (
    ("Stalled", "True"),
    ("MetricsAvailable", "False"),
    ("TrafficAligned", "False"),
    ("Undecided", "True"),
    ("PolicyChanged", "True"),
)


def waits_for(seen: Seen, now: datetime) -> list[str]:
    """Each in a sentence, with the command that ends the waiting where people can."""
    return list(_waits_for(seen, now))


def warnings(seen: Seen) -> list[str]:
    """What is not as it should be, as the conditions say it."""
    found = [(each, seen.condition(each)) for each, _ in _TOLD]
    bad = dict(_TOLD)
    return [
        f"{kind} ({condition.reason}): {condition.message}"
        for kind, condition in found
        if condition is not None and condition.status == bad[kind]
    ]


def _waits_for(seen: Seen, now: datetime) -> Iterator[str]:
    status, rollout = seen.status, seen.status.rollout
    if not seen.is_seen:
        yield "waits for the operator, which has not looked at the latest edit yet: is it running?"
    if rollout is None or status.phase.is_end:
        return
    where = f"{seen.name} -n {seen.namespace} --reason ..."
    if rollout.held_by is not None:
        yield f"held by {rollout.held_by}, until somebody resumes: serinus resume {where}"
    if seen.spec is not None and seen.spec.paused:
        yield "paused, until spec.paused is false"
    if status.phase not in _TRAFFIC or seen.plan is None:
        return
    if status.next_step_time is not None and status.next_step_time > now:
        left = spoken(status.next_step_time - now)
        yield f"the step's window ends at {clock(status.next_step_time, now)}, in {left}: no promotion before"
    elif status.phase is not Phase.PAUSED:
        yield "the step's window is over: the evidence decides"
    if seen.plan.ladder[rollout.step].gate and rollout.approved_step != rollout.step:
        yield f"the step has a gate, until somebody approves: serinus approve {where}"
    if deadline := _deadline(seen):
        after = seen.spec.when_undecided if seen.spec else "hold"
        yield f"the step's deadline is at {clock(deadline, now)}; undecided then leads to {after}"


def _deadline(seen: Seen) -> datetime | None:
    """When the step's deadline passes; deadline and what it leads to apply as the spec has them now."""
    length: timedelta | None = seen.spec.deadline if seen.spec else None
    started = seen.status.rollout.step_started_at if seen.status.rollout else None
    return None if length is None or started is None else started + length
