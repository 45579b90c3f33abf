"""Ticks since the cursor: judged in order, the same after a gap as live, and no further than a rollback."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from serinus.api import RolloutStatus
from serinus.controller.evidence import judge_new_ticks, next_look
from serinus.metrics import Arms, Grid
from serinus.metrics.source import Sample
from serinus.rollout import Judged
from tests.rollout.conftest import subject

PLAN = subject().plan
ARMS = Arms("h", "source", stable=(("destination_version", "v1"),), canary=(("destination_version", "v2"),))
GRID = Grid(interval=15, lateness=1)
START = 1_795_000_005.0
"""The start of a slot."""


@dataclass
class History:
    """What a Prometheus remembers: per second, 90 requests to stable and 10 to canary; a share of its fail."""

    bad_from: float = float("inf")
    queries: int = 0
    ends: list[float] = field(default_factory=list)

    async def query(self, promql: str, at: float) -> list[Sample]:
        self.queries += 1
        if "offset" not in promql:
            return []
        length = float(promql.split("offset ")[1].split("ms", maxsplit=1)[0]) / 1000
        self.ends.append(at)
        samples = [sample("scraped", at - 0.3)]
        for part, time in (("end", at), ("start", at - length)):
            elapsed = time - START
            failed = max(0.0, time - self.bad_from) * 3
            samples += [sample(part, round(90 * elapsed), "v1", "200"), sample(part, round(elapsed * 0.1), "v1", "500")]
            samples += [
                sample(part, round(10 * elapsed - failed), "v2", "200"),
                sample(part, round(failed), "v2", "500"),
            ]
        return samples


def sample(part: str, value: float, version: str = "", code: str = "") -> Sample:
    labels = {"serinus_at": part, "job": "j", "instance": "i"}
    labels |= {"destination_version": version, "response_code": code} if version else {}
    return Sample(tuple(sorted(labels.items())), value)


def rollout(**fields: object) -> RolloutStatus:
    started = datetime.fromtimestamp(START, tz=UTC)
    return RolloutStatus(
        id="r", started_at=started, release="x", policy_hash="x", snapshot=PLAN.pack(), step_started_at=started
    ).model_copy(update=fields)


def judged(history: History, at: RolloutStatus, now: float) -> Judged | None:
    return asyncio.run(judge_new_ticks(PLAN, at, 10, ARMS, history, GRID, now))  # type: ignore[arg-type]


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
    assert next_look(PLAN, rollout(), GRID) == START + 16


def test_ticks_are_judged_up_to_the_first_rollback() -> None:
    answer = judged(History(bad_from=START), rollout(), START + 600)
    assert answer is not None
    assert answer.verdict.verdict == "rollback"
    assert answer.at < datetime.fromtimestamp(START, tz=UTC) + timedelta(seconds=60)


def test_elevated_errors_are_looked_at_more_often_R07() -> None:
    history = History(bad_from=START + 12)
    answer = judged(history, rollout(), START + 16)
    assert answer is not None
    assert next_look(PLAN, after(rollout(), answer), GRID) == START + 15 + 3 + 1
    assert next_look(PLAN, after(rollout(), judged(History(), rollout(), START + 16)), GRID) == START + 31  # type: ignore[arg-type]


def test_a_tick_in_which_the_weight_changed_is_marked() -> None:
    """The first step's weight came in the middle of a slot: its evidence cannot promote."""
    middle = rollout(step_started_at=datetime.fromtimestamp(START + 7, tz=UTC))
    answer = judged(History(), middle, START + 16)
    assert answer is not None
    assert answer.verdict.reason == "WeightChanging"


def test_ticks_too_long_ago_count_as_missing_and_are_not_asked_for() -> None:
    history = History()
    answer = judged(history, rollout(), START + 15 * 300)
    assert answer is not None
    assert history.queries < 250
    assert answer.verdict.verdict == "hold" or answer.state.ticks >= 299
