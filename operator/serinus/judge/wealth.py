"""Wealth: the running product of e-values, as logarithms, one entry for each alternative of the mixture."""

import numpy as np

from serinus.judge.proportion import ODDS, Floats

HEDGE = 0.003
"""Share of each rollback bet that is kept back, so that one bad tick cannot ruin it."""

_FIRST = 0.7  # invested at tick 0; the rest restarts the bets, so that a late regression is found as well
_LATER = 1 - _FIRST
SHARES = len(ODDS)
"""How many alternatives share the wealth."""


def rollback_start() -> Floats:
    """Log-wealth of the alternatives before the first tick: nothing is invested yet."""
    return np.full(SHARES, -np.inf)


def rollback_step(log_wealth: Floats, log_e: Floats, tick: int, planned: int) -> Floats:
    """Log-wealth of each alternative after the tick number `tick` (from 0) of a plan of `planned` ticks.

    At tick 0 a share of 0.7 is invested, at tick t ≥ 1 another 0.3·T/((T+t−1)(T+t)): these restarts find a
    regression that begins late, however late. Each factor is (1−h)·e + h.
    """
    invested = _FIRST if tick == 0 else _LATER * planned / ((planned + tick - 1.0) * (planned + tick))
    grown = np.logaddexp(log_wealth, np.log(invested / SHARES))
    return np.asarray(grown + np.logaddexp(np.log1p(-HEDGE) + log_e, np.log(HEDGE)))


def rollback_total(log_wealth: Floats, ticks: int, planned: int) -> float:
    """Log of the whole wealth after `ticks` ticks: Σ of the alternatives and the cash not yet invested."""
    if ticks == 0:
        return 0.0
    cash = np.log(_LATER * planned / (planned + ticks - 1.0))
    return float(np.logaddexp.reduce(np.append(log_wealth, cash)))


def promote_start() -> Floats:
    """Log-wealth of the alternatives at the start of a step: 1, in equal shares."""
    return np.full(SHARES, -np.log(SHARES))


def promote_step(log_wealth: Floats, log_e: Floats, beta: float) -> Floats:
    """Log-wealth of each alternative after a tick; the whole is capped at 1/β².

    Throwing wealth away keeps it valid, and without the cap a canary that was good for an hour and has just turned
    bad would be promoted on its past.
    """
    grown = log_wealth + log_e
    surplus = np.logaddexp.reduce(grown) + 2 * np.log(beta)
    return grown - max(0.0, float(surplus))


def promote_total(log_wealth: Floats) -> float:
    """Log of the whole promote wealth."""
    return float(np.logaddexp.reduce(log_wealth))
