"""When to reconcile what: one heap of due times, at most one reconcile in flight for each object."""

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable

from serinus.controller.cache import Key
from serinus.controller.figures import LAG_SECONDS

AT_ONCE = 0.0
"""The time of what is to be reconciled now: something has happened to it."""

_CONCURRENT = 64  # reconciles in flight: they wait for the API server and Prometheus most of the time
_AFTER_ERROR = 10.0  # seconds until an object whose reconcile failed is tried again

_Due = tuple[bool, float]
"""Whether it has a time, and then that, or when it was woken (monotonic seconds): the lesser the earlier."""

logger = logging.getLogger(__name__)


class Scheduler:
    """Calls `reconcile(key)` when it is due.

    It returns the Unix time at which it wants to be called again, or None. A wake-up while it runs makes it run once
    more; an error in one object's reconcile is logged and tried again, and stops no other. When the clock is set, what
    is scheduled is due as long from now as it was.

    Where places are short, those have the first to whom something has happened, then those that have been due for the
    longest: so those that catch up come to a tick together, and may share what they ask about it.
    """

    def __init__(self, reconcile: Callable[[Key], Awaitable[float | None]]) -> None:
        self._reconcile = reconcile
        self._heap: list[tuple[_Due, Key]] = []
        self._due: dict[Key, _Due] = {}  # the truth; entries of the heap that differ are out of date
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._urgent: set[Key] = set()
        self._changed = asyncio.Event()

    def wake(self, key: Key, at: float = AT_ONCE) -> None:
        """Have the object reconciled at Unix time `at`, which may be past, or earlier."""
        now = time.monotonic()
        due = (False, now) if at == AT_ONCE else (True, now + at - time.time())
        if key in self._due and self._due[key] <= due:
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        self._changed.set()

    def hurry(self, key: Key) -> None:
        """Have the object reconciled now, before all others and also where all places are taken."""
        self._urgent.add(key)
        self._changed.set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._changed.clear()
                pause = self._start_due()
                try:
                    await asyncio.wait_for(self._changed.wait(), pause)
                except TimeoutError:
                    continue
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _start_due(self) -> float | None:
        """Start what is due; seconds until the next one is, None when nothing is scheduled or all places are taken."""
        for key in self._urgent - self._running.keys():
            self._urgent.remove(key)
            self._due.pop(key, None)
            self._running[key] = asyncio.create_task(self._run_one(key))
        waiting: list[tuple[_Due, Key]] = []
        pause = None
        while self._heap and len(self._running) < _CONCURRENT:
            due, key = self._heap[0]
            if self._due.get(key) != due:
                heapq.heappop(self._heap)
                continue
            has_time, since = due
            if has_time and since > time.monotonic():
                pause = since - time.monotonic()
                break
            heapq.heappop(self._heap)
            if key in self._running:
                waiting.append((due, key))  # again when the present one is done
                continue
            del self._due[key]
            LAG_SECONDS.observe(time.monotonic() - since)
            self._running[key] = asyncio.create_task(self._run_one(key))
        for entry in waiting:
            heapq.heappush(self._heap, entry)
        return pause if pause is None else max(0.0, pause)

    async def _run_one(self, key: Key) -> None:
        again: float | None
        try:
            again = await self._reconcile(key)
        except Exception:
            logger.exception("reconcile of %s/%s failed; it is tried again", *key)
            again = time.time() + _AFTER_ERROR
        finally:
            self._running.pop(key, None)
            self._changed.set()
        if again is not None:
            self.wake(key, again)
