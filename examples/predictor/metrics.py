"""What one version measures of itself: Prometheus metrics, and the same numbers as a JSON view."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from pydantic import BaseModel

ERROR = "error"
"""The prediction under which a request is counted that ended in an exception."""

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram, in seconds."""


class Stats(BaseModel):
    """One version's own numbers since it started."""

    version: str
    canary: bool
    requests: int
    errors: int
    error_rate: float | None
    """errors / requests; null before the first request."""
    latency_at_most_ms: dict[str, float | None]
    """For p50, p90 and p99: the histogram's bound that this share of the requests did not exceed, in ms; null
    before the first request, or when it lies beyond the last bound."""
    predictions: dict[str, int]
    """How often each label was answered; exceptions count as the prediction "error"."""


class Metrics:
    """The metrics of one version, in a registry of their own, so that two apps fit into one process."""

    def __init__(self, version: str, canary: bool) -> None:
        self._version = version
        self._canary = canary
        self._registry = CollectorRegistry()
        self._requests = Counter("predictor_requests", "Requests answered.", ["version"], registry=self._registry)
        self._errors = Counter("predictor_errors", "Requests that failed.", ["version"], registry=self._registry)
        self._predictions = Counter(
            "predictor_predictions", "Answers by label.", ["version", "prediction"], registry=self._registry
        )
        self._latency = Histogram(
            "predictor_request_duration_seconds",
            "Time from request to answer.",
            ["version"],
            buckets=BOUNDS,
            registry=self._registry,
        )
        # Touched here, so that both are exported as 0 and an absent series is not mistaken for "no errors".
        self._requests.labels(version)
        self._errors.labels(version)

    def observe(self, prediction: str, seconds: float) -> None:
        """Count one request: its prediction (ERROR for an exception) and how long it took, in seconds."""
        self._requests.labels(self._version).inc()
        self._predictions.labels(self._version, prediction).inc()
        self._latency.labels(self._version).observe(seconds)
        if prediction == ERROR:
            self._errors.labels(self._version).inc()

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def stats(self) -> Stats:
        """The same numbers for people and for the side-by-side view."""
        requests = self._value("predictor_requests_total")
        errors = self._value("predictor_errors_total")
        # One cumulative count for each bound, as Prometheus sees them.
        cumulative = [self._value("predictor_request_duration_seconds_bucket", le=str(bound)) for bound in BOUNDS]
        return Stats(
            version=self._version,
            canary=self._canary,
            requests=requests,
            errors=errors,
            error_rate=errors / requests if requests else None,
            latency_at_most_ms={
                f"p{percent}": _bound_ms(cumulative, requests * percent / 100) for percent in (50, 90, 99)
            },
            predictions={
                sample.labels["prediction"]: int(sample.value)
                for metric in self._predictions.collect()
                for sample in metric.samples
                if sample.name == "predictor_predictions_total"
            },
        )

    def _value(self, name: str, **labels: str) -> int:
        return int(self._registry.get_sample_value(name, {"version": self._version, **labels}) or 0)


def _bound_ms(cumulative: Sequence[int], rank: float) -> float | None:
    """The first bound, in ms, with at least `rank` requests at or below it."""
    if rank == 0:
        return None
    return next((bound * 1000 for bound, count in zip(BOUNDS, cumulative, strict=True) if count >= rank), None)
