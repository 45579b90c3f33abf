"""A clock that a test sets while the operator runs: Python's own, bent in the operator's process alone."""

import sys
import time
from datetime import datetime, timedelta, tzinfo
from multiprocessing.sharedctypes import Synchronized
from typing import Self

from tests.crash.operators import context


class Clock:
    """Pass `bend` as what an operator does first; then `set` holds for it at once."""

    def __init__(self) -> None:
        self._ahead: Synchronized[float] = context.Value("d", 0.0)

    def set(self, ahead: timedelta) -> None:
        """Let the clock go so much ahead of the right time."""
        self._ahead.value = ahead.total_seconds()

    def bend(self) -> None:
        """Let this process tell the time by this clock; what counts seconds monotonically is not concerned."""
        right, ahead = time.time, self._ahead
        time.time = lambda: right() + ahead.value

        class Bent(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                return super().now(tz) + timedelta(seconds=ahead.value)

        for name, module in list(sys.modules.items()):
            if name.startswith("serinus.") and getattr(module, "datetime", None) is datetime:
                setattr(module, "datetime", Bent)  # noqa: B010 - it is not known what the module has
