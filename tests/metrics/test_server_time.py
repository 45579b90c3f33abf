"""The server's clock, as its answers tell it: what ours says about the future is no evidence (I3)."""

import pytest

from serinus.metrics.server_time import ServerTime

NOON = "Sat, 21 Nov 2026 12:00:00 GMT"
NOON_SECONDS = 1795262400.0


def told_noon(at: float) -> ServerTime:
    server = ServerTime()
    server.note(NOON, monotonic=at)
    return server


def test_a_clock_that_was_set_forward_is_seen_at_once() -> None:
    assert told_noon(at=100).behind(NOON_SECONDS + 3600 + 20, monotonic=120) == pytest.approx(3599)


@pytest.mark.parametrize("off", [0.0, 0.9, -3600.0])
def test_clocks_that_agree_and_one_that_was_set_back_delay_nothing(off: float) -> None:
    assert told_noon(at=100).behind(NOON_SECONDS + 20 + off, monotonic=120) == 0


def test_a_clock_that_is_right_again_delays_nothing_any_more() -> None:
    server = told_noon(at=100)
    assert server.behind(NOON_SECONDS + 3605, monotonic=105) > 3000
    assert server.behind(NOON_SECONDS + 6, monotonic=106) == 0


@pytest.mark.parametrize("date", ["", "tomorrow"])
def test_an_answer_without_a_date_says_nothing(date: str) -> None:
    server = ServerTime()
    server.note(date, monotonic=0)
    assert server.behind(NOON_SECONDS, monotonic=1) == 0
