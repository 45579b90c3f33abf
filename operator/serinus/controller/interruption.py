"""Waiting for something until something else happens."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unless(interrupted: Coroutine[Any, Any, None], action: Coroutine[Any, Any, T]) -> T | None:
    """What comes of the action; None where the other ended first: then the action is given up."""
    ending, acting = asyncio.create_task(interrupted), asyncio.create_task(action)
    ending.add_done_callback(lambda _: acting.cancel())
    try:
        return await acting
    except asyncio.CancelledError:
        if ending.done() and acting.cancelled() and not _is_cancelled():
            return None
        raise
    finally:
        ending.cancel()


def _is_cancelled() -> bool:
    """Whether the task that asks is itself to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
