"""From a reading to both arms' samples, one function for each kind of metric."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from serinus.judge.evidence import Classes, Counts, Events, Sample, Values
from serinus.metrics.arms import SIDES
from serinus.metrics.histograms import HistogramError, histograms
from serinus.metrics.reading import Counted, Reading


class SampleError(ValueError):
    """Numbers that contradict each other; the message says how."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Both arms' share of a tick. `requests`: how much of it there is, to tell an arm without traffic."""

    canary: Sample
    stable: Sample
    canary_requests: float
    stable_requests: float


@dataclass(frozen=True, slots=True)
class Failures:
    """Which answers are failures: by the first characters of the HTTP status, or by a gRPC status."""

    codes: tuple[str, ...] = ("5",)
    # What a server is to blame for (OpenTelemetry's conventions): UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
    # UNAVAILABLE, DATA_LOSS. They ride on HTTP 200.
    grpc: tuple[str, ...] = ("2", "4", "12", "13", "14", "15")

    def include(self, code: str, grpc: str) -> bool:
        """Whether an answer with these statuses is a failure."""
        return code.startswith(self.codes) or grpc in self.grpc


def errors(reading: Reading, failures: Failures) -> Samples:
    """Requests, and how many of them failed. Like all of these it raises SampleError for what is no count."""
    return _counts(reading, lambda counted: _failed(counted, failures))


def successes(reading: Reading, failures: Failures) -> Samples:
    """Requests, and how many of them did not fail."""

    def well(counted: Counted) -> Counts:
        return _failed(counted, failures).failures

    return _counts(reading, well)


def share(reading: Reading, weight: int) -> Samples:
    """Requests against the weight that each arm was given."""
    canary, stable = _totals(reading, "requests")
    return Samples(Events(canary, weight), Events(stable, 100 - weight), canary, stable)


def proportion(reading: Reading) -> Samples:
    """Events among all. Raises SampleError where there are more events than there can be."""
    events, totals = _totals(reading, "events"), _totals(reading, "total")
    for side, some, total in zip(SIDES, events, totals, strict=True):
        if some > total:
            raise SampleError(f"the {side} has {some:g} events of {total:g} in total: does one target count both?")
    canary, stable = map(Counts, totals, events)
    return Samples(canary, stable, *totals)


def rate(reading: Reading) -> Samples:
    """Events per exposure."""
    events, exposures = _totals(reading, "events"), _totals(reading, "total")
    canary, stable = map(Events, events, exposures)
    return Samples(canary, stable, *exposures)


def latency(reading: Reading, name: str, unit: float) -> Samples:
    """Requests by duration; `unit`: milliseconds in a unit of the buckets."""
    try:
        canary, stable = histograms(*_both(reading, name), unit)
    except HistogramError as error:
        raise SampleError(str(error)) from error
    return Samples(canary, stable, float(canary.n), float(stable.n))


def distribution(reading: Reading) -> Samples:
    """Requests by class; both arms have the same classes, in the order of their names."""
    found = [counted.rises for counted in _both(reading, "classes")]
    names = sorted({name for rises in found for (name,) in rises}, key=str)
    arrays = (np.array([rises.get((name,), 0.0) for name in names]) for rises in found)
    canary, stable = (Classes(tuple(names), counts) for counts in arrays)
    return Samples(canary, stable, float(canary.n), float(stable.n))


def levels(reading: Reading) -> Samples:
    """A gauge's value in each pod; an arm without values counts as one without requests."""
    canary, stable = (np.array(list(counted.rises.values())) for counted in _both(reading, "value"))
    return Samples(Values(canary), Values(stable), float(canary.size), float(stable.size))


def _counts(reading: Reading, of: Callable[[Counted], Counts]) -> Samples:
    canary, stable = map(of, _both(reading, "requests"))
    return Samples(canary, stable, float(canary.n), float(stable.n))


def _failed(counted: Counted, failures: Failures) -> Counts:
    failed = sum([count for (code, grpc), count in counted.rises.items() if failures.include(code, grpc)])
    return Counts(counted.total, failed)


def _totals(reading: Reading, name: str) -> tuple[float, float]:
    canary, stable = _both(reading, name)
    return canary.total, stable.total


def _both(reading: Reading, name: str) -> tuple[Counted, Counted]:
    """What was counted of the canary and of the stable. Raises SampleError where it cannot be believed."""
    canary, stable = found = reading.of("canary", name), reading.of("stable", name)
    if canary.flaw or stable.flaw:
        side, flaw = ("canary", canary.flaw) if canary.flaw else ("stable", stable.flaw)
        raise SampleError(f"the {side}'s {name}: {flaw}")
    return found
