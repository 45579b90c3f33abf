"""Where a promotion compares latencies: under a wide tolerance a fast canary is proven to be fine, a slow one not."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, ndtr, xlogy

from serinus.judge import GUARD, Boundary, Evidence, Histogram, Latency, Past, Policy, State, Tick, judge
from serinus.judge.bets import TwoArms
from serinus.judge.evidence import Floats
from serinus.judge.findings import outcomes
from serinus.judge.kinds.latency import LatencyMemory
from serinus.judge.tick import settle
from tests.judge.test_kinds import settled
from tests.judge.traffic import ISTIO_BOUNDS, POINTS, Traffic

FIFTY = Boundary(delta=50.0)
ROLLBACK, PROMOTION = 0, 1
BOUNDS = np.array(ISTIO_BOUNDS)
ONE_IN_EACH = np.arange(1.0, BOUNDS.size + 1)
"""Requests within each bound: as many are slower than a bound as there are bounds above it."""


def within(median: float, later: float = 0.0, *, above: float = 0.0, spread: float = 0.5) -> Floats:
    """Shares of requests within each bound; those above the quantile `above` take so much longer."""
    fast, slow = (ndtr(np.log(np.maximum(BOUNDS - added, 1e-9) / median) / spread) for added in (0.0, later))
    return np.asarray(np.maximum(slow, np.minimum(fast, above)))


def latency(*quantiles: float) -> Latency:
    return Latency("latency", FIFTY, FIFTY, quantiles=quantiles, gates=quantiles)


def known(median: float, spread: float = 0.5) -> Past:
    return Past(Histogram(ISTIO_BOUNDS, 1e6 * within(median, spread=spread)))


def asked(past: Past, metric: Latency, seen: Histogram) -> TwoArms:
    """The tests of the next tick, on both sides: shape (quantiles, sides, legs)."""
    return LatencyMemory.start(metric, past, ()).bets(metric, seen, seen, np.zeros(1), None).wagers[0].tests


def compared(past: Past, quantile: float, side: int) -> tuple[float, float, float]:
    """Slower than which bound of the canary's is held against slower than which of the stable's, times what."""
    tests = asked(past, latency(quantile), Histogram(ISTIO_BOUNDS, ONE_IN_EACH))
    canary, stable = (float(BOUNDS[::-1][int(np.asarray(slower)[0, side, 0])]) for slower in (tests.xc, tests.xs))
    return canary, stable, round(float(np.asarray(tests.rho)[0, side, 0]), 2)


@pytest.mark.parametrize(
    ("median", "promotion"),
    [
        (2.0, (50.0, 5.0, 1.0)),
        (4.0, (50.0, 5.0, 1.0)),
        (8.0, (50.0, 10.0, 1.0)),
        (15.0, (50.0, 25.0, 1.0)),
        (24.0, (50.0, 25.0, 1.0)),
        (40.0, (100.0, 50.0, 1.0)),  # at the bounds around 90 ms: more is slower than 50 ms than would be needed
    ],
)
def test_a_promotion_compares_where_an_identical_canary_tells_most(
    median: float, promotion: tuple[float, float, float]
) -> None:
    assert compared(known(median), 0.5, PROMOTION) == promotion


def test_with_one_bound_only_between_a_promotion_takes_the_stables_share_at_its_quantile_from_the_chord() -> None:
    """+50 ms on a p50 of 60 ms: half of such a canary's requests take more than 100 ms, of the stable's one half 60."""
    past = known(60.0)
    slower_than_50 = 1 - within(60.0)[ISTIO_BOUNDS.index(50.0)]
    assert compared(past, 0.5, PROMOTION) == (100.0, 50.0, round(0.5 / slower_than_50, 2))


def test_a_model_is_not_asked_where_bounds_say_enough() -> None:
    """On a p50 of 28 ms the chord would say more than 50 ms against 100 ms, but not ten times as much."""
    assert compared(known(28.0), 0.5, PROMOTION) == (100.0, 50.0, 1.0)
    canary, stable, _ = compared(known(28.0, spread=0.1), 0.5, PROMOTION)
    assert (canary, stable) == (50.0, 25.0)  # hardly a request is slower than 50 ms


@pytest.mark.parametrize("median", [2.0, 4.0, 8.0, 15.0, 24.0, 40.0])
def test_a_rollback_compares_at_the_bounds_around_what_is_allowed(median: float) -> None:
    assert compared(known(median), 0.5, ROLLBACK) == (100.0, 50.0, 1.0)


def multinomial(n: int, shares: tuple[float, ...]) -> list[tuple[Floats, float]]:
    """Every outcome of `n` requests in so many classes, with its probability."""
    p = np.array(shares)
    drawn = (np.array(x, dtype=float) for x in product(range(n + 1), repeat=p.size) if sum(x) == n)
    return [(x, float(np.exp(gammaln(n + 1) - gammaln(x + 1).sum() + xlogy(x, p).sum()))) for x in drawn]


@settings(max_examples=30, deadline=None)
@given(
    history=st.sampled_from([(2.0, 5.0), (4.0, 5.0), (8.0, 10.0), (15.0, 25.0), (24.0, 25.0)]),
    fast=st.floats(0.5, 1.0),
    slow=st.floats(0.5, 1.0),
    rest=st.floats(0.0, 1.0),
)
def test_no_canary_beyond_the_margin_expects_to_gain_a_promotion_whatever_its_latencies(
    history: tuple[float, float], fast: float, slow: float, rest: float
) -> None:
    """Half of the stable's requests at least are within the bound above p50, half of the canary's slower than 50 ms."""
    median, above = history
    past, metric = known(median), latency(0.5)
    at = [ISTIO_BOUNDS.index(bound) for bound in (above, 50.0)]
    expected: Floats | float = 0.0
    for (canary, pc), (stable, ps) in product(
        multinomial(3, ((1 - slow) * rest, (1 - slow) * (1 - rest), slow)), multinomial(3, (fast, 1 - fast))
    ):
        of_canary, of_stable = np.zeros(BOUNDS.size), np.zeros(BOUNDS.size)
        of_canary[[0, at[1], at[1] + 1]] = canary
        of_stable[[at[0], at[0] + 1]] = stable
        arms = (Histogram(ISTIO_BOUNDS, np.cumsum(each)) for each in (of_canary, of_stable))
        bets = settled(LatencyMemory.start(metric, past, ()).bets(metric, next(arms), next(arms), np.zeros(1), None))
        expected = expected + pc * ps * np.exp(np.asarray(bets.promote))
    assert (np.asarray(expected) <= 1 + 1e-9).all()


def promoted(metric: Latency, stable: Floats, canary: Floats, ticks: int, rollouts: int = 200) -> float:
    """The share that was promoted at any of so many ticks of 150 and 1 350 requests."""
    traffic = Traffic(11, (rollouts,))
    policy = Policy(metrics=(metric,), guard=POINTS)
    history = np.cumsum(traffic.rng.multinomial(500_000, np.diff(stable, prepend=0.0)))
    state = State.start(policy, {"latency": Past(Histogram(ISTIO_BOUNDS, history.astype(float)))}, rollouts=(rollouts,))
    ever = np.zeros(rollouts, dtype=bool)
    for _ in range(ticks):
        slow, usual = (
            Histogram(
                ISTIO_BOUNDS, np.cumsum(traffic.rng.multinomial(n, np.diff(each, prepend=0.0), rollouts), -1) * 1.0
            )
            for n, each in ((150, canary), (1350, stable))
        )
        guard = Evidence(traffic.counts(150, 0.001), traffic.counts(1350, 0.001))
        tick = Tick(0, {"latency": Evidence(slow, usual), GUARD: guard})
        state = settle(policy, state, tick, with_intervals=False)
        ever |= outcomes(policy, state, tick, window=0) > 0
    return float(ever.mean())


@pytest.mark.parametrize("median", [2.0, 4.0, 15.0, 25.0])
def test_an_identical_canary_of_a_fast_service_is_promoted(median: float) -> None:
    same = within(median, spread=0.6)
    assert promoted(latency(0.5, 0.9), same, same, ticks=8) > 0.95


@pytest.mark.parametrize(("median", "above"), [(3.1, 0.0), (3.1, 0.99), (18.7, 0.99)])
def test_a_canary_at_the_margin_of_a_fast_service_is_rarely_promoted(median: float, above: float) -> None:
    """All requests are 50 ms slower, or the slowest 1 %: at a p99 just below 10 ms, and by the chord at 60 ms."""
    slower = within(median, 50.0, above=above)
    assert promoted(latency(0.5, 0.9, 0.99), within(median), slower, ticks=60) <= 0.05


def test_a_row_says_that_a_promotion_needs_the_chord_where_a_rollback_does_not() -> None:
    """+50 ms on 30 ms: a slow canary shows at 100 ms, but hardly a request of either arm is slower than 50 ms."""
    seen = Histogram(ISTIO_BOUNDS, 3000 * within(30.0, spread=0.1))
    policy = Policy(metrics=(latency(0.5),), guard=POINTS)
    state = State.start(policy, {"latency": known(30.0, spread=0.1)})
    guard = Traffic(1).counts(300, 0.01)
    _, rows, _ = judge(
        policy, state, Tick(0, {"latency": Evidence(seen, seen), GUARD: Evidence(guard, guard)}), window=0
    )
    assert rows[0].model == "chord between histogram bounds"
