"""Each kind of metric at its tolerance, where either verdict is wrong, and twice as far off."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.judge import measures
from bench.judge.experiment import Experiment
from bench.judge.policies import (
    ALPHA,
    BETA,
    ERROR_RATE,
    JOBS,
    LATENCY,
    MEMORY,
    ONE_POINT,
    PREDICTION,
    WIDE_LATENCY,
    policy_of,
)
from bench.judge.rollouts import ERRORS, SERINUS, Ends, Scenario
from bench.judge.row import Row, Section
from bench.judge.traffic import (
    CLASSIC,
    NATIVE,
    Clustered,
    Errors,
    Jobs,
    Latencies,
    Memory,
    Predictions,
    Sizes,
    Source,
)
from serinus.judge import Metric, Policy, Proportion

LOOKS = 240
"""An hour of ticks of 15 s."""

SOON = 60
"""Ticks, a quarter of an hour."""

SAME = Errors(canary=0.01)

AT_TOLERANCE = Errors(canary=0.02)
"""The worst canary that is within the tolerance of one point."""

MANY = 20_000


@dataclass(frozen=True)
class Kind:
    """A metric, and its traffic with an identical canary, with one at the tolerance and with one twice as far off."""

    name: str
    metric: Metric
    same: Source
    at_tolerance: Source
    twice: Source
    rollouts: int = 2500
    chunk: int = 250


def _latency(name: str, bounds: tuple[float, ...], above: float = 0.0, median: float = 100.0) -> Kind:
    same, at_tolerance, twice = (Latencies(bounds, factor, above, median) for factor in (1.0, 1.2, 1.4))
    return Kind(name, LATENCY, same, at_tolerance, twice)


def _fast(name: str, above: float = 0.0, median: float = 3.1) -> Kind:
    """A service with a p99 of 9.9 ms, just below a bound, or with another median; it may take 50 ms more."""
    same, at_tolerance, twice = (Latencies(CLASSIC, 1.0, above, median, added) for added in (0.0, 50.0, 100.0))
    return Kind(name, WIDE_LATENCY, same, at_tolerance, twice)


KINDS = (
    _latency("classic latency", CLASSIC),
    _latency("classic latency, slowest 5 %", CLASSIC, above=0.95),
    _latency("classic latency, slowest 1.5 %", CLASSIC, above=0.985, median=90.0),
    _fast("fast service, + 50 ms"),
    _fast("fast service, slowest 1 % + 50 ms", above=0.99),
    _fast("p99 of 60 ms, slowest 1 % + 50 ms", above=0.99, median=18.7),
    _latency("native latency", NATIVE),
    _latency("native latency, slowest 5 %", NATIVE, above=0.95),
    Kind("10 classes", PREDICTION, Predictions(10, 0), Predictions(10, 0.05), Predictions(10, 0.10), rollouts=2000),
    Kind("30 classes", PREDICTION, Predictions(30, 0), Predictions(30, 0.05), Predictions(30, 0.10), rollouts=2000),
    Kind("rate", JOBS, Jobs(1.0), Jobs(1.2), Jobs(1.4), MANY, 1000),
    Kind("gauge", MEMORY, Memory(1.0), Memory(1.2), Memory(1.44), chunk=100),
)
"""All but proportions, which race against other rules. Where only the slowest are slower, p50 and p90 are as before.

At a median of 90 ms the two bounds around the allowed p99 see different things: the slowest 1.5 % lie above the first.
Of the fast service's requests 0.96 % take more than 10 ms. With its slowest 1 % at the tolerance 1 % of the canary's
take more than 50 ms: hardly more, and so the hardest for a promotion, which compares the two. With a p99 of 60 ms that
takes a chord.
"""


def experiments() -> Iterator[Experiment]:
    """What is promised at the tolerance, and how much is found beyond it."""
    for kind in KINDS:
        yield _at_tolerance(kind)
    few = Errors(canary=0.02, sizes=Sizes(20, 2000))
    yield _false_rollback("20 + 2 000 requests", policy_of(ERROR_RATE), (few,))
    rare = Errors(canary=0.011, stable=0.001)
    yield _false_rollback("baseline .1 %", policy_of(ERROR_RATE), (rare,))
    eight = tuple(Proportion(f"{ERRORS}-{number}", tolerance=ONE_POINT, margin=ONE_POINT) for number in range(1, 9))
    yield _false_rollback("family of 8", policy_of(*eight), (AT_TOLERANCE,) * 8, rollouts=6000)
    yield _clustered()
    for kind in KINDS:
        yield _soon(f"{kind.name}, identical", kind, kind.same, Section.IDENTICAL, measures.promoted)
        yield _soon(f"{kind.name}, twice the tolerance", kind, kind.twice, Section.POWER, measures.rolled_back)


def _at_tolerance(kind: Kind) -> Experiment:
    def rows(ends: Mapping[str, Ends]) -> Iterator[Row]:
        own = ends[SERINUS]
        yield Row(Section.FALSE_ROLLBACK, kind.name, measures.rolled_back(own), "%", at_most=ALPHA)
        yield Row(Section.FALSE_PROMOTION, kind.name, measures.promoted(own), "%", at_most=BETA)

    scenario = Scenario(policy_of(kind.metric), ((kind.metric.name, kind.at_tolerance),), LOOKS)
    return Experiment(f"{kind.name}, at the tolerance", scenario, rows, kind.rollouts, kind.chunk)


def _soon(name: str, kind: Kind, source: Source, section: Section, measure: measures.Share) -> Experiment:
    def rows(ends: Mapping[str, Ends]) -> Iterator[Row]:
        yield Row(section, kind.name, measure(ends[SERINUS], SOON), "%")

    scenario = Scenario(policy_of(kind.metric), ((kind.metric.name, source),), SOON)
    return Experiment(name, scenario, rows, kind.rollouts // 2, kind.chunk)


def _false_rollback(name: str, policy: Policy, sources: tuple[Source, ...], rollouts: int = MANY) -> Experiment:
    def rows(ends: Mapping[str, Ends]) -> Iterator[Row]:
        yield Row(Section.FALSE_ROLLBACK, name, measures.rolled_back(ends[SERINUS]), "%", at_most=policy.alpha)

    named = tuple((metric.name, source) for metric, source in zip(policy.metrics, sources, strict=True))
    return Experiment(f"at the tolerance, {name}", Scenario(policy, named, LOOKS), rows, rollouts)


def _clustered() -> Experiment:
    """Approximate by design: here the bound allows for three standard errors."""
    policy = policy_of(ERROR_RATE, alpha=0.05)

    def rows(ends: Mapping[str, Ends]) -> Iterator[Row]:
        measured = measures.rolled_back(ends[SERINUS])
        bound = policy.alpha + 3 * measured.error
        yield Row(Section.FALSE_ROLLBACK, "φ = 3, AR(.8), tempered, α = 5 %", measured, "%", at_most=bound)

    scenario = Scenario(policy, ((ERRORS, Clustered(canary=0.02)),), LOOKS)
    return Experiment("at the tolerance, errors that cluster", scenario, rows, rollouts=2000, chunk=50)
