"""A process that is stopped again and again, for most of the time."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STOPPED, _RUNNING = 0.8, 0.2


@contextmanager
def stuttering(pid: int) -> Iterator[None]:
    """While the `with` lasts, the process runs for a fifth of a second, and then stands still for four."""
    over = threading.Event()

    def stutter() -> None:
        try:
            while not over.wait(_RUNNING):
                os.kill(pid, signal.SIGSTOP)
                over.wait(_STOPPED)
                os.kill(pid, signal.SIGCONT)
        finally:
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=stutter, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)
