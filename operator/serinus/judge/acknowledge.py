"""A person has seen what is worse and goes on all the same: that evidence is spent, and only what is new counts."""

from dataclasses import replace

import numpy as np

from serinus.judge import wealth
from serinus.judge.evidence import Floats, Integers
from serinus.judge.ledger import Ledger
from serinus.judge.policy import GUARD, Policy
from serinus.judge.state import State


def acknowledge(policy: Policy, state: State) -> tuple[State, tuple[str, ...]]:
    """The state in which every test that points to a rollback has its wealth restarted at 1, and the metrics it is of.

    A test points to a rollback while its wealth is above 1. Restarted, it is a new test of the same hypothesis: what
    was worse is not rolled back by what was known already, and a new worsening is, at the same level alpha.
    """
    ledgers = tuple(_restarted(ledger, state.ticks, policy.planned_ticks) for ledger in state.ledgers)
    pairs = zip(policy.metrics, state.ledgers, ledgers, strict=True)
    names = [metric.name for metric, old, new in pairs if not np.array_equal(old.purse.rollback, new.purse.rollback)]
    guard = state.guard
    if guard.log_wealth(state.ticks, policy.planned_ticks) > 0:
        guard = replace(guard, halves=_fresh(guard.halves, state.ticks, policy.planned_ticks))
        names.append(GUARD)
    return replace(state, guard=guard, ledgers=ledgers), tuple(names)


def _restarted(ledger: Ledger, ticks: Integers, planned: int) -> Ledger:
    purse = ledger.purse
    points_to_rollback = purse.test_wealth(ticks, planned)[..., None] > 0
    fresh = _fresh(purse.rollback, ticks, planned)
    return replace(ledger, purse=replace(purse, rollback=np.where(points_to_rollback, fresh, purse.rollback)))


def _fresh(log_wealth: Floats, ticks: Integers, planned: int) -> Floats:
    """Log-wealth that is 1 with the cash that is kept back for later: all the rest of it invested in equal shares."""
    kept = np.exp(wealth.rollback_total(wealth.rollback_start(1), ticks, planned))
    invested = np.log((1.0 - kept) / wealth.SHARES) if kept < 1 else -np.inf
    return np.full_like(log_wealth, invested)
