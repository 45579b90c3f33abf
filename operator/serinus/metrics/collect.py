"""The evidence of one tick: query, increments, arms, and the names of what is missing."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from serinus.judge.evidence import Counts, Evidence, Missing
from serinus.metrics.increments import Increment, Labels, increments
from serinus.metrics.source import Prometheus, Sample, SourceError
from serinus.metrics.templates import (
    AT,
    AT_END,
    AT_START,
    SCRAPED,
    WAS_UP,
    Selector,
    history_query,
    requests_query,
)

_HISTORY = 3600.0  # seconds of the stable's past that the first bets are made from
_IMPLAUSIBLE = 0.001  # an empty arm is "no traffic" when chance explains it less often than this
_SERVER_ERRORS = "5"


@dataclass(frozen=True, slots=True)
class Arms:
    """Which series are whose: labels of both arms, and the host and reporter that they share."""

    host: str
    reporter: str
    stable: tuple[tuple[str, str], ...]
    canary: tuple[tuple[str, str], ...]

    def selector(self) -> Selector:
        """Both arms in one: the union of their values, label by label; `of` tells them apart afterwards."""
        values: dict[str, set[str]] = defaultdict(set)
        for label, value in (*self.stable, *self.canary):
            values[label].add(value)
        return self._with({label: tuple(sorted(found)) for label, found in values.items()})

    def stable_selector(self) -> Selector:
        """The stable arm alone."""
        return self._with({label: (value,) for label, value in self.stable})

    def of(self, labels: Labels) -> str | None:
        """Whose series this is: "stable", "canary", or nobody's."""
        found = set(labels)
        if found.issuperset(self.stable):
            return "stable"
        return "canary" if found.issuperset(self.canary) else None

    def _with(self, values: dict[str, tuple[str, ...]]) -> Selector:
        shared = {"destination_service": (self.host,), "reporter": (self.reporter,)}
        return Selector(tuple((shared | values).items()))


async def collect(prometheus: Prometheus, arms: Arms, start: float, end: float, *, weight: int) -> Evidence:
    """Requests of both arms between two Unix times and how many of them failed with a 5xx, exactly as counted.

    `weight` is the canary's percentage of traffic then; it only tells an arm that has no traffic from one that
    happened to get none. Never raises for what Prometheus does: the evidence names it.
    """
    try:
        samples = await prometheus.query(requests_query(arms.selector(), end - start), end)
    except SourceError as error:
        return Evidence(missing=error.missing)
    return read_answer(samples, arms, start=start, weight=weight)


async def history(prometheus: Prometheus, arms: Arms, at: float) -> Counts:
    """The stable arm's requests and errors in the hour before `at`; a prior for the first bets, zero if unknown."""
    try:
        samples = await prometheus.query(history_query(arms.stable_selector(), _HISTORY), at)
    except SourceError:
        return Counts()
    return _errors(Increment(sample.labels, sample.value) for sample in samples)


def read_answer(samples: Iterable[Sample], arms: Arms, *, start: float, weight: int) -> Evidence:
    """Evidence from the answer to `requests_query` at the end of a tick that began at `start`."""
    parts: dict[str, dict[Labels, float]] = defaultdict(dict)
    for sample in samples:
        labels = dict(sample.labels)
        parts[labels.pop(AT, "")][tuple(sorted(labels.items()))] = sample.value
    if not parts[AT_END]:
        return Evidence(missing=Missing.NO_SERIES)
    was_up = {
        (dict(labels).get("job", ""), dict(labels).get("instance", "")): value == 1
        for labels, value in parts[WAS_UP].items()
    }
    rises = increments(parts[AT_START], parts[AT_END], was_up)
    canary = [rise for rise in rises if arms.of(rise.labels) == "canary"]
    stable = [rise for rise in rises if arms.of(rise.labels) == "stable"]
    counted = _errors(canary), _errors(stable)
    doubts = [rise.doubt for rise in (*canary, *stable) if rise.doubt is not None]
    missing = doubts[0] if doubts else None
    if max(parts[SCRAPED].values(), default=0.0) <= start:
        missing = Missing.STALE
    elif missing is None and _has_no_traffic(*counted, weight):
        missing = Missing.NO_TRAFFIC
    return Evidence(counted[0], counted[1], missing=missing)


def _errors(rises: Iterable[Increment]) -> Counts:
    total = failed = 0.0
    for rise in rises:
        total += rise.value
        if dict(rise.labels).get("response_code", "").startswith(_SERVER_ERRORS):
            failed += rise.value
    return Counts(total, failed)


def _has_no_traffic(canary: Counts, stable: Counts, weight: int) -> bool:
    """Whether an arm is emptier than the weight explains: requests are split independently."""
    total = canary.n + stable.n
    if total == 0:
        return True
    share = weight / 100
    return (canary.n == 0 and (1 - share) ** total < _IMPLAUSIBLE) or (stable.n == 0 and share**total < _IMPLAUSIBLE)
