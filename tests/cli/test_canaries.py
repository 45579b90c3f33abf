"""Following an object goes on through whatever may pass by itself, and ends with what does not."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from serinus.cli import canaries
from serinus.cli.canaries import follow_canary, list_canaries
from serinus.cli.cluster import Cluster, ClusterError, Expired, Unreachable


class Played(Cluster):
    """An API server of which every answer is given beforehand; an error is an answer too."""

    def __init__(self, gets: list[Any], watches: list[list[Any]]) -> None:
        self.gets, self.watches = gets, watches
        self.asked: list[dict[str, str]] = []

    def get(self, path: str, **query: str) -> Any:
        self.asked.append(query)
        return given(self.gets.pop(0))

    def watch(self, path: str, version: str, seconds: int, **query: str) -> Iterator[Any]:
        for each in self.watches.pop(0):
            yield given(each)


def given(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def listed(*items: Any) -> dict[str, Any]:
    return {"items": list(items), "metadata": {"resourceVersion": "1"}}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "_PAUSE", 0.0)


def test_changes_come_as_they_are_watched_and_the_latest_again_when_a_watch_has_ended() -> None:
    played = Played(["one", listed("one"), listed("three")], [[("MODIFIED", "two"), ("MODIFIED", "three")]])
    assert list(islice(follow_canary(played, "ml", "x"), 5)) == ["one", "one", "two", "three", "three"]


def test_what_is_deleted_is_none() -> None:
    played = Played(["one", listed("one")], [[("DELETED", "one")]])
    assert list(islice(follow_canary(played, "ml", "x"), 3)) == ["one", "one", None]


@pytest.mark.parametrize("error", [Expired("too old"), Unreachable("away")])
def test_what_may_pass_is_tried_again(error: ClusterError) -> None:
    played = Played(["one", listed("one"), Unreachable("still away"), listed("two")], [[error]])
    assert list(islice(follow_canary(played, "ml", "x"), 3)) == ["one", "one", "two"]


def test_an_api_server_that_stays_away_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "_AWAY", -1.0)
    with pytest.raises(Unreachable):
        list(follow_canary(Played(["one", Unreachable("away")], []), "ml", "x"))


def test_a_refusal_ends_it_at_once() -> None:
    with pytest.raises(ClusterError, match="forbidden"):
        list(follow_canary(Played(["one", ClusterError("forbidden")], []), "ml", "x"))


def test_a_long_list_comes_in_pages() -> None:
    first = {"items": ["a"], "metadata": {"continue": "next"}}
    played = Played([first, {"items": ["b"], "metadata": {}}], [])
    assert list_canaries(played, None) == ["a", "b"]
    assert played.asked == [{"limit": "500"}, {"limit": "500", "continue": "next"}]
