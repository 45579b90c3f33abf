"""The pulse of the operator: how its reconciles go, seen from outside of them."""

import time
from collections.abc import Callable

from serinus.controller.cache import Key
from serinus.controller.figures import FAILURES, RECONCILE_SECONDS
from serinus.controller.reconciles import Reconciles

_HUNG = 180.0
"""Seconds without any reconcile's end, while some are under way: each waits for others for seconds only."""


class Pulse:
    """Stands before the reconcile: counts, measures, and knows when nothing moves any more."""

    def __init__(self, reconciler: Reconciles, clock: Callable[[], float] = time.monotonic) -> None:
        self._reconciler = reconciler
        self._clock = clock
        self._under_way = 0
        self._moved_at = clock()

    async def reconcile(self, key: Key) -> float | None:
        """Bring the object a step further; the Unix time at which to call again."""
        if not self._under_way:
            self._moved_at = self._clock()
        self._under_way += 1
        try:
            with RECONCILE_SECONDS.time(), FAILURES.count_exceptions(Exception):
                return await self._reconciler.reconcile(key)
        finally:
            self._under_way -= 1
            self._moved_at = self._clock()

    def forget(self, key: Key) -> None:
        """Remember nothing of the object."""
        self._reconciler.forget(key)

    def is_behind(self, key: Key) -> bool:
        """Whether ticks of the object are left that could have been judged."""
        return self._reconciler.is_behind(key)

    @property
    def trouble(self) -> str | None:
        """What is wrong where nothing moves any more; None while it does."""
        silence = self._clock() - self._moved_at
        if self._under_way and silence > _HUNG:
            return f"{self._under_way} reconciles are under way, and none has come to its end for {silence:.0f} s"
        return None
