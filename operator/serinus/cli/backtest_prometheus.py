"""What `serinus backtest` reads of Prometheus: window after window, both arms made of the stable."""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from numpy.random import Generator

from serinus.backtest import Split, Window, past_of, pitted, replayable, reversed_roles, split_evenly, thinned_arms
from serinus.cli.backtest_target import Target
from serinus.cli.inputs import InputError
from serinus.cli.prometheus_connection import require_answer
from serinus.judge import Evidence
from serinus.metrics import (
    POINTS,
    Desk,
    Inquiry,
    Prometheus,
    QueryError,
    Slot,
    SourceError,
    inquiries,
    pods_within,
    read_stretch,
)
from serinus.metrics.desk import Question

Ticks = tuple[Mapping[str, Evidence], ...]
Halves = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Plan:
    """The windows to read: the first begins at `begin` (Unix seconds, on the tick grid), the others follow it.

    `ticks`: of each window. `seconds`: of a tick.
    """

    begin: float
    number: int
    ticks: int
    seconds: float

    @classmethod
    def of(cls, begin: float, end: float, target: Target) -> "Plan":
        """As many windows as there is time for."""
        seconds = target.interval.total_seconds()
        ticks = math.ceil(target.window.total_seconds() / seconds)
        first = math.ceil(begin / seconds)
        return cls(first * seconds, max(0, math.floor(end / seconds) - first) // ticks, ticks, seconds)

    def slots(self, number: int) -> tuple[Slot, ...]:
        """The ticks of one window."""
        first = round(self.begin / self.seconds) + number * self.ticks
        return self._slots(first, self.ticks)

    def before(self) -> tuple[Slot, ...]:
        """The ticks before the first window that the operator would know of: as many as one query brings."""
        return self._slots(round(self.begin / self.seconds) - POINTS, POINTS)

    def _slots(self, first: int, ticks: int) -> tuple[Slot, ...]:
        numbers = range(first, first + ticks)
        return tuple(Slot(round(each * self.seconds, 3), round((each + 1) * self.seconds, 3)) for each in numbers)


async def read_windows(
    prometheus: Prometheus, target: Target, plan: Plan, rng: Generator, tell: Callable[[int], None]
) -> tuple[Window, ...]:
    """All windows of the plan; `tell` is called with each one's number before it is read.

    Raises InputError where Prometheus cannot be asked, or a query of the policy cannot be read.
    """
    metrics = tuple(each for each in target.policy.metrics if replayable(each))
    try:
        asked = inquiries(target.policy.model_copy(update={"metrics": metrics}), target.arms)
        await require_answer(prometheus, plan.begin)
        return await _windows(_Reader(Desk(prometheus), asked, rng), plan, tell)
    except (QueryError, SourceError) as error:
        raise InputError(str(error)) from error
    finally:
        await prometheus.close()


async def _windows(reader: "_Reader", plan: Plan, tell: Callable[[int], None]) -> tuple[Window, ...]:
    known: deque[Mapping[str, Evidence]] = deque(maxlen=POINTS)
    tell(0)
    ticks, splits = await reader.read(plan.before())
    known.extend(ticks)
    windows = []
    for number in range(plan.number):
        tell(number + 1)
        slots = plan.slots(number)
        past = {each.name: past_of(each, known, splits[each.question]) for each in reader.asked}
        ticks, splits = await reader.read(slots)
        # The halves take turns as the canary, for a regression is one only in that which is worse.
        played = ticks if number % 2 == 0 else tuple(map(reversed_roles, ticks))
        windows.append(Window(slots[0].start, played, past, splits[reader.asked[0].question]))
        known.extend(ticks)
    return tuple(windows)


@dataclass(frozen=True)
class _Reader:
    desk: Desk
    asked: Sequence[Inquiry]
    rng: Generator

    async def read(self, slots: Sequence[Slot]) -> tuple[Ticks, dict[Question, Split]]:
        """Each tick's evidence, and how the arms were made for each question."""
        found: list[dict[str, Evidence]] = [{} for _ in slots]
        splits = {}
        for question in dict.fromkeys(each.question for each in self.asked):
            own = [each for each in self.asked if each.question == question]
            pods = await pods_within(self.desk, question, Slot(slots[0].start, slots[-1].end))
            splits[question] = Split(len(pods))
            if splits[question].is_by_pods:
                ticks = await self._halves(own, split_evenly(pods), slots)
            else:
                ticks = await self._all(own, slots)
            for tick, evidence in zip(found, ticks, strict=True):
                tick.update(evidence)
        return tuple(found), splits

    async def _halves(
        self, asked: Sequence[Inquiry], halves: Sequence[tuple[str, ...]], slots: Sequence[Slot]
    ) -> Ticks:
        one, other = [await read_stretch(self.desk, [_of_pods(each, half) for each in asked], slots) for half in halves]
        return tuple(
            {each.name: pitted(a.evidence[each.name], b.evidence[each.name]) for each in asked}
            for a, b in zip(one, other, strict=True)
        )

    async def _all(self, asked: Sequence[Inquiry], slots: Sequence[Slot]) -> Ticks:
        seen = await read_stretch(self.desk, asked, slots)
        return tuple({each.name: thinned_arms(tick.evidence[each.name], self.rng) for each in asked} for tick in seen)


def _of_pods(inquiry: Inquiry, pods: tuple[str, ...]) -> Inquiry:
    return replace(inquiry, question=inquiry.question.of_pods(pods))
