"""Where the arms of a latency are compared: chords through the bounds, and what happens where there is none."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from serinus.judge import GUARD, Boundary, Evidence, Histogram, Latency, Past, Policy, State, Tick
from serinus.judge.evidence import Floats
from serinus.judge.kinds.thresholds import Stable
from serinus.judge.tick import settle
from tests.judge.traffic import ISTIO_BOUNDS, POINTS, Traffic

FINITE = np.array(ISTIO_BOUNDS[:-1])


def by_hand(within: Floats, latency: float) -> float:
    """The share slower than `latency`: probit of the share against log latency, through the bounds around it."""
    right = int(np.clip(np.searchsorted(FINITE, latency), 1, FINITE.size - 1))
    n = within[-1]
    z = ndtri(np.clip(within[right - 1 : right + 1] / n, 0.5 / n, 1 - 0.5 / n))
    logs = np.log(FINITE[right - 1 : right + 1])
    return float(1 - ndtr(z[0] + (np.log(latency) - logs[0]) / (logs[1] - logs[0]) * (z[1] - z[0])))


@pytest.mark.parametrize("rollouts", [(), (3,), (2, 3)])
def test_every_boundary_has_the_chord_of_its_own_rollout(rollouts: tuple[int, ...]) -> None:
    random = np.random.default_rng(5)
    took = random.lognormal(4.0, 0.7, (*rollouts, 3000))
    within = np.stack([(took <= bound).sum(axis=-1) for bound in ISTIO_BOUNDS], axis=-1).astype(float)
    shape = (*rollouts, 4, 2)
    latency, at, where = np.exp(random.uniform(2, 6, shape)), random.integers(2, 8, shape), random.random(shape) < 0.7
    found = np.full(shape, np.nan)
    found[where] = Stable(ISTIO_BOUNDS, within).ratio(at, latency, where)
    for place in np.ndindex(*shape):
        of = within[place[:-2]]
        slower_than_bound = 1 - of[at[place]] / of[-1]
        expected = np.clip(by_hand(of, latency[place]) / max(slower_than_bound, 1e-9), 1e-6, 1e6)
        assert found[place] == pytest.approx(expected, rel=1e-9) if where[place] else np.isnan(found[place])


def test_a_bake_on_a_histogram_with_one_finite_bound_leaves_the_wealth_as_it_is() -> None:
    """No chord goes through one bound: a bet on one would make the wealth NaN, and nothing could roll back again."""
    bounds = (100.0, np.inf)
    latency = Latency("latency", Boundary(delta=50.0), Boundary(delta=50.0))
    policy = Policy(metrics=(latency,), guard=POINTS)
    seen, guard = Histogram(bounds, np.array([900.0, 1000.0])), Traffic(1).counts(300, 0.01)
    state = State.start(policy, {"latency": Past(Histogram(bounds, np.array([9e3, 1e4])))})
    state = settle(policy, state, Tick(0, {"latency": Evidence(seen), GUARD: Evidence(guard)}, bake=True))
    wealth = state.ledgers[0].purse.test_wealth(state.ticks, policy.planned_ticks)
    assert np.isfinite(wealth).all()
