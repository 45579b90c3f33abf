"""Waiting for something until something else happens."""

import asyncio

import pytest

from serinus.controller.interruption import unless


async def never() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    pass


async def test_what_ends_first_decides() -> None:
    async def answer() -> int:
        return 7

    assert await unless(never(), answer()) == 7


async def test_what_is_interrupted_is_given_up() -> None:
    given_up = asyncio.Event()
    assert await unless(at_once(), hang(given_up)) is None
    assert given_up.is_set()


async def test_what_goes_wrong_is_told() -> None:
    async def fail() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await unless(never(), fail())


async def test_who_gives_up_waiting_gives_up_the_action() -> None:
    given_up = asyncio.Event()
    waiting = asyncio.create_task(unless(never(), hang(given_up)))
    await asyncio.sleep(0)  # it begins
    await asyncio.sleep(0)  # the action begins
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert given_up.is_set()


async def test_nothing_is_left_behind() -> None:
    assert await unless(at_once_after(3), at_once()) is None
    await asyncio.sleep(0)  # what is cancelled ends
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def hang(given_up: asyncio.Event) -> int:
    """Until it is given up."""
    try:
        await never()
    finally:
        given_up.set()
    return 7


async def at_once_after(passes: int) -> None:
    for _ in range(passes):
        await asyncio.sleep(0)
