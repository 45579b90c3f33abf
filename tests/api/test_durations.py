"""Durations are written as Kubernetes writes them and read back as they were."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.api import format_duration, parse_duration

WRITTEN = [
    ("15s", timedelta(seconds=15)),
    ("15m", timedelta(minutes=15)),
    ("1h30m", timedelta(hours=1, minutes=30)),
    ("50ms", timedelta(milliseconds=50)),
    ("1s500ms", timedelta(seconds=1.5)),
    ("0s", timedelta()),
]


@pytest.mark.parametrize(("text", "duration"), WRITTEN)
def test_a_duration_is_read_and_written(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration
    assert format_duration(duration) == text


@pytest.mark.parametrize(("text", "shortest"), [("90m", "1h30m"), ("1h0m0s", "1h"), ("0h", "0s"), ("1000ms", "1s")])
def test_a_duration_is_written_in_its_shortest_form(text: str, shortest: str) -> None:
    assert format_duration(parse_duration(text)) == shortest


@pytest.mark.parametrize("text", ["", "15", "s", "1d", "-1s", "1.5h", "1 s", "30m1h", "15s\n", "1S", "٣s", "99999h"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 15s"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=9999 * 3600 * 1000))
def test_every_millisecond_survives_the_round_trip(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration
