"""Evidence for the ticks since the cursor, judged in order."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from serinus.api import RolloutStatus
from serinus.judge import GUARD, Counts, Evidence, Missing, State, Tick, elevated, judge
from serinus.metrics import Arms, Grid, Prometheus, collect, history
from serinus.rollout import Judged, Plan, judge_policy

_CATCH_UP = 240  # slots that are read again after a gap; older ones count as missing
_WHOLE = 100


async def judge_new_ticks(
    plan: Plan, rollout: RolloutStatus, weight: int, arms: Arms, prometheus: Prometheus, grid: Grid, now: float
) -> Judged | None:
    """Judge each complete tick after the cursor; None when there is none. Stops at the first rollback.

    After a restart the ticks since the cursor are read again, so the wealth is the same as if nothing had happened.
    """
    start = first_tick_start(rollout, grid)
    if start is None:
        return None
    policy = judge_policy(plan.policy, plan.planned_ticks())
    if rollout.judge:
        state = State.unpack(rollout.judge, policy)
    elif grid.complete_at(grid.next_end(start, elevated=False)) > now:
        return None
    else:
        past = await history(prometheus, arms, start)
        state = State.start(policy, dict(_by_metric(plan, past)))
    judged = None
    end = start
    while grid.complete_at(end := grid.next_end(end, elevated=elevated(policy, state))) <= now:
        if end < now - _CATCH_UP * grid.interval:
            seen = Evidence(missing=Missing.UNREACHABLE)
        else:
            seen = await collect(prometheus, arms, start, end, weight=weight)
        if seen.missing is Missing.STALE and not grid.is_boundary(end):
            continue  # nothing was scraped since the last look: the next one takes both
        tick, window = _tick(plan, rollout, seen, start, end)
        state, rows, verdict = judge(policy, state, tick, window=window)
        judged = Judged(datetime.fromtimestamp(end, tz=UTC), state, rows, verdict)
        if verdict.verdict == "rollback":
            break
        start = end
    return judged


def first_tick_start(rollout: RolloutStatus, grid: Grid) -> float | None:
    """Where the next tick to judge begins; None while no weight of the rollout has been on the mesh."""
    if rollout.judged_until is not None:
        return rollout.judged_until.timestamp()
    return None if rollout.step_started_at is None else grid.start(rollout.step_started_at.timestamp())


def next_look(plan: Plan, rollout: RolloutStatus, grid: Grid) -> float | None:
    """When the evidence of the next tick is complete."""
    start = first_tick_start(rollout, grid)
    if start is None:
        return None
    policy = judge_policy(plan.policy, plan.planned_ticks())
    is_elevated = bool(rollout.judge) and elevated(policy, State.unpack(rollout.judge, policy))
    return grid.complete_at(grid.next_end(start, elevated=is_elevated))


def _tick(plan: Plan, rollout: RolloutStatus, seen: Evidence, start: float, end: float) -> tuple[Tick, int]:
    """The tick for the judge, and its step's window in slots."""
    # Between a decision and its weights on the mesh, and in the slot in between, either weight may have ruled.
    straddles = rollout.step_started_at is None or start < rollout.step_started_at.timestamp()
    number = max(rollout.step - 1, 0) if straddles else rollout.step
    step = plan.ladder[number]
    tick = Tick(
        step=number,
        evidence=dict(_evidence(plan, replace(seen, straddles=straddles))),
        length=(end - start) / plan.interval.total_seconds(),
        bake=step.weight == _WHOLE and not straddles,
    )
    return tick, math.ceil(step.window / plan.interval)


def _evidence(plan: Plan, errors: Evidence) -> Iterator[tuple[str, Evidence]]:
    """Each metric's evidence from one count of requests and errors, and the guard's."""
    yield GUARD, errors
    for metric in plan.policy.metrics:
        canary, stable = _of(metric.template, errors.canary), _of(metric.template, errors.stable)
        yield metric.name, replace(errors, canary=canary, stable=stable)


def _by_metric(plan: Plan, errors: Counts) -> Iterator[tuple[str, Counts]]:
    yield GUARD, errors
    for metric in plan.policy.metrics:
        yield metric.name, _of(metric.template, errors)


def _of(template: str | None, errors: Counts) -> Counts:
    return Counts(errors.n, errors.n - errors.x) if template == "istio-success" else errors
