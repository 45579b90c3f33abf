"""Evidence for the ticks since the cursor, judged in order."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from serinus.api import RolloutStatus
from serinus.controller.telling import unreachable, with_doubts
from serinus.judge import GUARD, Evidence, Missing, State, Tick, Verdict, elevated, judge
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
from serinus.rollout import Judged, JudgedTick, Plan

_CATCH_UP = 1000  # slots that are read again after a gap; older ones count as missing
_SHARED = 20  # slots of a gap that are asked for together with others: after a restart many have the same ones to read
_WHOLE = 100
_MORE_LOST = 0.02  # by how much the share of requests that reach no workload may rise: R23's default of an error rate


@dataclass(frozen=True, slots=True)
class Known:
    """The judge's state beside the text that a status has of it: whoever has both need not unpack it."""

    packed: str
    state: State

    @classmethod
    def of(cls, plan: Plan, rollout: RolloutStatus, before: "Known | None") -> "Known | None":
        """The state of a rollout, `before` if that is it; None before its first tick. Raises StateError."""
        if not rollout.judge or (before is not None and before.packed == rollout.judge):
            return before if rollout.judge else None
        return cls(rollout.judge, State.unpack(rollout.judge, plan.judged_by))


async def judge_new_ticks(
    plan: Plan,
    rollout: RolloutStatus,
    weight: int,
    asked: Sequence[Inquiry],
    desk: Desk,
    grid: Grid,
    now: float,
    known: Known | None = None,
) -> Judged | None:
    """Judge each complete tick after the cursor; None when there is none. Stops at the first rollback.

    After a restart the ticks since the cursor are read again, so the wealth is the same as if nothing had happened.
    """
    start = first_tick_start(rollout, grid)
    if start is None:
        return None
    policy = plan.judged_by
    known = Known.of(plan, rollout, known)
    is_elevated = known is not None and elevated(policy, known.state)
    if grid.complete_at(grid.next_end(start, elevated=is_elevated)) > now:
        return None
    state = known.state if known is not None else State.start(policy, await history(desk, asked, start, grid.interval))
    reader = await _reader(desk, asked, start, grid, now)
    judged = None
    ticks: list[JudgedTick] = []
    end = start
    while grid.complete_at(end := grid.next_end(end, elevated=elevated(policy, state))) <= now:
        slot = Slot(start, end)
        if end + desk.behind > now:
            break  # for the server this is the future: our clock has been set forward
        if end < now - _CATCH_UP * grid.interval:
            seen = Collected({each.name: Evidence(missing=Missing.UNREACHABLE) for each in asked})
        else:
            seen = await collect(reader, asked, slot, weight=weight, silence=desk.silence)
            desk.scrape_duration = seen.scrape_duration or desk.scrape_duration
        if seen.evidence[GUARD].missing is Missing.STALE and not grid.is_boundary(end):
            continue  # nothing was scraped since the last look: the next one takes both
        tick, window = _tick(plan, rollout, seen, slot)
        before, ended = state, datetime.fromtimestamp(end, tz=UTC)
        state, rows, verdict = judge(policy, state, tick, window=window)
        ticks.append(JudgedTick(before, tick, window, ended, rows, verdict))
        # The trail keeps the judge's own verdict, which can be given again from its evidence.
        lost = await _lost(desk, asked, seen.reach, rollout, weight, tick, grid)
        told = verdict if verdict.verdict == "rollback" else lost or with_doubts(verdict, seen.doubts)
        judged = Judged(
            at=ended,
            state=state,
            rows=rows,
            verdict=told,
            ticks=tuple(ticks),
            queries={each.name: each.question.text for each in asked[1:]},
            reporters={each.name: each.reporter for each in asked[1:] if each.reporter is not None},
        )
        if told.verdict == "rollback":
            break
        start = end
        await asyncio.sleep(0)  # the others' turn: a gap may be long
    return judged


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


async def _reader(desk: Desk, asked: Sequence[Inquiry], start: float, grid: Grid, now: float) -> Reader:
    """Who answers: the server, or after a long gap what one query for each question brought of it."""
    whole = grid.whole_slots(max(start, now - (_CATCH_UP + 1) * grid.interval), now)
    if len(whole) <= _SHARED:
        return desk
    return await catch_up(desk, list(dict.fromkeys(each.question for each in asked)), whole)


def first_tick_start(rollout: RolloutStatus, grid: Grid) -> float | None:
    """Where the next tick to judge begins; None while no weight of the rollout has been on the mesh."""
    if rollout.judged_until is not None:
        return rollout.judged_until.timestamp()
    return None if rollout.step_started_at is None else grid.start(rollout.step_started_at.timestamp())


def next_look(plan: Plan, rollout: RolloutStatus, grid: Grid, known: Known | None = None) -> float | None:
    """When the evidence of the next tick is complete."""
    start = first_tick_start(rollout, grid)
    if start is None:
        return None
    known = Known.of(plan, rollout, known)
    is_elevated = known is not None and elevated(plan.judged_by, known.state)
    return grid.complete_at(grid.next_end(start, elevated=is_elevated))


def _tick(plan: Plan, rollout: RolloutStatus, seen: Collected, slot: Slot) -> tuple[Tick, int]:
    """The tick for the judge, and its step's window in slots."""
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
    return tick, math.ceil(step.window / plan.interval)
