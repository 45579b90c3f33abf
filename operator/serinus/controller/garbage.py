"""How often Python looks for garbage that reference counts have not freed."""

import gc

_YOUNG = 20_000  # containers made and not freed since the last look: 700 by default


def collect_seldom() -> None:
    """For a process that makes tens of thousands of short-lived values at a time beside caches that live long.

    To look at each of them takes a sixth of a tick's processor time, and finds nothing: hardly anything is a cycle.
    """
    gc.collect()
    gc.freeze()  # what was imported stays
    gc.set_threshold(_YOUNG, 20, 20)
