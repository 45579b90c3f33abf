"""Questions of the user's own: one query for both arms and all that the metric's kind is counted by."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from serinus.api import Metric
from serinus.metrics.answers import Row
from serinus.metrics.arms import SIDES, Arms, Side
from serinus.metrics.custom import QueryError, counter, expression
from serinus.metrics.promql import Matcher, Selector
from serinus.metrics.reading import Reading, by_part, counted, part_of, spot
from serinus.metrics.rises import Level, Part

_BUCKET = "_bucket"


@dataclass(frozen=True, slots=True)
class CustomQuestion:
    """A metric's own queries, filled in for both arms."""

    parts: tuple[Part | Level, ...]
    text: str
    """What is counted, all in one query to be pasted into Prometheus."""

    def of_pods(self, pods: tuple[str, ...]) -> "CustomQuestion":
        """The same of some pods only, by the label `instance`."""
        chosen = Matcher.one_of("instance", pods)
        parts = [
            replace(part, series=part.series.where(chosen)) if isinstance(part, Part) else part for part in self.parts
        ]
        return replace(self, parts=tuple(parts))

    def series_of(self, side: Side) -> Selector | None:
        """One series at least for each of the arm's pods; None where the question has no series."""
        return next((part.series for part in self.parts if isinstance(part, Part) and part.of.startswith(side)), None)

    def promql(self, seconds: float) -> str:
        """All of it as one query."""
        return "\nor ".join(part.promql(seconds) for part in self.parts)

    def read(self, rows: Iterable[Row]) -> Reading:
        """The answer to it."""
        by = {part.of: part.by if isinstance(part, Part) else None for part in self.parts}
        told = {of: own for of, own in by_part(rows).items() if of in by}
        return Reading({of: counted((spot(row.labels, by[of]), row.value) for row in own) for of, own in told.items()})


def custom_question(metric: Metric, arms: Arms) -> CustomQuestion:
    """The question of a metric with queries. Raises QueryError, which names the query's place."""
    assert metric.query is not None
    parts: list[Part | Level] = []
    texts: list[str] = []
    for name, promql in metric.query.given.items():
        for side in SIDES:
            try:
                part = _part(metric, name, promql, arms, of=part_of(side, name), side=side)
            except QueryError as error:
                raise QueryError(f"query.{name}: {error}") from error
            parts.append(part)
            texts.append(f"({part.expression})" if isinstance(part, Level) else part.series.promql())
    return CustomQuestion(tuple(parts), " or ".join(texts))


def _part(metric: Metric, name: str, promql: str, arms: Arms, *, of: str, side: Side) -> Part | Level:
    if name == "value":
        return Level(expression(promql, arms, side), of)
    series = counter(promql, arms, side)
    if name == "classes":
        return Part(series, by=(metric.by or "",), of=of)
    if name == "buckets":
        is_classic = series.name.endswith(_BUCKET)
        return Part(series, by=("le",) if is_classic else (), of=of, native=not is_classic)
    return Part(series, of=of)
