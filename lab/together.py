"""Do several things at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed


def together(*jobs: Callable[[], None], abort: Callable[[], None]) -> None:
    """Run every job in a thread of its own until all are done.

    When one fails (or Ctrl-C comes), `abort` must let the others end soon; the first error is raised.
    """
    with ThreadPoolExecutor(max_workers=len(jobs)) as threads:
        try:
            for done in as_completed([threads.submit(job) for job in jobs]):
                done.result()
        except BaseException:
            abort()
            raise
