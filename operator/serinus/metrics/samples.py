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
    _refuse_flaws(reading, "requests")
    canary, stable = (reading.of(side, "requests").total for side in SIDES)
    return Samples(Events(canary, weight), Events(stable, 100 - weight), canary, stable)


def proportion(reading: Reading) -> Samples:
    """Events among all. Raises SampleError where there are more events than there can be."""
    _refuse_flaws(reading, "events", "total")
    found = {side: (reading.of(side, "total").total, reading.of(side, "events").total) for side in SIDES}
    for side, (total, events) in found.items():
        if events > total:
            raise SampleError(f"the {side} has {events:g} events of {total:g} in total: does one target count both?")
    canary, stable = (Counts(*found[side]) for side in SIDES)
    return Samples(canary, stable, found["canary"][0], found["stable"][0])


def rate(reading: Reading) -> Samples:
    """Events per exposure."""
    _refuse_flaws(reading, "events", "total")
    found = {side: (reading.of(side, "events").total, reading.of(side, "total").total) for side in SIDES}
    canary, stable = (Events(*found[side]) for side in SIDES)
    return Samples(canary, stable, found["canary"][1], found["stable"][1])


def latency(reading: Reading, name: str, unit: float) -> Samples:
    """Requests by duration; `unit`: milliseconds in a unit of the buckets."""
    _refuse_flaws(reading, name)
    try:
        canary, stable = histograms(reading.of("canary", name), reading.of("stable", name), unit)
    except HistogramError as error:
        raise SampleError(str(error)) from error
    return Samples(canary, stable, float(canary.n), float(stable.n))


def distribution(reading: Reading) -> Samples:
    """Requests by class; both arms have the same classes, in the order of their names."""
    _refuse_flaws(reading, "classes")
    found = {side: reading.of(side, "classes").rises for side in SIDES}
    names = sorted({name for rises in found.values() for (name,) in rises}, key=str)
    arrays = {side: np.array([found[side].get((name,), 0.0) for name in names]) for side in SIDES}
    canary, stable = (Classes(tuple(names), arrays[side]) for side in SIDES)
    return Samples(canary, stable, float(canary.n), float(stable.n))


def levels(reading: Reading) -> Samples:
    """A gauge's value in each pod; an arm without values counts as one without requests."""
    _refuse_flaws(reading, "value")
    arrays = {side: np.array(list(reading.of(side, "value").rises.values())) for side in SIDES}
    canary, stable = (Values(arrays[side]) for side in SIDES)
    return Samples(canary, stable, float(arrays["canary"].size), float(arrays["stable"].size))


def _counts(reading: Reading, of: Callable[[Counted], Counts]) -> Samples:
    _refuse_flaws(reading, "requests")
    canary, stable = (of(reading.of(side, "requests")) for side in SIDES)
    return Samples(canary, stable, float(canary.n), float(stable.n))


def _failed(counted: Counted, failures: Failures) -> Counts:
    failed = sum([count for (code, grpc), count in counted.rises.items() if failures.include(code, grpc)])
    return Counts(counted.total, failed)


def _refuse_flaws(reading: Reading, *names: str) -> None:
    for side in SIDES:
        for name in names:
            if flaw := reading.of(side, name).flaw:
                raise SampleError(f"the {side}'s {name}: {flaw}")
