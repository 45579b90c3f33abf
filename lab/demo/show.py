"""Shows a demonstration while it runs: one screen on a terminal, else a line for each change."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live

from lab.demo.screen import View, screen


class Show(Protocol):
    """Where a demonstration is shown."""

    def say(self, line: str) -> None:
        """Tell of something that has happened."""

    def draw(self, view: View) -> None:
        """Show how things stand."""


@contextmanager
def showing(console: Console, begun: float) -> Iterator[Show]:
    """A show that is right for the console; lines are timed from `begun` (seconds of the monotonic clock)."""
    if not console.is_terminal:
        yield _Lines(console, begun)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield _Screen(live, begun)


def _timed(line: str, begun: float) -> str:
    return f"{time.monotonic() - begun:6.1f} s  {line}"


class _Lines:
    """One line for each change; how things stand follows from them."""

    def __init__(self, console: Console, begun: float) -> None:
        self._console = console
        self._begun = begun

    def say(self, line: str) -> None:
        self._console.print(_timed(line, self._begun), soft_wrap=True)

    def draw(self, view: View) -> None:
        """Nothing: a picture that changes all the time is no use in a log."""


class _Screen:
    """One screen, drawn again and again."""

    def __init__(self, live: Live, begun: float) -> None:
        self._live = live
        self._begun = begun
        self._lines: list[str] = []

    def say(self, line: str) -> None:
        self._lines.append(_timed(line, self._begun))

    def draw(self, view: View) -> None:
        self._live.update(screen(view, self._lines), refresh=True)
