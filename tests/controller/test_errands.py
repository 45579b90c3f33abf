"""Errands: beside the reconcile, once at a time, and one that fails stops nothing."""

import asyncio

import pytest

from serinus.controller.cache import Key
from serinus.controller.errands import Errands

KEY: Key = ("ml", "predictor")


async def test_an_errand_runs_once_until_its_result_is_picked_up() -> None:
    woken: list[Key] = []
    done = asyncio.Event()
    errands: Errands[str] = Errands(lambda key: (woken.append(key), done.set())[0])
    begun = 0

    async def errand() -> str:
        nonlocal begun
        begun += 1
        return "told"

    for _ in range(3):
        errands.start(KEY, "message", errand)
    await done.wait()
    errands.start(KEY, "message", errand)
    assert errands.results(KEY) == {"message": "told"}
    assert (begun, woken) == (1, [KEY])
    assert errands.results(KEY) == {}


async def test_an_errand_that_fails_has_no_result_and_wakes_its_object_a_while_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise one that always fails would be started again and again without a pause."""
    done, paused = asyncio.Event(), asyncio.Event()
    sleep = asyncio.sleep

    async def pause(_: float) -> None:
        assert not done.is_set()
        paused.set()
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", pause)
    errands: Errands[str] = Errands(lambda key: done.set())

    async def errand() -> str:
        raise ValueError("a bug")

    errands.start(KEY, "message", errand)
    await done.wait()
    assert paused.is_set()
    assert errands.results(KEY) == {}


async def test_what_runs_when_the_operator_ends_is_given_up() -> None:
    errands: Errands[str] = Errands(lambda key: None)

    async def errand() -> str:
        await asyncio.Event().wait()
        return "never"

    errands.start(KEY, "message", errand)
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await errands.close()
