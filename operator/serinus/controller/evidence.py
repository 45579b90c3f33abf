"""Evidence for the ticks since the cursor, judged in order."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from serinus.api import RolloutStatus
from serinus.controller.batches import Batches
from serinus.controller.progress import Newest, Progress
from serinus.controller.telling import unreachable
from serinus.judge import (
    GUARD,
    Case,
    Evidence,
    Missing,
    State,
    Tick,
    Verdict,
    elevated,
)
from serinus.metrics import (
    Collected,
    Desk,
    Grid,
    Inquiry,
    Reach,
    Reader,
    Slot,
    catch_up,
    collect,
    history,
    past_reach,
)
from serinus.rollout import JudgedTick, Plan

_CATCH_UP = 1000  # slots that are read again after a gap; older ones count as missing
_SHARED = 40  # slots that a gap may have to be read together with others
_WHOLE = 100
_MORE_LOST = 0.02  # by how much the share of requests that reach no workload may rise: R23's default of an error rate


async def judge_new_ticks(
    plan: Plan,
    rollout: RolloutStatus,
    weight: int,
    asked: Sequence[Inquiry],
    desk: Desk,
    grid: Grid,
    now: float,
    so_far: Progress,
    batches: Batches,
) -> Progress:
    """Judge the complete ticks after those judged `so_far`. Stops at the first rollback.

    After a restart the ticks since the cursor are read again, so the wealth is the same as if nothing had happened.
    Then many have the same ticks to read. So that they share the queries they go through them side by side, a tick a
    turn; a long gap is read alone and at once.
    """

    def is_due(end: float) -> bool:
        # What is the future for the server is none: there our clock has been set forward.
        return grid.complete_at(end) <= now and end + desk.behind <= now

    policy, state = plan.judged_by, so_far.state
    start = so_far.next_start(rollout, grid)
    is_elevated = state is not None and elevated(policy, state)
    if start is None or not is_due(first_end := grid.next_end(start, elevated=is_elevated)):
        return replace(so_far, ends=(), is_all=True)
    gap = grid.whole_slots(max(start, now - (_CATCH_UP + 1) * grid.interval), now)
    is_long = len(gap) > _SHARED
    is_alone = is_long or is_elevated  # who may have to be rolled back waits for nobody
    if not is_alone and not desk.expects((each.question for each in asked), Slot(start, first_end)):
        return replace(so_far, ends=(), is_all=False)
    if state is None:
        state = State.start(policy, await history(desk, asked, start, grid.interval))
    reader: Reader = desk
    if is_long:
        reader = await catch_up(desk, list(dict.fromkeys(each.question for each in asked)), gap)
    trail, newest, ends = so_far.trail, so_far.newest, []
    end = start
    while is_due(end := grid.next_end(end, elevated=elevated(policy, state))):
        slot = Slot(start, end)
        if end < now - _CATCH_UP * grid.interval:
            seen = Collected({each.name: Evidence(missing=Missing.UNREACHABLE) for each in asked})
        else:
            seen = await collect(reader, asked, slot, weight=weight, silence=desk.silence)
            desk.scrape_duration = seen.scrape_duration or desk.scrape_duration
        if seen.evidence[GUARD].missing is Missing.STALE and not grid.is_boundary(end):
            continue  # nothing was scraped since the last look: the next one takes both
        case = _case(plan, rollout, state, seen, slot)
        settled = await batches.settle(policy, case)
        ended = datetime.fromtimestamp(end, tz=UTC)
        trail = trail.after(JudgedTick(state, case.tick, case.window, ended, settled.nearest))
        state = settled.state
        lost = await _lost(desk, asked, seen.reach, rollout, weight, case.tick, grid)
        newest = Newest(case.tick, case.window, settled.finding, seen.doubts, lost)
        start = end
        ends.append(end)
        if lost is not None or settled.rolls_back:
            break
        is_elevated = elevated(policy, state)
        if not is_alone and not is_elevated and is_due(grid.next_end(end, elevated=False)):
            return replace(so_far, trail=trail, state=state, until=ended, newest=None, ends=tuple(ends), is_all=False)
    until = datetime.fromtimestamp(start, tz=UTC) if ends else so_far.until
    return replace(so_far, trail=trail, state=state, until=until, newest=newest, ends=tuple(ends), is_all=True)


async def _lost(
    desk: Desk,
    asked: Sequence[Inquiry],
    reach: Reach | None,
    rollout: RolloutStatus,
    weight: int,
    tick: Tick,
    grid: Grid,
) -> Verdict | None:
    """The breaker's verdict where the canary's requests reach nobody (I3)."""
    if reach is None or tick.bake or any(found.straddles for found in tick.evidence.values()):
        return None
    # Asked twice, for the past is worth a query only where the present looks bad.
    if not reach.is_lost(weight, Reach(), _MORE_LOST):
        return None
    before = await past_reach(desk, asked[0], grid.start(rollout.started_at.timestamp()), grid.interval)
    return unreachable(reach, before, weight) if reach.is_lost(weight, before, _MORE_LOST) else None


def _case(plan: Plan, rollout: RolloutStatus, before: State, seen: Collected, slot: Slot) -> Case:
    """The slot's tick for the judge."""
    # Between a decision and its weights on the mesh, and in the slot in between, either weight may have ruled.
    straddles = rollout.step_started_at is None or slot.start < rollout.step_started_at.timestamp()
    number = max(rollout.step - 1, 0) if straddles else rollout.step
    step = plan.ladder[number]
    tick = Tick(
        step=number,
        evidence={name: replace(found, straddles=straddles) for name, found in seen.evidence.items()},
        length=slot.seconds / plan.interval.total_seconds(),
        bake=step.weight == _WHOLE and not straddles,
    )
    return Case(before, tick, window=math.ceil(step.window / plan.interval))
