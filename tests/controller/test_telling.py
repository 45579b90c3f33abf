"""What the evidence itself says about a verdict: the query with what came of it, and the breaker (I3)."""

import pytest

from serinus.controller.telling import unreachable, with_doubts
from serinus.judge import Verdict
from serinus.judge.evidence import Missing
from serinus.metrics import Doubt, Reach

HOLD = Verdict("hold", "NoSeries", "latency: no series")


def doubt(metric: str, *, lasting: bool = False) -> Doubt:
    return Doubt(metric, Missing.NO_SERIES, "", "requests_total{}", lasting)


def test_a_hold_by_missing_data_names_the_query() -> None:
    told = with_doubts(HOLD, [doubt("error-guard"), doubt("latency")])
    assert (told.verdict, told.reason) == ("hold", "NoSeries")
    assert told.message.startswith("latency: no series.")
    assert told.message.endswith("Query: requests_total{}")


def test_a_query_that_never_answered_is_named_whatever_is_waited_for() -> None:
    waiting = Verdict("hold", "WindowOpen", "10 more ticks")
    assert with_doubts(waiting, [doubt("latency")]) == waiting
    assert with_doubts(waiting, [doubt("latency", lasting=True)]).reason == "QueryNeverAnswered"


@pytest.mark.parametrize("word", ["promote", "rollback"])
def test_no_doubt_changes_a_decision(word: str) -> None:
    verdict = Verdict(word, "Regression", "told")  # type: ignore[arg-type]
    assert with_doubts(verdict, [doubt("latency", lasting=True)]) == verdict


LOST = Reach(canary=1, stable=75, unattributed=24)
"""At 25 %: nearly all that was meant for the canary reached nobody."""


def test_a_canary_whose_requests_reach_nobody_is_lost() -> None:
    assert LOST.is_lost(25, Reach(0, 1000, 0), 0.02)
    assert unreachable(LOST, Reach(0, 1000, 0), 25).reason == "CanaryUnreachable"


@pytest.mark.parametrize(
    ("reach", "weight", "before"),
    [
        (LOST, 25, Reach(0, 700, 300)),
        (Reach(canary=20, stable=75, unattributed=24), 25, Reach(0, 1000, 0)),
        (Reach(canary=1, stable=98, unattributed=1), 25, Reach(0, 1000, 0)),
        (Reach(canary=0, stable=3, unattributed=1), 25, Reach(0, 1000, 0)),
        (Reach(), 25, Reach()),
    ],
    ids=["failed so before", "it answers most", "few fail", "too few to tell", "nothing at all"],
)
def test_it_is_not_lost_where_that_may_have_other_reasons(reach: Reach, weight: int, before: Reach) -> None:
    assert not reach.is_lost(weight, before, 0.02)
