"""Which ticks need not be put into words. That none of them would change anything, the machine's test shows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from serinus.rollout import is_uneventful
from tests.rollout.conftest import Play


def uneventful(play: Play, hold: str = "Undecided", *, after: float = 15) -> bool:
    return is_uneventful(play.status, hold, play.now + timedelta(seconds=after))


@pytest.fixture
def held(climbing: Play) -> Play:
    """A first step of 30 s, half of it over."""
    climbing.judged("hold", after=10, reason="Undecided")
    return climbing


def test_a_tick_that_holds_for_the_same_reason_is(held: Play) -> None:
    assert uneventful(held)


def test_another_reason_is_told(held: Play) -> None:
    assert not uneventful(held, "Regressed")


def test_the_first_tick_after_the_window_ends_it_and_those_of_a_step_that_is_held_are_uneventful(held: Play) -> None:
    assert not uneventful(held, after=25)
    held.judged("hold", after=25, reason="Undecided")
    assert uneventful(held)


def test_a_canary_without_ready_endpoints_is_looked_at_in_each_tick_I3(held: Play) -> None:
    held.live = replace(held.live, canary_ready=0)
    held.settle()
    assert not uneventful(held)


def test_none_is_before_the_first_verdict_and_after_the_end(climbing: Play) -> None:
    assert not uneventful(climbing)
    climbing.judged("hold", after=10, reason="Undecided")
    assert uneventful(climbing)
    climbing.judged("rollback", reason="Undecided")
    assert not uneventful(climbing)
