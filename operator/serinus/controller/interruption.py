"""Waiting for something until something else happens."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unless(interrupted: Coroutine[Any, Any, None], action: Coroutine[Any, Any, T]) -> T | None:
    """What comes of the action; None where the other ended first: then the action is given up."""
    ending, acting = asyncio.create_task(interrupted), asyncio.create_task(action)
    try:
        await asyncio.wait((ending, acting), return_when=asyncio.FIRST_COMPLETED)
        return acting.result() if acting.done() else None
    finally:
        ending.cancel()
        acting.cancel()
        await asyncio.gather(ending, acting, return_exceptions=True)
