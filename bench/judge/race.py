"""The judge beside the rules that people use today, on the same simulated traffic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from bench.judge.kinds import AT_TOLERANCE, LOOKS
from bench.judge.policies import ALPHA, BETA, ERROR_RATE, ONE_POINT, policy_of
from bench.judge.rollouts import ERRORS, SERINUS, Ends, Scenario, simulate
from bench.judge.rules import MINUTE, Counted, Difference, FailureCount, Oracle, Peeking, Ranks, Rule, count
from bench.judge.traffic import Errors
from serinus.judge import Counts, Past

ORACLE = "SPRT told both rates"

FLAGGER = FailureCount("Flagger", 0.01, interval=MINUTE, failures=10, pace=MINUTE)
ARGO = FailureCount("Argo Rollouts", 0.05, interval=5 * MINUTE, failures=3, pace=10 * MINUTE)
KAYENTA = Ranks("Kayenta", 1.0, interval=60 * MINUTE)
PEEKING = Peeking("z-test each tick", 2.326, tolerance=ONE_POINT.delta, proof=1.645)
DIFFERENCE = Difference("fixed difference", 0.02)
DEFAULTS: tuple[Rule, ...] = (FLAGGER, ARGO, KAYENTA, PEEKING, DIFFERENCE)
"""As documented; the z-test at 1 % and 5 %, one-sided, as if each look were the only one."""

_FAILURES = (1, 2, 3, 5, 10)
_TRIAL = Errors(canary=0.03)
"""Of the settings that keep α, the one that finds this canary first suits best."""

_RANKED = 20
"""Of so many rollouts one goes through Kayenta's rule, which takes 1000 times as long as the others."""


@dataclass(frozen=True)
class _Recorded:
    """Errors that were counted before, so that the judge sees what the rules see."""

    errors: Errors
    counted: Counted

    def past(self, rng: Generator) -> Past:
        return self.errors.past(rng)

    def ticks(self, rng: Generator, rollouts: int) -> Iterator[tuple[Counts, Counts]]:
        n = [np.full(rollouts, float(size)) for size in self.counted.sizes]
        for xc, xs in zip(self.counted.xc.T, self.counted.xs.T, strict=True):
            yield Counts(n[0], xc), Counts(n[1], xs)


@dataclass(frozen=True)
class Race:
    """All rules on one kind of traffic for an hour."""

    errors: Errors
    rules: tuple[Rule, ...]

    def __call__(self, rollouts: int, rng: Generator) -> Mapping[str, Ends]:
        """Each rule's ends, by name."""
        counted = count(self.errors, rollouts, LOOKS, rng)
        scenario = Scenario(policy_of(ERROR_RATE), ((ERRORS, _Recorded(self.errors, counted)),), LOOKS)
        ends = {SERINUS: simulate(scenario, rollouts, rng), ORACLE: self._oracle().ends(counted)}
        return ends | {rule.name: rule.ends(_part(rule, counted)) for rule in self.rules}

    def _oracle(self) -> Rule:
        """Where there is no regression it looks for one of twice the tolerance."""
        twice = self.errors.stable + 2 * ONE_POINT.delta
        canary = self.errors.canary if self.errors.canary > ONE_POINT.at(self.errors.stable) else twice
        proof = float(np.log(1 / BETA))
        return Oracle(ORACLE, float(np.log(1 / ALPHA)), canary, self.errors.stable, ONE_POINT, proof)


def tuned(rollouts: int, rng: Generator) -> tuple[Rule, ...]:
    """Each rule with the threshold that suits this traffic best.

    That is the lowest with which at most α of the canaries at the tolerance are rolled back within an hour. Only this
    simulation can know it: it depends on the stable's error rate, the traffic and the number of looks.
    """
    at_tolerance, trial = (count(errors, rollouts, LOOKS, rng) for errors in (AT_TOLERANCE, _TRIAL))
    rules = (
        _best_count(FLAGGER, at_tolerance, trial),
        _best_count(ARGO, at_tolerance, trial),
        _fitted(replace(KAYENTA, interval=5 * MINUTE), at_tolerance),
        _fitted(replace(PEEKING, proof=_proof(PEEKING, at_tolerance)), at_tolerance),
        _fitted(DIFFERENCE, at_tolerance),
    )
    return tuple(replace(rule, name=f"{rule.name}, tuned") for rule in rules)


def _fitted(rule: Rule, at_tolerance: Counted) -> Rule:
    needed = rule.needed(_part(rule, at_tolerance))
    return replace(rule, limit=float(np.quantile(needed, 1 - ALPHA, method="higher")))


def _best_count(rule: FailureCount, at_tolerance: Counted, trial: Counted) -> Rule:
    fitted = [_fitted(replace(rule, failures=failures), at_tolerance) for failures in _FAILURES]
    return min(fitted, key=lambda each: float(np.minimum(each.ends(trial).rollback, LOOKS).mean()))


def _proof(rule: Peeking, at_margin: Counted) -> float:
    """With it the z-test lets at most β of the canaries at the margin go on."""
    return float(np.quantile(-rule.scores(at_margin).min(axis=-1), 1 - BETA, method="higher"))


def _part(rule: Rule, counted: Counted) -> Counted:
    return counted.first(max(1, len(counted.xc) // _RANKED)) if isinstance(rule, Ranks) else counted
