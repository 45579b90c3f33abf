"""Names that somebody may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 3


def did_you_mean(name: str, there: Iterable[str]) -> str:
    """The end of a sentence that says that there is no `name`: those that begin so, else the nearest, else some."""
    names = sorted(there)
    begin_so = [each for each in names if each.startswith(name)]
    if near := begin_so[:_SHOWN] or get_close_matches(name, names, n=_SHOWN):
        return f"; did you mean {' or '.join(near)}?"
    if not names:
        return "; there is none"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"; there is: {', '.join(names[:_SHOWN])}{more}"
