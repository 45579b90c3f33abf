"""Hours of a service's past, written into a real Prometheus: what its pods served and how often they failed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serinus.judge import Counts
from tests.metrics.remote_write import Series

Numbers = NDArray[np.integer[Any]]

TICK = 15.0
END = 1_795_000_500.0
"""When the past ends: on the tick grid."""
BOUNDS = (10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, float("inf"))
SHARES = (0.1, 0.3, 0.3, 0.15, 0.1, 0.04, 0.009, 0.001)
"""Of requests in each bucket."""


@dataclass(frozen=True)
class Past:
    """A service. `rates`: for each pod the share of its requests that fail; `rps`: of each pod."""

    name: str
    rates: Sequence[float]
    rps: float = 20.0
    hours: float = 3.5

    @property
    def host(self) -> str:
        return f"{self.name}.ml.svc.cluster.local"

    @property
    def times(self) -> NDArray[np.floating[Any]]:
        """Of the scrapes: one for each tick, a few seconds before its end."""
        return np.arange(END - self.hours * 3600 - 600, END + TICK, TICK) - 2.5

    def series(self) -> Iterator[Series]:
        for number in range(len(self.rates)):
            own = {"job": "pods", "instance": f"{self.name}-{number}"}
            yield Series({**own, "__name__": "up"}, [(float(time), 1.0) for time in self.times])
            of_pod = {**own, "reporter": "destination", "destination_service": self.host, "destination_version": "v1"}
            in_buckets, failed = self._served(number)
            for code, counts in (("200", in_buckets.sum(axis=1) - failed), ("503", failed)):
                yield self._counter({**of_pod, "__name__": "istio_requests_total", "response_code": code}, counts)
            for place, bound in enumerate(BOUNDS):
                labels = {**of_pod, "__name__": "istio_request_duration_milliseconds_bucket", "le": _le(bound)}
                yield self._counter(labels, in_buckets[:, : place + 1].sum(axis=1))

    def served(self, begin: float, end: float) -> Counts:
        """By all pods, as the scrapes between two times saw it."""
        within = (self.times > begin) & (self.times <= end)
        pods = [self._served(number) for number in range(len(self.rates))]
        return Counts(
            float(sum(in_buckets[within].sum() for in_buckets, _ in pods)),
            float(sum(failed[within].sum() for _, failed in pods)),
        )

    def _served(self, number: int) -> tuple[Numbers, Numbers]:
        """Of a pod: its requests in each tick by bucket, and how many of them failed; always the same."""
        rng = np.random.default_rng(number)
        in_buckets = rng.poisson(self.rps * TICK * np.array(SHARES), (len(self.times), len(SHARES)))
        return in_buckets, rng.binomial(in_buckets.sum(axis=1), self.rates[number])

    def _counter(self, labels: Mapping[str, str], counts: Numbers) -> Series:
        values = np.cumsum(counts).astype(float).tolist()
        return Series(dict(labels), list(zip(self.times.tolist(), values, strict=True)))


EVEN = Past("even", (0.01,) * 4)
UNEVEN = Past("uneven", (0.01, 0.06, 0.01, 0.06))
"""Of its pods two fail more often than the others: those of one half."""
SINGLE = Past("single", (0.01,))


def time(hours_ago: float) -> str:
    """So long before the end, as an option has it."""
    return f"{datetime.fromtimestamp(END - 3600 * hours_ago, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"


def _le(bound: float) -> str:
    return "+Inf" if bound == float("inf") else f"{bound:g}"
