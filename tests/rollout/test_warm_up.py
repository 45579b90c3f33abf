"""The requests of a warm-up: every one answered before any user's, or the rollout ends where it began (R09)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from serinus.api import Phase
from serinus.rollout import Outcome, Subject, WarmUpCall, WarmUpReply, advance
from tests.rollout.conftest import TIMING, Play, subject


def asking(duration: str = "0s") -> Subject:
    """A release whose canary is sent requests before any user's."""
    return subject(warmUp={"duration": duration, "requests": [{"path": "/predict", "count": 20}]})


@pytest.fixture
def cold() -> Play:
    return Play(asking())


def answer(play: Play, reply: WarmUpReply) -> Outcome:
    """A turn to which the answers came."""
    outcome = advance(play.subject, play.status, play.live, None, now=play.now, timing=TIMING, warmed=reply)
    play.status = outcome.status
    play.records.extend(outcome.records)
    return outcome


def call_of(outcome: Outcome) -> WarmUpCall:
    assert outcome.warm_up is not None
    return outcome.warm_up


def test_requests_are_asked_for_until_they_are_answered_R09(cold: Play) -> None:
    first = call_of(cold.turn())
    assert [(each.path, each.count) for each in first.requests] == [("/predict", 20)]
    cold.now += timedelta(seconds=5)
    assert call_of(cold.turn()) == first, "asked again, also by an operator that was restarted"
    assert cold.weights == []
    answer(cold, WarmUpReply(first.key, endpoints=2, answered=40))
    cold.settle()
    assert cold.status.weight == 10
    assert cold.records[-1].message == "warmed up, 40 requests to 2 endpoints answered: the first step begins"


def test_what_fails_ends_in_rolled_back_and_no_user_meets_the_canary_R09(cold: Play) -> None:
    call = call_of(cold.turn())
    answer(cold, WarmUpReply(call.key, endpoints=1, answered=3, failure="the request for /predict: status 503"))
    assert (cold.status.phase, cold.weights) == (Phase.ROLLED_BACK, [])
    record = cold.records[-1]
    assert (record.verdict, record.reason, record.weight_after) == ("rollback", "WarmUpFailed", 0)
    assert "status 503" in record.message
    cold.settle()
    assert (cold.status.phase, cold.weights) == (Phase.ROLLED_BACK, [])


def test_the_warm_ups_time_passes_whatever_the_answers_R09() -> None:
    play = Play(asking("30s"))
    call = call_of(play.turn())
    outcome = answer(play, WarmUpReply(call.key, endpoints=1, answered=20))
    assert (outcome.intent, outcome.wake) == (None, play.now + timedelta(seconds=30))
    play.now += timedelta(seconds=30)
    play.settle()
    assert play.live.weight == 10


def test_answers_to_a_warm_up_that_began_anew_do_not_count(cold: Play) -> None:
    old = call_of(cold.turn())
    cold.live = replace(cold.live, canary_ready=0)
    cold.turn()
    cold.live = replace(cold.live, canary_ready=1)
    cold.now += timedelta(seconds=10)
    new = call_of(cold.turn())
    assert new.key != old.key
    outcome = answer(cold, WarmUpReply(old.key, endpoints=1, answered=20))
    assert call_of(outcome) == new


def test_a_paused_rollout_sends_nothing(cold: Play) -> None:
    cold.subject = replace(cold.subject, paused=True)
    assert cold.turn().warm_up is None
