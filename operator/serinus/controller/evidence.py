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
_SHARED = 20  # slots that a gap may have to be read together with others
_WHOLE = 100
_NEVER = datetime.min.replace(tzinfo=UTC)
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
    """How far the ticks since a rollout's cursor have been judged."""

    rollout: str
    cursor: datetime | None
    judged: Judged | None = None
    is_all: bool = True
    """Whether no complete tick was left. Else the others have their turn first, and nothing is decided meanwhile."""

    def is_of(self, rollout: RolloutStatus) -> bool:
        """Whether it is of this rollout and cursor."""
        return (self.rollout, self.cursor) == (rollout.id, rollout.judged_until)

    def new_since(self, before: "Progress | None") -> Sequence[JudgedTick]:
        """The ticks that had not been judged then."""
        until = before.judged.at if before is not None and before.judged is not None else _NEVER
        return [tick for tick in (self.judged.ticks if self.judged is not None else ()) if tick.end > until]


async def judge_new_ticks(
    plan: Plan,
    rollout: RolloutStatus,
    weight: int,
    asked: Sequence[Inquiry],
    desk: Desk,
    grid: Grid,
    now: float,
    known: Known | None = None,
    so_far: Progress | None = None,
) -> Progress:
    """Judge the complete ticks after the cursor, or after those judged `so_far`. Stops at the first rollback.

    After a restart the ticks since the cursor are read again, so the wealth is the same as if nothing had happened.
    Then many have the same ticks to read. So that they share the queries they go through them side by side, a tick a
    call; a long gap is read alone and at once.
    """
    progress = so_far if so_far is not None and so_far.is_of(rollout) else Progress(rollout.id, rollout.judged_until)
    judged = progress.judged
    start = judged.at.timestamp() if judged is not None else first_tick_start(rollout, grid)
    if start is None:
        return progress
    policy = plan.judged_by
    known = Known.of(plan, rollout, known)
    held = judged or known
    is_elevated = held is not None and elevated(policy, held.state)
    first = Slot(start, grid.next_end(start, elevated=is_elevated))
    if grid.complete_at(first.end) > now:
        return replace(progress, is_all=True)
    gap = grid.whole_slots(max(start, now - (_CATCH_UP + 1) * grid.interval), now)
    is_long = len(gap) > _SHARED
    if not is_long and not is_elevated and not desk.expects((each.question for each in asked), first):
        return replace(progress, is_all=False)
    state = held.state if held else State.start(policy, await history(desk, asked, start, grid.interval))
    questions = list(dict.fromkeys(each.question for each in asked))
    reader: Reader = await catch_up(desk, questions, gap) if is_long else desk
    ticks = list(judged.ticks) if judged is not None else []
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
        if not is_long and not elevated(policy, state):  # who may have to be rolled back waits for nobody
            is_all = grid.complete_at(grid.next_end(end, elevated=False)) > now
            return replace(progress, judged=judged, is_all=is_all)
        await asyncio.sleep(0)  # the others' turn: a gap may be long
    return replace(progress, judged=judged, is_all=True)


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
