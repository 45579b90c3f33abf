"""Times as people say them."""

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def ago(age: timedelta) -> str:
    """A length of time in a few characters, as kubectl's column AGE has it: 42s, 64m, 5h, 12d."""
    seconds = max(0, int(age.total_seconds()))
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE}m"
    return f"{seconds // _HOUR}h" if seconds < 2 * _DAY else f"{seconds // _DAY}d"


def spoken(length: timedelta) -> str:
    """A length of time in a sentence: 42 s, 64 min, 5 h 20 min, 12 days."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return f"{seconds // _DAY} days"


def clock(moment: datetime, now: datetime) -> str:
    """A moment to the minute, with its date where that is not today's: 14:25 UTC, 2026-11-22 14:25 UTC."""
    return f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M} UTC"
