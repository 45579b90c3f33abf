"""Whose turn it is: not all canaries are judged in the same moment, or the last of a thousand would wait for the rest.

Judging takes a processor some milliseconds a canary and tick. So the canaries of an interval are dealt into groups by
their names, and each group's ticks end at a time of its own; those of one group share their queries.
"""

from zlib import crc32

from serinus.controller.cache import Key

_GROUPS = 5  # at most; each sends queries of its own: as few as keep the last one's wait short


def phase_of(key: Key, interval: float) -> float:
    """By how many seconds, whole ones, the ticks of this canary end after multiples of their `interval`.

    The same in every operator and after every restart.
    """
    groups = max(1, min(_GROUPS, int(interval)))
    return float(crc32("/".join(key).encode()) % groups * interval // groups)
