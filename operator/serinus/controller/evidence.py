"""Evidence for the ticks since the cursor, judged in order."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from serinus.api import RolloutStatus
from serinus.controller.telling import unreachable, with_doubts
from serinus.judge import (
    GUARD,
    Evidence,
    Missing,
    State,
    Tick,
    Verdict,
    answer,
    elevated,
    nearest_to_rollback,
    rolls_back,
    settle,
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
from serinus.rollout import NO_TRAIL, Judged, JudgedTick, Plan, Trail

_CATCH_UP = 1000  # slots that are read again after a gap; older ones count as missing
_SHARED = 20  # slots that a gap may have to be read together with others
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


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the ticks after a rollout's cursor have been judged: `trail` has them, `state` is that after the last.

    `judged` is the answer after the newest of them; None where there was no tick to judge, or some are left.
    """

    rollout: str
    cursor: datetime | None
    trail: Trail = NO_TRAIL
    state: State | None = None
    until: datetime | None = None
    """The end of the last of them; None where none has been judged yet."""
    ends: tuple[float, ...] = ()
    """The ends of those that were judged in the last turn (Unix time)."""
    is_all: bool = True
    """Whether no complete tick is left. Else the others have their turn first, and nothing is decided meanwhile."""
    judged: Judged | None = None

    @classmethod
    def start(cls, rollout: RolloutStatus, trail: Trail = NO_TRAIL, known: Known | None = None) -> "Progress":
        """At the cursor, where `known` is the judge's state and `trail` ends."""
        return cls(rollout.id, rollout.judged_until, trail, known.state if known else None)

    def is_of(self, rollout: RolloutStatus) -> bool:
        """Whether it is of this rollout and cursor."""
        return (self.rollout, self.cursor) == (rollout.id, rollout.judged_until)


async def judge_new_ticks(
    plan: Plan,
    rollout: RolloutStatus,
    weight: int,
    asked: Sequence[Inquiry],
    desk: Desk,
    grid: Grid,
    now: float,
    so_far: Progress,
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
    start = so_far.until.timestamp() if so_far.until else first_tick_start(rollout, grid)
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
    trail, ends, last = so_far.trail, [], None
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
        tick, window = _tick(plan, rollout, seen, slot)
        before, ended = state, datetime.fromtimestamp(end, tz=UTC)
        state = settle(policy, before, tick)
        trail = trail.after(JudgedTick(before, tick, window, ended, nearest_to_rollback(policy, state)))
        lost = await _lost(desk, asked, seen.reach, rollout, weight, tick, grid)
        last = _Last(tick, window, seen, lost)
        start = end
        ends.append(end)
        if lost is not None or rolls_back(policy, state):
            break
        is_elevated = elevated(policy, state)
        if not is_alone and not is_elevated and is_due(grid.next_end(end, elevated=False)):
            return replace(so_far, trail=trail, state=state, until=ended, ends=tuple(ends), is_all=False)
        await asyncio.sleep(0)  # the others' turn: a gap may be long
    if last is None:
        return replace(so_far, ends=(), is_all=True)
    # Only the newest is put into words: nobody reads what was said of those before it.
    rows, verdict = answer(policy, state, last.tick, window=last.window)
    until = datetime.fromtimestamp(start, tz=UTC)
    judged = Judged(
        at=until,
        state=state,
        rows=rows,
        verdict=verdict if verdict.verdict == "rollback" else last.lost or with_doubts(verdict, last.seen.doubts),
        queries={each.name: each.question.text for each in asked[1:]},
        reporters={each.name: each.reporter for each in asked[1:] if each.reporter is not None},
    )
    # The trail keeps the judge's own verdict, which can be given again from its evidence.
    trail = trail.answered(verdict, until)
    return replace(so_far, trail=trail, state=state, until=until, ends=tuple(ends), is_all=True, judged=judged)


@dataclass(frozen=True, slots=True)
class _Last:
    """The newest tick that has been judged, and what else was seen in it."""

    tick: Tick
    window: int
    seen: Collected
    lost: Verdict | None


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
