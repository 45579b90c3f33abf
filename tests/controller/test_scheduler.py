"""The scheduler: what is due is called, once at a time, and one object's failure is its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from serinus.controller import scheduler as module
from serinus.controller.cache import Key
from serinus.controller.scheduler import Scheduler

A, B = ("ml", "a"), ("ml", "b")
Reconcile = Callable[[Key], Awaitable[float | None]]


@asynccontextmanager
async def running(reconcile: Reconcile) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(reconcile)
    task = asyncio.create_task(scheduler.run())
    try:
        yield scheduler
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Called:
    """Counts calls, and lets a test wait for them."""

    def __init__(self, again: float | None = None) -> None:
        self.keys: asyncio.Queue[Key] = asyncio.Queue()
        self.again = again

    async def __call__(self, key: Key) -> float | None:
        self.keys.put_nowait(key)
        return self.again

    async def next(self) -> Key:
        return await asyncio.wait_for(self.keys.get(), 5)


async def test_what_is_woken_is_reconciled() -> None:
    called = Called()
    async with running(called) as scheduler:
        scheduler.wake(A)
        scheduler.wake(B)
        assert {await called.next(), await called.next()} == {A, B}


async def test_what_asks_to_be_called_again_is() -> None:
    called = Called(again=time.time())
    async with running(called) as scheduler:
        scheduler.wake(A)
        assert [await called.next() for _ in range(5)] == [A] * 5


async def test_an_earlier_wake_up_wins_over_a_later_one() -> None:
    called = Called()
    async with running(called) as scheduler:
        scheduler.wake(A, time.time() + 3600)
        scheduler.wake(B, time.time() + 3600)
        scheduler.wake(A)
        assert await called.next() == A
        assert called.keys.empty()


async def test_at_most_one_reconcile_of_an_object_is_in_flight() -> None:
    """Woken while it runs, it runs once more afterwards: what changed meanwhile is seen."""
    in_flight, most = 0, 0
    began, done = asyncio.Semaphore(0), asyncio.Semaphore(0)
    go = asyncio.Event()

    async def reconcile(_: Key) -> None:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        began.release()
        await go.wait()
        in_flight -= 1
        done.release()

    async with running(reconcile) as scheduler:
        scheduler.wake(A)
        await asyncio.wait_for(began.acquire(), 5)
        for _ in range(3):
            scheduler.wake(A)
            await asyncio.sleep(0)
        go.set()
        for _ in range(2):
            await asyncio.wait_for(done.acquire(), 5)
    assert most == 1


async def test_an_error_is_tried_again_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AFTER_ERROR", 0.0)
    called = Called()

    async def reconcile(key: Key) -> float | None:
        await called(key)
        if key == A and called.again is None:
            called.again = 0.0
            raise RuntimeError("a bug")
        return None

    async with running(reconcile) as scheduler:
        scheduler.wake(A)
        scheduler.wake(B)
        assert sorted([await called.next() for _ in range(3)]) == [A, A, B]


async def test_who_must_not_wait_is_reconciled_although_all_places_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CONCURRENT", 1)
    called, go = Called(), asyncio.Event()

    async def reconcile(key: Key) -> None:
        await called(key)
        if key == A:
            await go.wait()

    async with running(reconcile) as scheduler:
        scheduler.wake(A)
        assert await called.next() == A
        scheduler.hurry(B)
        assert await called.next() == B
        scheduler.hurry(A)
        go.set()
        assert await called.next() == A, "who is being reconciled is once more afterwards"


async def test_first_come_those_to_whom_something_has_happened_then_those_due_for_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_CONCURRENT", 1)
    called, go, now = Called(), asyncio.Event(), time.time()

    async def reconcile(key: Key) -> None:
        await called(key)
        await go.wait()

    async with running(reconcile) as scheduler:
        scheduler.wake(A)
        assert await called.next() == A
        scheduler.wake(("ml", "later"), now - 15)
        scheduler.wake(("ml", "long"), now - 30)
        scheduler.wake(("ml", "changed"))
        scheduler.wake(("ml", "long"), now - 1)
        go.set()
        assert [(await called.next())[1] for _ in range(3)] == ["changed", "long", "later"]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_set_delays_nothing_and_hastens_nothing(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    right, called = time.time, Called()
    async with running(called) as scheduler:
        scheduler.wake(A, time.time() + 0.1)
        scheduler.wake(B, time.time() + 600)
        monkeypatch.setattr(time, "time", lambda: right() + 3600 * hours)
        assert await called.next() == A
        assert called.keys.empty()
