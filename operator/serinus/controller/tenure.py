"""The fence: a replica writes only while it is certain that no other may.

Certain is who renewed the lease a short while ago by a clock that counts also while the process is stopped or the
machine sleeps. That is looked at before every write and not when a reconcile begins: a process that was stopped in the
middle of one and goes on much later sends nothing. What was on its way in that instant meets the API server's own
checks: a status names the resourceVersion that was read, a patch of Istio's objects tests what it replaces.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from serinus.controller.kube_errors import WriteConflict

Clock = Callable[[], float]


class NotOurs(WriteConflict):
    """Another replica acts for this object, or may soon: nothing more is written."""


def steady_clock() -> float:
    """Seconds that pass also while the machine sleeps, and that nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Tenure:
    """The time in which this replica may write for a shard: renewed, until it runs out or is ended."""

    def __init__(self, clock: Clock = steady_clock) -> None:
        self._clock = clock
        self._begins_until = self._over_at = -math.inf

    @classmethod
    def endless(cls) -> "Tenure":
        """Of an operator that is the only one."""
        tenure = cls()
        tenure.renew(begins_until=math.inf, over_at=math.inf)
        return tenure

    def renew(self, *, begins_until: float, over_at: float) -> None:
        """Writes may begin until the one time of the clock, and must have ended at the other."""
        self._begins_until, self._over_at = begins_until, over_at

    def end(self) -> None:
        """No write may begin from now on."""
        self._begins_until = self._over_at = -math.inf

    @property
    def lasts(self) -> bool:
        """Whether a write may begin now."""
        return self._clock() < self._begins_until

    def seconds_left(self) -> float:
        """How long a write that begins now may take. Raises NotOurs where none may begin."""
        if not self.lasts:
            raise NotOurs("another replica acts for it, or may soon: this one has not renewed its lease")
        return self._over_at - self._clock()


_tenure: ContextVar[Tenure | None] = ContextVar("tenure", default=None)


@contextmanager
def under(tenure: Tenure) -> Iterator[None]:
    """What is written within, and by tasks that are begun within, is written under this tenure."""
    token = _tenure.set(tenure)
    try:
        yield
    finally:
        _tenure.reset(token)


def seconds_to_write() -> float:
    """How long a write that begins now may take; without end where no tenure rules. Raises NotOurs."""
    tenure = _tenure.get()
    return math.inf if tenure is None else tenure.seconds_left()
