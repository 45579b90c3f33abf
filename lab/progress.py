"""Tell the person who waits what is being done and for how long already."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

REDRAW = 0.2
"""Seconds between two updates in place, on a terminal."""
REPEAT = 15.0
"""Seconds between two lines about the same work, where there is no terminal."""
WIDTH = 79
"""A status line is cut here: one that wraps could not be updated in place."""


class Progress:
    """Progress on a stream: updated in place on a terminal, a line now and then elsewhere.

    Safe to use from several threads; what they do at the same time shares one line.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._in_place = self._stream.isatty()
        self._running: dict[str, float] = {}
        self._shown_at = time.monotonic()
        self._lock = threading.RLock()

    def say(self, line: str) -> None:
        """Print one line that stays."""
        with self._lock:
            self._clear()
            print(line, file=self._stream, flush=True)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show that `what` is being done; when it ends well, a line with the seconds it took stays."""
        started = time.monotonic()
        with self._lock:
            if not self._running:
                self._shown_at = started
            self._running[what] = started
            self.tick()
        try:
            yield
        except BaseException:
            with self._lock:
                del self._running[what]
                self._clear()
            raise
        with self._lock:
            del self._running[what]
            self.say(f"  {what:<58} {time.monotonic() - started:7.1f} s")
            self.tick()

    def tick(self) -> None:
        """Show what is running, when it is time for that; whoever waits calls this often."""
        with self._lock:
            now = time.monotonic()
            if not self._running or now - self._shown_at < (REDRAW if self._in_place else REPEAT):
                return
            self._shown_at = now
            work, seconds = ", ".join(self._running), f" ... {now - min(self._running.values()):.0f} s"
            if self._in_place:
                self._clear()
                self._stream.write(f"  {shortened(work, WIDTH - 2 - len(seconds))}{seconds}")
                self._stream.flush()
            else:
                print(f"  {work}{seconds}", file=self._stream, flush=True)

    def _clear(self) -> None:
        if self._in_place:
            self._stream.write("\r\033[K")


def shortened(text: str, width: int) -> str:
    """The text, cut with an ellipsis where it is longer than `width` characters."""
    return text if len(text) <= width else f"{text[: width - 1]}…"
