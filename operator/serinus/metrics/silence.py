"""Queries that have never returned anything: most often a name is misspelled, and somebody must be told."""

from dataclasses import dataclass

_LASTING = 90.0  # seconds of silence until it is a warning: it is there within two minutes of the first tick
_FORGOTTEN = 3600.0  # seconds after which a query that nobody asks any more is forgotten
_MANY = 10_000  # entries from which on one looks for forgotten ones


@dataclass(slots=True)
class _Heard:
    first: float
    last: float
    ever: bool


class Silence:
    """Remembers of each query whether it has ever returned anything. Times are the ends of ticks, Unix seconds."""

    def __init__(self) -> None:
        self._queries: dict[str, _Heard] = {}

    def lasts(self, query: str, at: float, *, is_silent: bool) -> bool:
        """Note whether the query's answer at `at` was empty; whether it has been so from the first, for two minutes."""
        heard = self._queries.get(query)
        if heard is None:
            heard = self._queries[query] = _Heard(at, at, ever=False)
        heard.last = max(heard.last, at)
        heard.ever |= not is_silent
        if len(self._queries) > _MANY:
            self._forget(at)
        return is_silent and not heard.ever and at - heard.first >= _LASTING

    def _forget(self, at: float) -> None:
        self._queries = {query: heard for query, heard in self._queries.items() if at - heard.last < _FORGOTTEN}
