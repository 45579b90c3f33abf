"""The e-values are what they claim to be: no null, however unlucky, expects to gain."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, xlog1py, xlogy

from serinus.judge.bets import alternatives, best_bet, log_e, log_e_one_arm

RATES = st.floats(0.0, 1.0)
SIZES = st.integers(1, 12)
SIDES = st.sampled_from([+1, -1])
HUGE = st.integers(0, 10**12)


def binomial(n: int, p: float) -> np.ndarray:
    """The probabilities of 0 … n events."""
    x = np.arange(n + 1)
    return np.exp(gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1) + xlogy(x, p) + xlog1py(n - x, -p))


@settings(max_examples=300, deadline=None)
@given(
    nc=SIZES, ns=SIZES, side=SIDES, theta_s=RATES, guess=RATES, theta_star=RATES,
    rho=st.floats(0.5, 3.0), delta=st.floats(0.0, 0.5), slack=RATES,
)  # fmt: skip
def test_no_null_expects_to_gain(
    nc: int, ns: int, side: int, theta_s: float, guess: float, theta_star: float, rho: float, delta: float, slack: float
) -> None:
    """E[e] ≤ 1, by enumeration of all outcomes, wherever the bet was aimed and wherever on the null the truth is."""
    boundary = rho * theta_s + delta
    theta_c = boundary * slack if side > 0 else boundary + (1 - boundary) * slack
    if not 0 <= theta_c <= 1 or (side < 0 and boundary > 1):
        return  # no canary can be there: the null is empty on this side
    s0, lam = best_bet(nc, ns, np.array([theta_star]), guess, rho, delta)
    xc, xs = np.arange(nc + 1)[:, None], np.arange(ns + 1)[None, :]
    e = np.exp(log_e(nc, xc, ns, xs, s0, lam, rho, delta, side))
    expected = float((binomial(nc, theta_c)[:, None] * binomial(ns, theta_s)[None, :] * e).sum())
    assert expected <= 1 + 1e-9


@settings(max_examples=100, deadline=None)
@given(n=SIZES, limit=st.floats(0.01, 0.99), share=RATES, side=SIDES)
def test_no_null_of_one_arm_expects_to_gain(n: int, limit: float, share: float, side: int) -> None:
    truth = limit * share if side > 0 else limit + (1 - limit) * share
    e = np.exp(log_e_one_arm(n, np.arange(n + 1)[:, None], alternatives(limit, side), limit))
    expected = (binomial(n, truth)[:, None] * e).sum(axis=0)
    assert (expected <= 1 + 1e-9).all()


@settings(max_examples=200, deadline=None)
@given(
    nc=HUGE, ns=HUGE, share_c=RATES, share_s=RATES, guess=RATES, side=SIDES,
    rho=st.floats(1e-6, 1e3), delta=st.floats(-1.0, 1.0),
)  # fmt: skip
def test_every_input_has_a_finite_answer(
    nc: int, ns: int, share_c: float, share_s: float, guess: float, side: int, rho: float, delta: float
) -> None:
    """No NaN, no infinity, for any 0 ≤ x ≤ n ≤ 10¹² and any boundary."""
    theta = alternatives(np.clip(rho * guess + delta, 0, 1), side)
    s0, lam = best_bet(nc, ns, theta, guess, rho, delta)
    assert np.isfinite(log_e(nc, round(nc * share_c), ns, round(ns * share_s), s0, lam, rho, delta, side)).all()


@given(x=st.integers(0, 299), xs=st.integers(0, 2700), guess=st.floats(0.001, 0.2))
def test_more_errors_never_speak_for_the_canary(x: int, xs: int, guess: float) -> None:
    theta = alternatives(guess + 0.02, +1)
    s0, lam = best_bet(300, 2700, theta, guess, 1.0, 0.02)
    fewer = log_e(300, x, 2700, xs, s0, lam, 1.0, 0.02, +1)
    more = log_e(300, x + 1, 2700, xs, s0, lam, 1.0, 0.02, +1)
    assert (more >= fewer).all()


@pytest.mark.parametrize(("theta_c", "theta_s"), [(0.05, 0.01), (0.2, 0.002), (0.4, 0.3)])
def test_the_best_bet_is_a_minimum(theta_c: float, theta_s: float) -> None:
    """s0 minimises nc·KL(θc‖ρs0+δ) + ns·KL(θs‖s0), found here by brute force."""
    nc, ns, rho, delta = 300, 2700, 1.0, 0.01
    s0, _ = best_bet(nc, ns, np.array([theta_c]), theta_s, rho, delta)

    def cost(s: np.ndarray) -> np.ndarray:
        c = rho * s + delta
        kl_c = theta_c * np.log(theta_c / c) + (1 - theta_c) * np.log((1 - theta_c) / (1 - c))
        return nc * kl_c + ns * (theta_s * np.log(theta_s / s) + (1 - theta_s) * np.log((1 - theta_s) / (1 - s)))

    grid = np.linspace(1e-6, 0.6, 600_001)
    assert math.isclose(float(s0[0]), float(grid[cost(grid).argmin()]), abs_tol=2e-6)
