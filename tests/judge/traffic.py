"""What the tests of the judge share: a policy with every kind of metric, and rollouts of simulated traffic."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from serinus.judge import (
    GUARD,
    Boundary,
    Classes,
    Counts,
    Distribution,
    Events,
    Evidence,
    Gauge,
    Histogram,
    Latency,
    Past,
    Policy,
    Proportion,
    Rate,
    Sample,
    Spread,
    Tick,
    Values,
)

ISTIO_BOUNDS = (0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, np.inf)
CLASSES = tuple("abcdefghi")
POINTS = Boundary(delta=0.02)

EVERY_KIND = Policy(
    metrics=(
        Proportion("errors", POINTS, POINTS),
        Latency("latency", Boundary(delta=50.0), Boundary(delta=50.0)),
        Distribution("classes", Boundary(delta=0.05), Boundary(delta=0.05)),
        Rate("retries", Boundary(rho=1.1), Boundary(rho=1.1)),
        Rate("throughput", Boundary(rho=1.1), Boundary(rho=1.1), two_sided=True, on_regression="report"),
        Gauge("memory", Boundary(rho=1.2), Boundary(rho=1.2), on_regression="report"),
    ),
    guard=POINTS,
)
PAST = {"memory": Past(spread=Spread(noise=1e-4, pods=1e-3))}


@dataclass
class Traffic:
    """Ticks of traffic to a stable arm and a canary like it, of one rollout or of `batch` of them."""

    seed: int
    batch: tuple[int, ...] = ()
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def tick(self, step: int = 0) -> Tick:
        """The next tick, with evidence of every kind."""
        samples = {
            "errors": (self.counts(300, 0.015), self.counts(2700, 0.01)),
            "latency": (self.latencies(300), self.latencies(2700)),
            "classes": (self.classes(300), self.classes(2700)),
            "retries": (self.events(300, 30.0), self.events(2700, 270.0)),
            "throughput": (self.events(300, 0.1), self.events(2700, 0.9)),
            "memory": (self.values(2), self.values(6)),
        }
        samples[GUARD] = samples["errors"]
        return Tick(step, {name: Evidence(*arms) for name, arms in samples.items()})

    def counts(self, n: int, rate: float) -> Counts:
        return Counts(np.full(self.batch, float(n)), self.rng.binomial(n, rate, self.batch).astype(float))

    def latencies(self, n: int) -> Histogram:
        took = np.exp(self.rng.normal(4.6, 0.5, (*self.batch, n)))
        return Histogram(ISTIO_BOUNDS, np.stack([(took <= bound).sum(axis=-1) for bound in ISTIO_BOUNDS], -1) * 1.0)

    def classes(self, n: int) -> Classes:
        return Classes(CLASSES, self.rng.multinomial(n, np.full(9, 1 / 9), self.batch).astype(float))

    def events(self, expected: int, exposure: float) -> Events:
        return Events(self.rng.poisson(expected, self.batch) * 1.0, np.full(self.batch, exposure))

    def values(self, pods: int) -> Values:
        return Values(self.rng.lognormal(6.0, 0.02, (*self.batch, pods)))


def of_rollout(tick: Tick, index: int) -> Tick:
    """One rollout's part of a tick of many."""
    evidence: Mapping[str, Evidence] = {
        name: Evidence(_cut(seen.canary, index), _cut(seen.stable, index)) for name, seen in tick.evidence.items()
    }
    return Tick(tick.step, evidence)


def _cut(sample: Sample | None, index: int) -> Sample:
    match sample:
        case Counts():
            return Counts(float(np.asarray(sample.n)[index]), float(np.asarray(sample.x)[index]))
        case Histogram():
            return Histogram(sample.bounds, sample.cumulative[index])
        case Classes():
            return Classes(sample.names, sample.counts[index])
        case Events():
            return Events(float(np.asarray(sample.x)[index]), float(np.asarray(sample.exposure)[index]))
        case Values():
            return Values(sample.values[index])
    raise AssertionError("every tick here has both arms")
