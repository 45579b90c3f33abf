"""Scenes that mostly wait are played side by side, and told one by one."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from tests.crash.conftest import Stage

Scene = Callable[[Stage], None]

_AT_ONCE = 8


class SideBySide:
    """Plays scenes at the same time; `result` waits for one, and raises what went wrong in it."""

    def __init__(self, stage: Stage, scenes: list[Scene]) -> None:
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._results: dict[Scene, Future[None]] = {scene: self._pool.submit(scene, stage) for scene in scenes}

    def result(self, scene: Scene) -> None:
        """Return when the scene has been played."""
        self._results[scene].result()

    def close(self) -> None:
        """Wait for those under way; what has not begun never does."""
        self._pool.shutdown(cancel_futures=True)
