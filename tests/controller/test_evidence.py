"""Ticks since the cursor: judged in order, the same after a gap as live, and no further than a rollback."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from serinus.api import RolloutStatus
from serinus.controller import evidence
from serinus.controller.batches import Batches
from serinus.controller.evidence import judge_new_ticks
from serinus.controller.pace import Pace
from serinus.controller.progress import Known, Progress
from serinus.judge import GUARD, Missing
from serinus.metrics import Arm, Arms, Desk, Grid, Prometheus, SourceError, inquiries
from serinus.metrics.answers import Row, Vector
from serinus.rollout import Judged
from serinus.rollout.tick_record import TickRecord
from tests.rollout.conftest import subject

PLAN = subject().plan
ARMS = Arms(
    "ml",
    "h",
    "source",
    stable=Arm("stable", (("destination_version", "v1"),)),
    canary=Arm("canary", (("destination_version", "v2"),)),
)
GRID = Grid(interval=15, lateness=1)
START = 1_795_000_005.0
"""The start of a slot."""


@dataclass
class History:
    """What a Prometheus remembers: per second, 90 requests to stable and 10 to canary; a share of its fail."""

    bad_from: float = float("inf")
    queries: int = 0
    ranges: int = 0
    has_ranges: bool = True
    behind: float = 0.0
    """Seconds by which its clock is behind ours."""
    scrape: float | None = None
    """Seconds between two scrapes; None for one just before whenever it is asked."""

    async def query(self, promql: str, at: float) -> Vector:
        self.queries += 1
        return Vector.of(self._rows(at, _length(promql)))

    async def query_range(self, promql: str, start: float, end: float, step: float) -> Mapping[float, list[Row]]:
        self.ranges += 1
        if not self.has_ranges:
            raise SourceError(Missing.UNREACHABLE, "no ranges here")
        if end <= START:
            return {}
        times = [start + number * step for number in range(round((end - start) / step) + 1)]
        return {time: self._rows(time, step) for time in times}

    def _rows(self, at: float, length: float) -> list[Row]:
        rows = []
        for version, code in (("v1", "200"), ("v1", "500"), ("v2", "200"), ("v2", "500")):
            rise = self._count(version, code, at) - self._count(version, code, at - length)
            rows += [row(version, rise, response_code=code)]
        scraped = self._seen(at) if self.scrape else at - 0.3
        told = Row({"destination_service": "", "serinus_of": "scrape duration"}, 0.4)
        return [*rows, told, *(row(version, scraped, serinus_what="scraped") for version in ("v1", "v2"))]

    def _seen(self, time: float) -> float:
        """Of which moment the server's numbers are."""
        return START + (time - START) // self.scrape * self.scrape if self.scrape else time

    def _count(self, version: str, code: str, time: float) -> int:
        time = self._seen(time)
        elapsed, failed = time - START, max(0.0, time - self.bad_from) * 3
        if version == "v1":
            return round(90 * elapsed) if code == "200" else round(elapsed * 0.1)
        return round(10 * elapsed - failed) if code == "200" else round(failed)


def _length(promql: str) -> float:
    """Of the tick that is asked about: the first offset into the past of an exact question, a plain one's step."""
    found = re.search(r"(?:offset |:)(\d+)ms", promql)
    assert found
    return int(found[1]) / 1000


def row(version: str, value: float, **labels: str) -> Row:
    return Row({"destination_service": "h", "destination_version": version, **labels}, value)


def rollout(**fields: object) -> RolloutStatus:
    started = datetime.fromtimestamp(START, tz=UTC)
    return RolloutStatus(
        id="r", started_at=started, release="x", policy_hash="x", snapshot=PLAN.pack(), step_started_at=started
    ).model_copy(update=fields)


async def all_turns(desk: Desk, at: RolloutStatus, now: float) -> list[Progress]:
    """Turn after turn until no complete tick is left."""
    turns = [Progress.start(at, known=Known.of(PLAN, at, None))]
    while len(turns) == 1 or not turns[-1].is_all:
        asked = inquiries(PLAN.policy, ARMS)
        turns.append(await judge_new_ticks(PLAN, at, 10, asked, desk, GRID, now, turns[-1], Batches(Pace())))
    return turns


