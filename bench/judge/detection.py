"""How soon a good canary is promoted and a bad one found, whenever it turns bad, beside the rules of today."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.judge import measures
from bench.judge.bounds import information, ticks_needed
from bench.judge.coverage import Coverage
from bench.judge.experiment import Experiment
from bench.judge.kinds import AT_TOLERANCE, LOOKS, MANY, SAME, SOON
from bench.judge.policies import ALPHA, BETA, ERROR_RATE, ONE_POINT, policy_of
from bench.judge.race import Race
from bench.judge.rollouts import ERRORS, SERINUS, Ends, Scenario
from bench.judge.row import Estimate, Row, Section
from bench.judge.rules import Rule
from bench.judge.traffic import Errors

SAME_BUT_WORSE = Errors(canary=0.03, stable=0.03)
"""An identical canary of a service that fails three times as often as what rules were tuned for."""

EFFECTS = (0.025, 0.03, 0.04, 0.05, 0.07, 0.10, 0.20)
"""Error rates of canaries beyond the tolerance, which is at 2 %."""

MULTIPLES = {0.025: 1.6, 0.03: 1.6, 0.05: 2.2, 0.20: 1.6}
"""How many times as long as the fastest test may be needed; at 5 % one tick is most of what that needs."""

_TWICE, _BAD, _AWFUL = 0.03, 0.05, 0.20


def races(rules: tuple[Rule, ...]) -> dict[Errors, Experiment]:
    """The experiments in which all rules see the same traffic, by that traffic."""
    same = Experiment("identical canary", Race(SAME, rules), _of_same, MANY)
    worse = Experiment("identical canary, 3 % errors", Race(SAME_BUT_WORSE, rules), lambda ends: (), MANY)
    at_tolerance = Experiment("canary at the tolerance", Race(AT_TOLERANCE, rules), _of_at_tolerance, MANY)
    found = {Errors(canary=rate): _found(rate, rules) for rate in EFFECTS}
    return {SAME: same, SAME_BUT_WORSE: worse, AT_TOLERANCE: at_tolerance, **found}


def experiments() -> Iterator[Experiment]:
    """Canaries that turn bad, and the interval that people read."""
    for rate in (0.025, 0.03):
        yield _turned(rate)
    yield _late(120, at_most_times=2.0)
    yield _late(480, at_most_ticks=6.0)
    for rate in (0.01, 0.02):
        yield _covered(Coverage(Errors(canary=rate), alpha=0.05, ticks=LOOKS))


def needed(rate: float) -> float:
    """Ticks that the fastest test needs to find a canary with this error rate."""
    return ticks_needed(ALPHA, information(SAME.sizes, rate, SAME.stable, ONE_POINT))


def _of_same(ends: Mapping[str, Ends]) -> Iterator[Row]:
    own = ends[SERINUS]
    ticks = measures.ticks_to_promotion(own, LOOKS)
    fastest = ticks_needed(BETA, information(SAME.sizes, SAME.canary, SAME.stable, ONE_POINT))
    yield Row(Section.FALSE_ROLLBACK, "identical canary", measures.rolled_back(own), "%", at_most=0.001)
    yield Row(Section.IDENTICAL, "proportion", measures.promoted(own, within=SOON), "%", at_least=0.99)
    yield Row(Section.IDENTICAL, "… mean ticks", ticks, "ticks")
    yield Row(Section.IDENTICAL, "… over the fastest test's", ticks.over(fastest), "×", at_most=1.7)


def _of_at_tolerance(ends: Mapping[str, Ends]) -> Iterator[Row]:
    own = ends[SERINUS]
    yield Row(Section.FALSE_ROLLBACK, "proportion", measures.rolled_back(own), "%", at_most=ALPHA)
    yield Row(Section.FALSE_PROMOTION, "proportion", measures.promoted(own), "%", at_most=BETA)


def _found(rate: float, rules: tuple[Rule, ...]) -> Experiment:
    name = f"{100 * rate:g} %"

    def rows(ends: Mapping[str, Ends]) -> Iterator[Row]:
        ticks = measures.ticks_to_rollback(ends[SERINUS], LOOKS)
        yield Row(Section.DETECTION, name, ticks, "ticks", at_most=3.0 if rate == _BAD else None)
        if rate == _TWICE:
            yield Row(Section.POWER, "proportion", measures.rolled_back(ends[SERINUS], within=SOON), "%")
        if rate == _AWFUL:
            at_once = measures.rolled_back(ends[SERINUS], within=1)
            yield Row(Section.DETECTION, "… at the first tick", at_once, "%", at_least=1.0)
        yield Row(
            Section.DETECTION, "… over the fastest test's", ticks.over(needed(rate)), "×", at_most=MULTIPLES.get(rate)
        )

    return Experiment(f"canary with {name} errors", Race(Errors(canary=rate), rules), rows, MANY // 2)


def _turned(rate: float) -> Experiment:
    def rows(ends: Mapping[str, Ends]) -> Iterator[Row]:
        name = f"good for 100 ticks, then 20 at {100 * rate:g} %"
        yield Row(Section.LATE, name, measures.promoted(ends[SERINUS]), "%", at_most=0.01)

    errors = Errors(canary=rate, good_ticks=100)
    scenario = Scenario(policy_of(ERROR_RATE), ((ERRORS, errors),), ticks=120, window=120)
    return Experiment(f"good, then {100 * rate:g} %", scenario, rows, MANY)


@dataclass(frozen=True)
class _EarlyAndLate:
    """The same regression from the start and after `good_ticks` ticks."""

    good_ticks: int

    def __call__(self, rollouts: int, rng: Generator) -> Mapping[str, Ends]:
        return {
            name: Scenario(
                policy_of(ERROR_RATE), ((ERRORS, Errors(canary=_BAD, good_ticks=good)),), ticks=good + LOOKS
            )(rollouts, rng)[SERINUS]
            for name, good in (("early", 0), ("late", self.good_ticks))
        }


def _late(good_ticks: int, at_most_times: float | None = None, at_most_ticks: float | None = None) -> Experiment:
    def rows(ends: Mapping[str, Ends]) -> Iterator[Row]:
        late = measures.ticks_to_rollback(ends["late"], good_ticks + LOOKS, good_ticks)
        early = measures.ticks_to_rollback(ends["early"], LOOKS)
        yield Row(Section.LATE, f"5 % from tick {good_ticks} of 240: mean", late, "ticks", at_most=at_most_ticks)
        yield Row(Section.LATE, "… over what it takes from tick 0", late.over(early.value), "×", at_most=at_most_times)

    return Experiment(f"5 % from tick {good_ticks}", _EarlyAndLate(good_ticks), rows, MANY // 4)


def _covered(coverage: Coverage) -> Experiment:
    difference = 100 * (coverage.errors.canary - coverage.errors.stable)

    def rows(ends: Mapping[str, Ends]) -> Iterator[Row]:
        held = 1.0 - np.isfinite(ends[SERINUS].rollback)
        yield Row(Section.INTERVAL, f"+{difference:g} pp", Estimate.mean(held), "%", at_least=1 - coverage.alpha)

    return Experiment(f"interval around +{difference:g} pp", coverage, rows, rollouts=2000, chunk=250)
