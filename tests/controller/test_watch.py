"""The watch: what it sees is kept, what is gone is lost, and what fails is tried again for ever."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from serinus.controller.cache import Cache, Key, Object
from serinus.controller.scheduler import Scheduler
from serinus.controller.watch import Watch
from serinus.controller.watch import reflector as room
from serinus.controller.watch.kinds import WATCHED
from serinus.controller.watch.reflector import Reflector, Sight
from serinus.controller.watch.source import Event, Expired, NoSuchKind, Page, Source, Trouble

Told = list[Event] | Trouble


def thing(name: str, version: int = 1) -> Object:
    return {"metadata": {"namespace": "shop", "name": name, "uid": name, "resourceVersion": str(version)}}


class Script(Source):
    """Lists and streams as they are written down; when there are no more, it waits for ever."""

    def __init__(self, lists: list[list[Object] | Trouble], streams: list[Told]) -> None:
        self.lists, self.streams = lists, streams
        self.over = asyncio.Event()
        self.asked: list[str] = []

    async def pages(self) -> AsyncIterator[Page]:
        """The next list, an object a page."""
        told = await self._next(self.lists)
        for number, each in enumerate(told):
            meta = {"resourceVersion": str(100 + len(told)), "continue": "" if number == len(told) - 1 else "more"}
            yield Page(_meta(meta), [each])
        if not told:
            yield Page(_meta({"resourceVersion": "100"}), [])

    async def events(self, version: str) -> AsyncIterator[Event]:
        """The next stream."""
        self.asked.append(version)
        for each in await self._next(self.streams):
            yield each

    async def _next(self, told: list[Any]) -> list[Any]:
        if not told:
            self.over.set()
            await asyncio.Event().wait()
        now = told.pop(0)
        if isinstance(now, Trouble):
            raise now
        return list(now)


def _meta(meta: dict[str, str]) -> Any:
    return msgspec.convert({"metadata": meta, "items": []}, Page).metadata


@dataclass
class Eyes:
    """What was seen and lost, in order."""

    told: list[tuple[str, str]] = field(default_factory=list)
    there: set[Key] = field(default_factory=set)

    def sight(self) -> Sight:
        return Sight(see=self._see, lose=self._lose, known=lambda: self.there)

    def _see(self, seen: Object) -> None:
        self.there.add(("shop", seen["metadata"]["name"]))
        self.told.append(("see", seen["metadata"]["name"]))

    def _lose(self, key: Key) -> None:
        self.there.discard(key)
        self.told.append(("lose", key[1]))


def follow(script: Script, *, may_be_missing: bool = False) -> tuple[Eyes, Reflector]:
    """Let the reflector run until the script is over."""

    async def run() -> tuple[Eyes, Reflector]:
        eyes = Eyes()
        reflector = Reflector("things", script, eyes.sight(), may_be_missing=may_be_missing)
        task = asyncio.create_task(reflector.run())
        await asyncio.wait_for(script.over.wait(), 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return eyes, reflector

    with patch.object(room, "_pause", return_value=0.0):
        return asyncio.run(run())


def event(kind: str, name: str, version: int) -> Event:
    return Event(kind, thing(name, version))


def test_the_stream_goes_on_where_the_list_and_the_stream_before_ended() -> None:
    script = Script(
        [[thing("a"), thing("b")]],
        [[event("MODIFIED", "a", 103), event("BOOKMARK", "", 110)], [event("DELETED", "b", 111)]],
    )
    eyes, reflector = follow(script)
    assert eyes.told == [("see", "a"), ("see", "b"), ("see", "a"), ("lose", "b")]
    assert script.asked == ["102", "110", "111"]
    assert (reflector.is_complete, reflector.trouble) == (True, "")


@pytest.mark.parametrize("lost", [Expired("too old resource version"), Trouble("no answer: ClientOSError")])
def test_after_a_thread_that_was_lost_everything_is_listed_and_what_is_gone_meanwhile_is_lost_I4(lost: Trouble) -> None:
    eyes, _ = follow(Script([[thing("a"), thing("b")], [thing("b"), thing("c")]], [lost]))
    assert eyes.told == [("see", "a"), ("see", "b"), ("see", "b"), ("see", "c"), ("lose", "a")]


def test_a_server_that_ends_each_stream_at_once_has_peace_between_them() -> None:
    script = Script([[thing("a")], [thing("a")]], [[]])
    follow(script)
    assert script.asked == ["101", "101"]
    assert script.lists == []  # as after any other trouble


def test_a_stream_on_which_nothing_happened_for_long_goes_on_without_a_list() -> None:
    script = Script([[thing("a")], [thing("never listed")]], [[], [], [event("MODIFIED", "a", 103)]])
    with patch.object(room, "_BRIEF", 0.0):
        eyes, _ = follow(script)
    assert script.asked == ["101", "101", "101", "103"]
    assert ("see", "never listed") not in eyes.told


def test_an_api_server_that_is_away_is_asked_again_without_end_I4() -> None:
    away = [Trouble("no answer: TimeoutError")] * 20
    eyes, reflector = follow(Script([*away, [thing("a")]], []))
    assert eyes.told == [("see", "a")]
    assert reflector.trouble == ""


def test_it_is_asked_at_least_every_five_seconds_I4() -> None:
    assert max(room._pause(failures) for failures in range(1000)) <= 5


def test_a_kind_that_is_removed_takes_its_objects_with_it() -> None:
    eyes, reflector = follow(Script([[thing("a")], NoSuchKind("the server could not find it"), [thing("b")]], [[]]))
    assert eyes.told == [("see", "a"), ("lose", "a"), ("see", "b")]
    assert reflector.trouble == ""


@pytest.mark.parametrize("may_be_missing", [True, False])
def test_a_kind_that_is_not_there_has_no_objects_where_it_may_be_missing(*, may_be_missing: bool) -> None:
    _, reflector = follow(Script([NoSuchKind("the server could not find it")], []), may_be_missing=may_be_missing)
    assert reflector.is_complete is may_be_missing
    assert reflector.trouble == "the server could not find it"


def test_an_object_that_nobody_can_read_keeps_no_other_from_being_seen(caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache()
    watch = Watch(None, (), cache, Scheduler(_never), hear=lambda _: None)  # type: ignore[arg-type]
    odd = thing("odd")
    for each in (odd, {**thing("good"), "spec": {"template": {}}}):
        watch._see("deployments", each)
    assert cache.keys("deployments") == [("shop", "good")]
    assert "deployments shop/odd cannot be read" in caplog.text


async def _never(_: Key) -> None:
    raise AssertionError


def test_what_is_missing_is_named_until_all_kinds_are_listed() -> None:
    watch = Watch(None, ("shop", "payments"), Cache(), Scheduler(_never), hear=lambda _: None)  # type: ignore[arg-type]
    assert watch.missing == "canarydeployments in shop: not listed yet"
    assert len(watch._reflectors) == 2 * len(WATCHED)
