"""Ticks of many rollouts that are settled at once: a record is judged again alone, and to the same bytes (I8)."""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import replace

import numpy as np
import pytest

from serinus.judge import (
    GUARD,
    Boundary,
    Counts,
    Events,
    Evidence,
    Histogram,
    Latency,
    Missing,
    Past,
    Policy,
    Proportion,
    Rate,
    State,
    Tick,
    nearest_to_rollback,
    rolls_back,
    settle,
)
from serinus.judge.findings import Finding, findings
from serinus.judge.together import Case, Settled, kin, settle_together
from tests.judge.traffic import EVERY_KIND, ISTIO_BOUNDS, PAST, POINTS, Traffic

QUICK = Boundary(rho=1.2, delta=5.0)
STACKED = Policy(
    metrics=(
        Proportion("errors", POINTS, POINTS),
        Proportion("conversion", Boundary(0.95, 0.05), Boundary(0.9, 0.1), higher_is_better=True),
        Latency("latency", QUICK, QUICK),
        Rate("retries", Boundary(rho=1.1), Boundary(rho=1.1)),
        Rate("throughput", Boundary(rho=1.1), Boundary(rho=1.1), two_sided=True, on_regression="report"),
    ),
    guard=POINTS,
    promote_on="notWorse",
)
NOISY = {"errors": Past(Counts(10_000, 90), excess=(1e-5,)), "latency": Past(excess=(1e-5, 1e-4, 0.0, 0.0))}
COARSE = (25.0, 100.0, 500.0, np.inf)


class Fleet:
    """Rollouts of one policy, each as far as it is, of which some go badly and some lack data now and then."""

    def __init__(self, policy: Policy, seed: int, size: int) -> None:
        self.policy = policy
        self._rng = np.random.default_rng(seed)
        self.states = [
            State.start(policy, {**PAST, **(NOISY if self._rng.random() < 0.5 else {})}) for _ in range(size)
        ]
        self._is_bad = self._rng.random(size) < 0.2
        self._steps = self._rng.integers(0, 3, size).tolist()
        for number in range(size):
            for _ in range(self._rng.integers(0, 6)):
                self.states[number] = settle(policy, self.states[number], self._tick(number))

    def cases(self) -> list[Case]:
        return [
            Case(state, self._tick(number), int(self._rng.choice([0, 4, 20])))
            for number, state in enumerate(self.states)
        ]

    def _tick(self, number: int) -> Tick:
        self._steps[number] += self._rng.random() < 0.1
        evidence = {name: self._seen(name, number) for name in (GUARD, *(each.name for each in self.policy.metrics))}
        length = float(self._rng.choice([1.0, 1.0, 0.2]))
        return Tick(self._steps[number], evidence, length, bake=bool(self._rng.random() < 0.2))

    def _seen(self, name: str, number: int) -> Evidence:
        rng, many = self._rng, int(self._rng.choice([0, 3, 40, 3000]))
        # Which of two sorts: each has rollouts enough to be settled together.
        is_other = number % 3 == 0
        if is_other and name == "retries":
            return Evidence(missing=Missing.STALE)
        missing = Missing.PARTIAL if is_other and name == "errors" else None
        straddles = bool(rng.random() < 0.02)
        bounds = COARSE if is_other else ISTIO_BOUNDS
        slower = 1.6 if self._is_bad[number] else 1.0
        arms = []
        for n, times in ((many, slower), (int(rng.choice([0, 200, 2700])), 1.0)):
            if name == "latency":
                took = rng.lognormal(3.5, 0.6, n) * times
                arms.append(Histogram(bounds, np.array([(took <= bound).sum() for bound in bounds], dtype=float)))
            elif name in ("retries", "throughput"):
                arms.append(Events(float(rng.poisson(0.01 * n * times)), n / 100))
            else:
                arms.append(Counts(float(n), float(rng.binomial(n, min(1.0, 0.01 * times**6)))))
        canary, stable = arms
        return Evidence(canary, None if rng.random() < 0.02 else stable, straddles, missing)


def alone(policy: Policy, case: Case) -> Settled:
    """What the judge says of a rollout by itself."""
    state = settle(policy, case.state, case.tick)
    finding = Finding(int(findings(policy, state, case.tick, window=case.window)))
    return Settled(state, finding, float(nearest_to_rollback(policy, state)))


def by_kin(policy: Policy, cases: list[Case]) -> list[list[Case]]:
    groups: dict[Hashable, list[Case]] = defaultdict(list)
    for case in cases:
        groups[kin(policy, case)].append(case)
    return list(groups.values())


@pytest.mark.parametrize("promote_on", ["proven", "notWorse"])
@pytest.mark.parametrize("seed", range(3))
def test_what_comes_of_each_is_the_same_to_the_bit_as_alone_I8(seed: int, promote_on: str) -> None:
    policy = replace(STACKED, promote_on=promote_on)
    fleet = Fleet(policy, seed, size=40)
    sizes = []
    for _ in range(4):
        after = []
        for cases in by_kin(policy, fleet.cases()):
            sizes.append(len(cases))
            for case, together in zip(cases, settle_together(policy, cases), strict=True):
                expected = alone(policy, case)
                assert together.state.pack() == expected.state.pack()
                assert (together.finding, together.nearest) == (expected.finding, expected.nearest)
                assert together.rolls_back == rolls_back(policy, expected.state)
                after.append(together.state)
        fleet.states = after
    assert max(sizes) >= 10, "hardly any were settled together"


def test_rollouts_that_differ_in_where_they_are_are_kin_and_those_that_lack_something_are_not() -> None:
    metric = Proportion("errors", POINTS, POINTS)
    policy = Policy(metrics=(metric,), guard=POINTS)
    seen = Evidence(Counts(300, 3), Counts(2700, 27))
    tick = Tick(0, {"errors": seen, GUARD: seen})
    before = State.start(policy)
    case = Case(before, tick, 4)
    known = kin(policy, case)
    further = settle(policy, before, replace(tick, length=0.2))
    assert kin(policy, Case(further, replace(tick, step=3, length=0.2), 20)) == known
    lacking = Evidence(Counts(300, 3), Counts(2700, 27), missing=Missing.PARTIAL)
    assert kin(policy, Case(before, replace(tick, evidence={"errors": lacking, GUARD: seen}), 4)) != known
    assert kin(policy, Case(before, replace(tick, bake=True), 4)) != known
    assert kin(replace(policy, alpha=0.02), case) != known


def test_kinds_whose_ticks_cannot_be_stacked_have_no_kin() -> None:
    assert kin(EVERY_KIND, Case(State.start(EVERY_KIND, PAST), Traffic(seed=1).tick(), 0)) is None


def test_a_state_that_is_kept_keeps_no_other() -> None:
    cases = by_kin(STACKED, Fleet(STACKED, 3, size=40).cases())
    largest = max(cases, key=len)
    for settled in settle_together(STACKED, largest):
        for ledger in settled.state.ledgers:
            assert ledger.purse.intervals.base is None
            assert ledger.purse.intervals.nbytes == ledger.purse.intervals.size * 4