async def through(desk: Desk, at: RolloutStatus, now: float) -> Judged | None:
    """The answer after the newest."""
    return answer_of((await all_turns(desk, at, now))[-1])


def answer_of(progress: Progress) -> Judged | None:
    told = progress.in_words(PLAN, inquiries(PLAN.policy, ARMS))
    return told[0] if told else None


def next_look(at: RolloutStatus) -> float | None:
    return Progress.start(at, known=Known.of(PLAN, at, None)).next_look(PLAN, at, GRID)


def ticks_of(history: History, at: RolloutStatus, now: float) -> Sequence[TickRecord]:
    """What the trail has of them."""
    told = asyncio.run(all_turns(Desk(cast(Prometheus, history)), at, now))[-1].in_words(PLAN, ())
    assert told is not None
    record = told[1].record()
    assert record is not None
    return record.ticks


def judged(history: History, at: RolloutStatus, now: float) -> Judged | None:
    return asyncio.run(through(Desk(cast(Prometheus, history)), at, now))


def after(state: RolloutStatus, answer: Judged) -> RolloutStatus:
    return state.model_copy(update={"judged_until": answer.at, "judge": answer.state.pack()})


@pytest.mark.parametrize("bad_from", [float("inf"), START + 100])
def test_after_a_gap_the_evidence_is_the_same_as_live_I4(bad_from: float) -> None:
    history, live, answer = History(bad_from), rollout(), None
    now = START
    while now < START + 600 and (answer is None or answer.verdict.verdict != "rollback"):
        now += 1
        found = judged(history, live, now)
        if found is not None:
            answer, live = found, after(live, found)
    gap = judged(History(bad_from), rollout(), now)
    assert answer is not None
    assert gap is not None
    assert (gap.at, gap.state.pack(), gap.verdict) == (answer.at, answer.state.pack(), answer.verdict)
    assert (gap.verdict.verdict == "rollback") == (bad_from < START + 600)


def test_nothing_is_asked_before_the_tick_is_complete() -> None:
    history = History()
    assert judged(history, rollout(), START + 15.9) is None
    assert history.queries == 0
    assert next_look(rollout()) == START + 16


def test_what_is_the_future_for_the_server_is_not_judged_I3() -> None:
    """Our clock has been set an hour forward: no tick of that hour counts as one without data."""
    answer = judged(History(behind=3600), rollout(), START + 3600 + 40)
    assert answer is not None
    assert answer.at == datetime.fromtimestamp(START + 30, tz=UTC)


def test_ticks_are_judged_up_to_the_first_rollback() -> None:
    answer = judged(History(bad_from=START), rollout(), START + 600)
    assert answer is not None
    assert answer.verdict.verdict == "rollback"
    assert answer.at < datetime.fromtimestamp(START, tz=UTC) + timedelta(seconds=60)


def test_elevated_errors_are_looked_at_more_often_R07() -> None:
    history = History(bad_from=START + 12)
    answer = judged(history, rollout(), START + 16)
    assert answer is not None
    assert next_look(after(rollout(), answer)) == START + 15 + 3 + 1
    assert next_look(after(rollout(), judged(History(), rollout(), START + 16))) == START + 31  # type: ignore[arg-type]


def test_elevated_looks_between_two_scrapes_see_nothing_and_count_as_none_R07() -> None:
    """A look every 3 s after second 15, and scrapes in seconds 12 and 24: the third look takes all since the tick."""
    history = History(bad_from=START + 9, scrape=12)
    first = judged(history, rollout(), START + 16)
    assert first is not None
    (tick,) = ticks_of(history, after(rollout(), first), START + 25.5)
    assert tick.evidence[GUARD].missing is None
    assert tick.length == pytest.approx(9 / 15)


def test_what_was_asked_of_each_metric_is_told_with_its_numbers() -> None:
    answer = judged(History(), rollout(), START + 16)
    assert answer is not None
    assert answer.queries.keys() == {metric.name for metric in PLAN.policy.metrics}
    assert all('{reporter="source",destination_service="h",' in query for query in answer.queries.values())
    assert set(answer.reporters.values()) == {"source"}


