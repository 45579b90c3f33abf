"""Wait for a condition instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

from lab.errors import LabError

T = TypeVar("T")

POLL = 0.05
"""Seconds between two looks."""


def wait_until(condition: Callable[[], T], what: str, timeout: float = 30.0) -> T:
    """Call `condition` until it answers something true, and return that.

    Raises LabError naming `what` when that takes longer than `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout:.0f} s for {what}, in vain")
        time.sleep(POLL)
