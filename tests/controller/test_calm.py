"""Ticks that are judged and not put into words: only those after which a whole turn would find nothing to do."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast

import pytest

from serinus.controller.calm import Calm
from serinus.controller.progress import Progress
from serinus.judge import Missing, Verdict
from serinus.metrics import Desk, Doubt, Prometheus
from tests.controller.test_evidence import START, History, all_turns, rollout
from tests.rollout.conftest import Play


@dataclass
class Nothing(History):
    """A Prometheus that has no such series."""

    def _rows(self, at: float, length: float) -> list[object]:  # type: ignore[override]
        return []


def judged(history: History) -> Progress:
    """One tick."""
    return asyncio.run(all_turns(Desk(cast(Prometheus, history)), rollout(), START + 16))[-1]


@pytest.fixture
def held() -> Play:
    """A rollout that has been undecided since a tick before the one that is judged here."""
    play = Play(now=datetime.fromtimestamp(START, tz=UTC))
    play.settle()
    play.judged("hold", after=0, reason="Undecided")
    return play


def lasts(held: Play, progress: Progress, **changes: object) -> bool:
    """Whether the calm that `held` is in outlasts the tick, with changes of the mesh meanwhile."""
    live = replace(held.live, **changes)  # type: ignore[arg-type]
    return Calm(held.subject, held.live).lasts(held.status, held.subject, live, progress)


def test_a_tick_that_says_what_the_one_before_said_leaves_the_calm(held: Play) -> None:
    assert lasts(held, judged(History()))


@pytest.mark.parametrize(
    "changes", [{"canary_ready": 0}, {"weights": (11,)}, {"decision": "another"}, {"canary": {"version": "v3"}}]
)
def test_whatever_changes_in_the_mesh_ends_it(held: Play, changes: dict[str, object]) -> None:
    assert not lasts(held, judged(History()), **changes)


def test_an_edit_of_the_spec_ends_it(held: Play) -> None:
    calm, progress = Calm(held.subject, held.live), judged(History())
    assert not calm.lasts(held.status, replace(held.subject, paused=True), held.live, progress)


def test_a_regression_and_missing_data_end_it_I3(held: Play) -> None:
    assert not lasts(held, judged(History(bad_from=START)))
    assert not lasts(held, judged(Nothing()))


def test_what_is_to_be_told_of_the_evidence_besides_the_verdict_ends_it_I3(held: Play) -> None:
    """A query of a metric that blocks nothing, and a canary whose requests reach nobody."""
    progress = judged(History())
    assert progress.newest is not None
    doubt = Doubt("extra", Missing.NO_SERIES, "", "extra_total", lasting=True)
    lost = Verdict("rollback", "CanaryUnreachable", "rolled back: nobody answers")
    assert not lasts(held, replace(progress, newest=replace(progress.newest, doubts=(doubt,))))
    assert not lasts(held, replace(progress, newest=replace(progress.newest, lost=lost)))
