"""The row that needs no simulation: whether a bet can be expected to gain where nothing is wrong."""

import numpy as np
from numpy.random import Generator
from scipy.special import gammaln, xlog1py, xlogy

from bench.judge.row import Estimate, Row, Section
from serinus.judge.bets import alternatives, best_bet, log_e
from serinus.judge.evidence import Floats

LARGEST = 40
"""Requests of an arm: all outcomes of both arms are enumerated."""


def expectations(nulls: int, rng: Generator) -> Row:
    """The largest E[e] over random nulls, sizes, boundaries, guesses and both sides, by enumeration."""
    largest = max(float(_expectation(rng).max()) for _ in range(nulls))
    estimate = Estimate(largest, 0.0, nulls)
    return Row(Section.EXACT, "largest E[e], nulls enumerated", estimate, "", at_most=1 + 1e-9)


def _expectation(rng: Generator) -> Floats:
    """E[e] of each bet of the mixture in one random case."""
    side = int(rng.choice([-1, 1]))
    nc, ns = (int(n) for n in rng.integers(1, LARGEST + 1, 2))
    rho, delta = rng.uniform(0.5, 2.0), rng.uniform(0.0, 0.2)
    stable = rng.uniform(0.0, 1.0) ** 2 * min(1.0, (1 - delta) / rho)
    boundary = min(1.0, rho * stable + delta)
    canary = boundary * rng.uniform() ** 0.2 if side > 0 else boundary + (1 - boundary) * rng.uniform() ** 5
    guess = rng.uniform(0.0, 1.0) ** 2
    s0, lam = best_bet(nc, ns, alternatives(rho * guess + delta, side), guess, rho, delta)
    xc, xs = np.arange(nc + 1.0)[:, None, None], np.arange(ns + 1.0)[:, None]
    e = np.exp(log_e(nc, xc, ns, xs, s0, lam, rho, delta, side))
    return np.asarray(np.einsum("i,j,ijk->k", _binomial(nc, canary), _binomial(ns, stable), e))


def _binomial(n: int, p: float) -> Floats:
    """The probabilities of 0 … n events."""
    x = np.arange(n + 1)
    return np.asarray(np.exp(gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1) + xlogy(x, p) + xlog1py(n - x, -p)))
