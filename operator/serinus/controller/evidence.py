"""Evidence for the ticks since the cursor, judged in order."""

import math
from dataclasses import replace
from datetime import UTC, datetime

from serinus.api import RolloutStatus
from serinus.judge import GUARD, Counts, Evidence, Missing, Row, State, Tick, Verdict, judge
from serinus.metrics import Arms, Grid, Prometheus, collect, history
from serinus.rollout import Judged, Plan, judge_policy

_CATCH_UP = 240  # slots that are read again after a gap; older ones count as missing

_Answer = tuple[State, tuple[Row, ...], Verdict]


async def judge_new_ticks(
    plan: Plan, rollout: RolloutStatus, weight: int, arms: Arms, prometheus: Prometheus, grid: Grid, now: float
) -> Judged | None:
    """Judge each complete slot after the cursor; None when there is none. Stops at the first rollback.

    After a restart the slots since the cursor are read again, so the wealth is the same as if nothing had happened.
    """
    if rollout.cursor is None and rollout.step_started_at is None:
        return None
    started = rollout.step_started_at.timestamp() if rollout.step_started_at else None
    first = rollout.cursor + 1 if rollout.cursor is not None else grid.slot(started or now)
    newest = grid.newest_complete(now)
    if first > newest:
        return None
    policy = judge_policy(plan)
    if rollout.judge:
        state = State.unpack(rollout.judge, policy)
    else:
        past = await history(prometheus, arms, grid.start(first))
        state = State.start(policy, _by_metric(plan, past))
    answer: _Answer | None = None
    slot = first
    for slot in range(first, newest + 1):
        # Between a decision and its weights on the mesh, and in the slot in between, either weight may have ruled.
        straddles = started is None or grid.start(slot) < started
        step = max(rollout.step - 1, 0) if straddles else rollout.step
        window = math.ceil(plan.ladder[step].window / plan.interval)
        if slot <= newest - _CATCH_UP:
            seen = Evidence(missing=Missing.UNREACHABLE)
        else:
            seen = await collect(prometheus, arms, grid, slot, weight=weight)
        tick = Tick(slot, step, _evidence(plan, replace(seen, straddles=straddles)))
        bake = plan.ladder[step].weight == 100 and not straddles
        answer = judge(policy, state, tick, window=window, bake=bake)
        state = answer[0]
        if answer[2].verdict == "rollback":
            break
    assert answer is not None
    return Judged(slot, datetime.fromtimestamp(grid.end(slot), tz=UTC), *answer)


def _evidence(plan: Plan, errors: Evidence) -> dict[str, Evidence]:
    """Each metric's evidence from one count of requests and errors, and the guard's."""
    return {GUARD: errors} | {
        metric.name: replace(
            errors, canary=_of(metric.template, errors.canary), stable=_of(metric.template, errors.stable)
        )
        for metric in plan.policy.metrics
    }


def _by_metric(plan: Plan, errors: Counts) -> dict[str, Counts]:
    return {GUARD: errors} | {metric.name: _of(metric.template, errors) for metric in plan.policy.metrics}


def _of(template: str | None, errors: Counts) -> Counts:
    return Counts(errors.n, errors.n - errors.x) if template == "istio-success" else errors
