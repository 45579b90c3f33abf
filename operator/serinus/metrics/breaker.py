"""A circuit breaker: a server that does not answer is left alone for a while, so that nobody waits for it."""

from collections.abc import Callable

_FAILURES = 2  # in a row, until a server is left alone: so many waits at most hold all places of reconciles
_FIRST_PAUSE = 5.0  # seconds; each further failure doubles it ...
_LONGEST_PAUSE = 20.0  # ... up to this: once it is back, the second tick of 15 s has its evidence


class Breaker:
    """Counts a server's failures in a row. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._failed_at = float("-inf")
        self._closed_until = 0.0

    def may_ask(self) -> bool:
        """Whether the server may be asked now; after a pause one caller may try, the others go on waiting."""
        if self._failures < _FAILURES:
            return True
        if self._clock() < self._closed_until:
            return False
        self._pause()
        return True

    def failed(self, asked_at: float) -> None:
        """The server did not answer what it was asked at that time; many questions at once fail as one."""
        if asked_at < self._failed_at:
            return
        self._failed_at = self._clock()
        self._failures += 1
        if self._failures >= _FAILURES:
            self._pause()

    def answered(self) -> None:
        """The server answered, be it with an error: it is there."""
        self._failures = 0

    def _pause(self) -> None:
        doublings = min(max(self._failures - _FAILURES, 0), 10)
        self._closed_until = self._clock() + min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**doublings)
