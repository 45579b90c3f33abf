"""How far the ticks of a rollout have been judged, and what is said after the newest of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from serinus.api import RolloutStatus
from serinus.controller.telling import with_doubts
from serinus.judge import Finding, State, Tick, Verdict, answer, elevated, lasting_hold
from serinus.metrics import Doubt, Grid, Inquiry
from serinus.rollout import NO_TRAIL, Judged, Plan, Trail


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
class Newest:
    """The newest tick that has been judged, and what else was seen in it."""

    tick: Tick
    window: int
    finding: Finding
    doubts: tuple[Doubt, ...]
    lost: Verdict | None
    """That of the breaker (I3)."""

    @property
    def rolls_back(self) -> bool:
        """Whether it ends the rollout."""
        return self.finding is Finding.ROLLBACK or self.lost is not None

    @property
    def lasting_hold(self) -> str | None:
        """The reason of its verdict, if that is a hold as there may be many in a row.

        None for any other, and where something about the evidence has to be told.
        """
        return None if self.doubts or self.lost is not None else lasting_hold(self.finding)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the ticks after a rollout's cursor have been judged: `trail` has them, `state` is that after the last."""

    rollout: str
    cursor: datetime | None
    trail: Trail = NO_TRAIL
    state: State | None = None
    until: datetime | None = None
    """The end of the last of them; None where none has been judged yet."""
    newest: Newest | None = None
    """The last of them; None where none has been judged yet, or some are left."""
    ends: tuple[float, ...] = ()
    """The ends of those that were judged in the last turn (Unix time)."""
    is_all: bool = True
    """Whether no complete tick is left. Else the others have their turn first, and nothing is decided meanwhile."""

    @classmethod
    def start(cls, rollout: RolloutStatus, trail: Trail = NO_TRAIL, known: Known | None = None) -> "Progress":
        """At the cursor, where `known` is the judge's state and `trail` ends."""
        return cls(rollout.id, rollout.judged_until, trail, known.state if known else None)

    def is_of(self, rollout: RolloutStatus) -> bool:
        """Whether it is of this rollout and cursor."""
        return (self.rollout, self.cursor) == (rollout.id, rollout.judged_until)

    def next_start(self, rollout: RolloutStatus, grid: Grid) -> float | None:
        """Where the next tick to judge begins; None while no weight of the rollout has been on the mesh."""
        return self.until.timestamp() if self.until else first_tick_start(rollout, grid)

    def next_look(self, plan: Plan, rollout: RolloutStatus, grid: Grid) -> float | None:
        """When the evidence of the next tick is complete."""
        start = self.next_start(rollout, grid)
        if start is None:
            return None
        is_elevated = self.state is not None and elevated(plan.judged_by, self.state)
        return grid.complete_at(grid.next_end(start, elevated=is_elevated))

    def in_words(self, plan: Plan, asked: Sequence[Inquiry]) -> tuple[Judged, Trail] | None:
        """The judge's answer after the newest tick, and the trail with it; None where there is none.

        Only the newest is put into words: nobody reads what would have been said of those before it.
        """
        if self.newest is None or self.state is None or self.until is None:
            return None
        newest = self.newest
        rows, verdict = answer(plan.judged_by, self.state, newest.tick, newest.finding, window=newest.window)
        judged = Judged(
            at=self.until,
            state=self.state,
            rows=rows,
            verdict=verdict if verdict.verdict == "rollback" else newest.lost or with_doubts(verdict, newest.doubts),
            queries={each.name: each.question.text for each in asked[1:]},
            reporters={each.name: each.reporter for each in asked[1:] if each.reporter is not None},
        )
        # The trail keeps the judge's own verdict, which can be given again from its evidence.
        return judged, self.trail.answered(verdict, self.until)


def first_tick_start(rollout: RolloutStatus, grid: Grid) -> float | None:
    """Where the first tick after a rollout's cursor begins; None while no weight of it has been on the mesh."""
    if rollout.judged_until is not None:
        return rollout.judged_until.timestamp()
    return None if rollout.step_started_at is None else grid.start(rollout.step_started_at.timestamp())
