"""From wealth to what decides: a rollback, one of the reasons to hold, or a promotion (R06)."""

import functools
import operator
from collections.abc import Iterable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from serinus.judge.evidence import Floats, Integers, Mask, Tick
from serinus.judge.ledger import Ledger
from serinus.judge.policy import GUARD, Metric, Policy
from serinus.judge.state import State
from serinus.judge.tick import evidence_of

RECENT = 2
"""Promotion needs data in this many last ticks ..."""
COVERED = 0.9
"""... and in this share of the window."""

_EPSILON = 1e-6  # slots: the lengths of shorter ticks add up only so exactly


class Finding(IntEnum):
    """What decides: the first of these that is so. Only the first rolls back, only the last promotes.

    `findings` asks for them in this order.
    """

    ROLLBACK = 0
    WEIGHT_CHANGING = 1
    MISSING = 2
    INCOMPLETE = 3
    WAITING_FOR_REQUESTS = 4
    REGRESSED = 5
    UNPROVEN = 6
    WINDOW_OPEN = 7
    PROMOTE = 8


def findings(policy: Policy, state: State, tick: Tick, *, window: Integers) -> NDArray[np.intp]:
    """What decides after `tick`, from the state after it: a Finding for each rollout, of the state's leading axes.

    Rollback: the weighted average of the wealths of all that may roll back, the guard among them, is at least 1/α
    (an average of e-values is an e-value whatever their dependence; Vovk, Wang 2021). Promote: every gating row is
    proven now (or, with `promote_on` notWorse, shows no sign of a regression), none regressed, no data missing, enough
    requests in each arm, the window over. With all traffic on the canary there is nothing left to prove; a tick in
    which the weight changed never promotes.
    """
    own = gating(policy, state)
    is_over = rolls_back(policy, state)
    in_order: tuple[Mask | bool, ...] = (
        is_over,
        _straddles(policy, tick),
        any(evidence_of(tick, metric.name).missing is not None for metric, _ in own),
        _any(is_incomplete(ledger, window) for _, ledger in own),
        _lacks_requests(policy, state, bake=tick.bake),
        _any(_has_regressed(policy, state, *each) for each in own),
        False if tick.bake else _any(~_is_fine(policy, state, *each) for each in own),
        functools.reduce(np.maximum, (ledger.watch.ticks for ledger in state.ledgers)) < window - _EPSILON,
    )
    found = np.full(np.shape(is_over), len(in_order), dtype=np.intp)
    for number in reversed(range(len(in_order))):
        if in_order[number] is not False:
            found = np.where(in_order[number], number, found)
    return found


def finding(policy: Policy, state: State, tick: Tick, *, window: int) -> Finding:
    """What decides after `tick` on one rollout."""
    return Finding(int(findings(policy, state, tick, window=window)))


def rolls_back(policy: Policy, state: State) -> Mask:
    """Whether the family's wealth is at least 1/α."""
    family = functools.reduce(np.logaddexp, family_wealth(policy, state).values())
    return np.asarray(family >= np.log(1 / policy.alpha))


def outcomes(policy: Policy, state: State, tick: Tick, *, window: Integers) -> NDArray[np.intp]:
    """The verdicts as numbers: +1 promote, 0 hold, −1 rollback."""
    found = findings(policy, state, tick, window=window)
    return np.where(found == Finding.PROMOTE, 1, np.where(found == Finding.ROLLBACK, -1, 0))


def family_wealth(policy: Policy, state: State) -> dict[str, Floats]:
    """For each member that may roll back, the logarithm of its weighted wealth: its term of the average."""
    planned, ticks = policy.planned_ticks, state.ticks
    totals = {
        metric.name: ledger.family_wealth(metric, ticks, planned)
        for metric, ledger in zip(policy.metrics, state.ledgers, strict=True)
    } | {GUARD: state.guard.log_wealth(ticks, planned)}
    return {name: np.log(share) + totals[name] for name, share in policy.weights.items()}


def gating(policy: Policy, state: State) -> list[tuple[Metric, Ledger]]:
    """The metrics that can block a promotion."""
    pairs = zip(policy.metrics, state.ledgers, strict=True)
    return [(metric, ledger) for metric, ledger in pairs if metric.gating]


def _straddles(policy: Policy, tick: Tick) -> bool:
    return any(evidence_of(tick, name).straddles for name in (GUARD, *(metric.name for metric in policy.metrics)))


def is_incomplete(ledger: Ledger, window: Integers) -> Mask:
    """Whether a metric lacks data in the last ticks, or in more of the window than a promotion can do without."""
    watch = ledger.watch
    is_recent = np.greater_equal(watch.since_missing, np.minimum(RECENT, watch.ticks) - _EPSILON)
    is_covered = np.greater_equal(watch.good, COVERED * np.minimum(watch.ticks, window) - _EPSILON)
    return np.asarray(~(is_recent & is_covered))


def _lacks_requests(policy: Policy, state: State, *, bake: bool) -> Mask:
    return _any(seen < policy.min_requests for seen in requests(state, bake=bake).values())


def requests(state: State, *, bake: bool) -> dict[str, Floats]:
    """The guard counts requests; where nobody feeds it, a metric that counts as many units does as well."""
    guard = state.guard.watch
    counted = [(np.asarray(guard.canary.n), np.asarray(guard.stable.n))]
    counted += [ledger.watch.memory.requests() for ledger in state.ledgers]
    arms = {"canary": [canary for canary, _ in counted], "stable": [stable for _, stable in counted]}
    return {name: functools.reduce(np.maximum, seen) for name, seen in arms.items() if not (bake and name == "stable")}


def _has_regressed(policy: Policy, state: State, metric: Metric, ledger: Ledger) -> Mask:
    rows = ledger.purse.row_wealth(state.ticks, policy.planned_ticks)[..., ledger.watch.memory.shape(metric).gates]
    return np.asarray((rows >= np.log(1 / policy.alpha)).any(axis=-1))


def _is_fine(policy: Policy, state: State, metric: Metric, ledger: Ledger) -> Mask:
    """Whether the metric allows a promotion: each row that gates is proven, or at least not worse."""
    gates = list(ledger.watch.memory.shape(metric).gates)
    if policy.promote_on == "proven":
        return np.asarray((ledger.purse.promote_wealth()[..., gates] >= np.log(1 / policy.beta)).all(axis=-1))
    rows = ledger.purse.row_wealth(state.ticks, policy.planned_ticks)[..., gates]
    is_quiet = (rows < np.log(1 / policy.alpha) / 2).all(axis=-1)
    return np.asarray(is_quiet & ledger.watch.memory.within_tolerance(metric)[..., gates].all(axis=-1))


def _any(masks: Iterable[Mask]) -> Mask:
    return functools.reduce(operator.or_, masks, np.asarray(False))
