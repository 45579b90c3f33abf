"""A Prometheus whose queries are counted and timed."""

from collections.abc import Awaitable, Mapping
from typing import TypeVar

from serinus.controller.figures import QUERIES, QUERY_SECONDS
from serinus.metrics import Prometheus, SourceError
from serinus.metrics.answers import Row, Vector

T = TypeVar("T")


class CountedPrometheus(Prometheus):
    """The same answers and errors."""

    async def query(self, promql: str, at: float) -> Vector:
        """See Prometheus."""
        return await _counted(super().query(promql, at))

    async def query_range(self, promql: str, start: float, end: float, step: float) -> Mapping[float, list[Row]]:
        """See Prometheus."""
        return await _counted(super().query_range(promql, start, end, step))


async def _counted(query: Awaitable[T]) -> T:
    try:
        with QUERY_SECONDS.time():
            answer = await query
    except SourceError as error:
        QUERIES.labels(error.missing.value).inc()
        raise
    QUERIES.labels("done").inc()
    return answer
