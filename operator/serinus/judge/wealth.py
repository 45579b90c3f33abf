"""Wealth: the running product of e-values, as logarithms; the last axis has the alternatives of a mixture."""

import numpy as np

from serinus.judge.bets import ODDS
from serinus.judge.evidence import Floats, Integers

HEDGE = 0.003
"""Share of each rollback bet that is kept back, so that one bad tick cannot ruin it."""

_LOG_BET, _LOG_HEDGE = np.log1p(-HEDGE), np.log(HEDGE)
_FIRST = 0.7  # invested at tick 0; the rest restarts the bets, so that a late regression is found as well
_LATER = 1 - _FIRST
SHARES = len(ODDS)
"""How many alternatives share the wealth of a test."""


def rollback_start(*shape: int) -> Floats:
    """Log-wealth of tests of this shape before the first tick, shape (*shape, 6): nothing is invested yet."""
    return np.full((*shape, SHARES), -np.inf)


def rollback_step(log_wealth: Floats, log_e: Floats, tick: Integers, planned: int) -> Floats:
    """Log-wealth of each alternative after the tick number `tick` (from 0) of a plan of `planned` ticks.

    At tick 0 a share of 0.7 is invested, at tick t ≥ 1 another 0.3·T/((T+t−1)(T+t)): these restarts find a
    regression that begins late, however late. Each factor is (1−h)·e + h.

    `tick` is one for all, or has the leading axis of the wealth (..., tests, 6).
    """
    before = planned + np.maximum(tick, 1) - 1.0
    invested = np.where(np.equal(tick, 0), _FIRST, _LATER * planned / (before * (before + 1.0)))
    grown = np.logaddexp(log_wealth, np.log(invested / SHARES)[..., None, None])
    return np.asarray(grown + np.logaddexp(_LOG_BET + log_e, _LOG_HEDGE))


def rollback_total(log_wealth: Floats, ticks: Integers, planned: int) -> Floats:
    """Log of each test's whole wealth after `ticks` ticks: Σ of the alternatives and the cash not yet invested.

    `ticks` is one for all, or has the leading axis of the wealth (..., tests, 6).
    """
    cash = np.where(np.equal(ticks, 0), 1.0, _LATER * planned / (planned + np.maximum(ticks, 1) - 1.0))
    return np.asarray(np.logaddexp(np.logaddexp.reduce(log_wealth, axis=-1), np.log(cash)[..., None]))


def promote_start(*shape: int) -> Floats:
    """Log-wealth at the start of a step: 1 for each test, in equal shares of its alternatives, the last axis."""
    return np.full(shape, -np.log(shape[-1]))


def promote_step(log_wealth: Floats, log_e: Floats, beta: float) -> Floats:
    """Log-wealth of each alternative after a tick; the whole of a test is capped at 1/β².

    Throwing wealth away keeps it valid, and without the cap a canary that was good for an hour and has just turned
    bad would be promoted on its past.
    """
    grown = log_wealth + log_e
    surplus = promote_total(grown) + 2 * np.log(beta)
    return np.asarray(grown - np.maximum(0.0, surplus)[..., None])


def promote_total(log_wealth: Floats) -> Floats:
    """Log of each test's whole promote wealth."""
    return np.asarray(np.logaddexp.reduce(log_wealth, axis=-1))


def average(log_wealth: Floats) -> Floats:
    """Log of the mean wealth of the tests, the last axis: an e-value whatever their dependence (Vovk, Wang 2021)."""
    return np.asarray(np.logaddexp.reduce(log_wealth, axis=-1) - np.log(log_wealth.shape[-1]))