def test_how_long_scrapes_take_is_remembered_for_the_next_ticks() -> None:
    desk = Desk(cast(Prometheus, History()))
    asyncio.run(through(desk, rollout(), START + 16))
    assert desk.scrape_duration == 0.4


def test_a_tick_in_which_the_weight_changed_is_marked() -> None:
    """The first step's weight came in the middle of a slot: its evidence cannot promote."""
    middle = rollout(step_started_at=datetime.fromtimestamp(START + 7, tz=UTC))
    answer = judged(History(), middle, START + 16)
    assert answer is not None
    assert answer.verdict.reason == "WeightChanging"


def test_ticks_too_long_ago_count_as_missing_and_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_CATCH_UP", 60)
    history = History()
    ticks = ticks_of(history, rollout(), START + 15 * 75)
    assert history.queries == 0
    assert history.ranges == 2, "one for the past before the rollout, one for the gap"
    assert [tick.evidence[GUARD].missing for tick in ticks] == [Missing.UNREACHABLE] * 14 + [None] * 60


def test_a_long_gap_is_read_tick_by_tick_where_the_server_gives_no_range() -> None:
    ranges, ticks = History(), History(has_ranges=False)
    whole, single = judged(ranges, rollout(), START + 15 * 60), judged(ticks, rollout(), START + 15 * 60)
    assert whole is not None
    assert single is not None
    assert whole.state.pack() == single.state.pack()


async def side_by_side(canaries: int, now: float) -> tuple[History, list[list[Progress]]]:
    """Canaries with the same ticks to read take their turns one after the other, as after a restart."""
    history = History()
    desk = Desk(cast(Prometheus, history))
    asked = [inquiries(PLAN.policy, replace(ARMS, host=f"h{number}")) for number in range(canaries)]
    turns: list[list[Progress]] = [[] for _ in asked]
    while any(not each or not each[-1].is_all for each in turns):
        for each, questions in zip(turns, asked, strict=True):
            so_far = each[-1] if each else Progress.start(rollout())
            each.append(await judge_new_ticks(PLAN, rollout(), 10, questions, desk, GRID, now, so_far, Batches(Pace())))
    return history, turns


def test_a_short_gap_is_read_a_tick_a_turn_and_together_with_those_who_have_the_same() -> None:
    """As many queries for fifty canaries as for one, although each turn begins when the one before has ended."""
    (one, _), (fifty, turns) = (asyncio.run(side_by_side(canaries, START + 15 * 6)) for canaries in (1, 50))
    assert one.queries == fifty.queries
    for each in turns:
        assert [progress.ends for progress in each] == [(), *((START + 15 * number,) for number in range(1, 6))]
        assert [answer_of(progress) is not None for progress in each] == [progress.is_all for progress in each]
        assert [progress.is_all for progress in each] == [False] * 5 + [True]


def test_a_rollback_is_answered_although_newer_ticks_are_left() -> None:
    turns = asyncio.run(all_turns(Desk(cast(Prometheus, History(bad_from=START))), rollout(), START + 15 * 6))
    answer = answer_of(turns[-1])
    assert answer is not None
    assert answer.verdict.verdict == "rollback"
    assert answer.at < datetime.fromtimestamp(START + 15 * 5, tz=UTC)


def test_how_far_a_tick_is_on_its_way_to_a_rollback_is_what_the_comparison_says_of_its_worst_row() -> None:
    history = History(bad_from=START + 40)
    for now in (START + 31, START + 46, START + 61):
        answer = judged(history, rollout(), now)
        assert answer is not None
        worst = max(row.rollback for row in answer.rows)
        assert ticks_of(history, rollout(), now)[-1].rollback == round(worst, 3)


def test_progress_is_of_one_cursor_alone() -> None:
    """Somebody else may have written the status meanwhile."""
    progress = Progress.start(rollout())
    assert progress.is_of(rollout())
    assert not progress.is_of(rollout(judged_until=datetime.fromtimestamp(START + 45, tz=UTC)))
    assert not progress.is_of(rollout(id="another"))
