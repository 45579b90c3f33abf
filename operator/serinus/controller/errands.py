"""What a reconcile must not wait for: run beside it, its result picked up by the next one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from serinus.controller.cache import Key
from serinus.controller.tenure import NotOurs, seconds_to_write

_CONCURRENT = 32
_AFTER_ERROR = 10.0  # seconds until one that failed may be started again

ResultT = TypeVar("ResultT")

logger = logging.getLogger(__name__)


class Errands(Generic[ResultT]):
    """Errands of objects: each has a name, runs once at a time, and wakes its object when it is done.

    `at_once` of them run at a time; more wait for their turn.
    """

    def __init__(self, wake: Callable[[Key], None], at_once: int = _CONCURRENT) -> None:
        self._wake = wake
        self._places = asyncio.Semaphore(at_once)
        self._running: dict[tuple[Key, str], asyncio.Task[None]] = {}
        self._done: dict[Key, dict[str, ResultT]] = {}

    def start(self, key: Key, name: str, errand: Callable[[], Awaitable[ResultT]]) -> None:
        """Run an errand unless one of that name is running, or its result has not been picked up."""
        if (key, name) not in self._running and name not in self._done.get(key, {}):
            self._running[key, name] = asyncio.create_task(self._run(key, name, errand))

    def results(self, key: Key) -> dict[str, ResultT]:
        """Pick up what an object's errands came back with, by name."""
        return self._done.pop(key, {})

    def has_results(self, key: Key) -> bool:
        """Whether any wait to be picked up."""
        return key in self._done

    async def close(self) -> None:
        """Give up what is running."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, key: Key, name: str, errand: Callable[[], Awaitable[ResultT]]) -> None:
        try:
            async with self._places:
                seconds_to_write()  # what goes out to people is a write too
                result = await errand()
            self._done.setdefault(key, {})[name] = result
        except NotOurs as reason:
            logger.info("%s/%s: %s was left to another replica: %s", *key, name, reason)
        except Exception:
            logger.exception("%s/%s: %s failed", *key, name)
            await asyncio.sleep(_AFTER_ERROR)
        finally:
            self._running.pop((key, name), None)
        self._wake(key)
