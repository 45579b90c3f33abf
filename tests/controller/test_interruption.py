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

    async def hang() -> int:
        try:
            await never()
        finally:
            given_up.set()
        return 7

    assert await unless(at_once(), hang()) is None
    assert given_up.is_set()


async def test_what_goes_wrong_is_told() -> None:
    async def fail() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await unless(never(), fail())
