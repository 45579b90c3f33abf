"""One tick: every bet is made from what was known before it, then settled with its counts."""

from dataclasses import replace

import numpy as np

from serinus.judge import interval, wealth
from serinus.judge.evidence import Counts, Evidence
from serinus.judge.policy import Metric, Policy
from serinus.judge.proportion import ODDS, Floats, alternatives, best_bet, log_e, log_e_one_arm
from serinus.judge.state import GuardState, MetricState

_FADE = 0.98  # per tick: how fast the rates that bets are made from forget
_NOTHING = np.zeros(len(ODDS))
_NEAR, _FAR = 1.4, 4.0  # odds by which an interval's bet stays off the difference that it tests
_CANARY_PRIOR = 20.0  # requests' worth of belief that the canary is like the stable

# Which entries of one vector of bets belong to which test.
_ROLLBACK = slice(0, len(ODDS))
_PROMOTE = slice(len(ODDS), 2 * len(ODDS))
_INTERVAL = slice(2 * len(ODDS), 2 * len(ODDS) + 2 * interval.SHAPE.size)
_SIDES = np.repeat([1, -1, 1, -1], [len(ODDS), len(ODDS), interval.SHAPE.size, interval.SHAPE.size])


def new_step(metric: Metric, state: MetricState) -> MetricState:
    """The state at the start of a step: promotion, interval and counts begin anew, rollback wealth goes on."""
    return replace(
        state,
        promote=wealth.promote_start(),
        interval=interval.start(),
        unit=metric.unit,
        canary=Counts(),
        stable=Counts(),
        recent_canary=Counts(),
        ticks=0.0,
        good=0.0,
        since_missing=0.0,
    )


def settle(
    metric: Metric, state: MetricState, evidence: Evidence, *, policy: Policy, tick: int, length: float, bake: bool
) -> MetricState:
    """The metric's state after the tick number `tick` of the rollout, which was `length` slots long.

    `bake`: the canary has all the traffic, so only one arm is left: it is tested against the stable's rate as it
    was last seen ("model-based"), and there is nothing left to promote.
    """
    canary, stable = _as_failures(metric, evidence.canary), _as_failures(metric, evidence.stable)
    rate = _rate(_as_failures(metric, state.recent_stable))
    rollback_e, promote_e, interval_e = _NOTHING, _NOTHING, np.zeros_like(state.interval)
    if bake and rate is not None:
        rollback_e = log_e_one_arm(canary.n, canary.x, float(_clip(metric.tolerance.at(rate))))
    elif rate is not None and canary.n > 0 and stable.n > 0:
        bets = _two_arm_bets(metric, state, rate, canary, stable)
        rollback_e, promote_e = bets[_ROLLBACK], bets[_PROMOTE]
        interval_e = bets[_INTERVAL].reshape(state.interval.shape)
    if evidence.straddles or evidence.missing is not None:
        promote_e = _NOTHING
    if evidence.missing is not None:
        interval_e = np.zeros_like(state.interval)

    rollback = wealth.rollback_step(state.rollback, rollback_e, tick, policy.planned_ticks)
    total = wealth.rollback_total(rollback, tick + 1, policy.planned_ticks)
    counts_for_step = not evidence.straddles
    good = evidence.missing is None
    return replace(
        state,
        rollback=rollback,
        peak=max(state.peak, total),
        promote=wealth.promote_step(state.promote, promote_e, policy.beta),
        interval=interval.step(state.interval, interval_e, policy.alpha),
        canary=state.canary + evidence.canary,
        stable=state.stable + evidence.stable,
        recent_canary=_faded(state.recent_canary) + evidence.canary,
        recent_stable=state.recent_stable if bake else _faded(state.recent_stable) + evidence.stable,
        ticks=state.ticks + length * counts_for_step,
        good=state.good + length * (counts_for_step and good),
        since_missing=state.since_missing + length if good else 0.0,
    )


def settle_guard(state: GuardState, evidence: Evidence, *, policy: Policy, tick: int, bake: bool) -> GuardState:
    """The guard's state after the tick (R08).

    Its null is that the canary's error rate is at most the spike's limit or at most what the stable's allows,
    whichever is higher; one e-process for each half, and the smaller wealth counts.
    """
    canary, stable = evidence.canary, evidence.stable
    one_arm_e = log_e_one_arm(canary.n, canary.x, policy.spike)
    two_arms_e = _NOTHING
    rate = _rate(state.recent_stable)
    if rate is not None and (bake or stable.n == 0):
        # Without a stable arm the limit is what its rate, as last known, allows: a spike must not wait for it.
        two_arms_e = log_e_one_arm(canary.n, canary.x, float(_clip(policy.guard.at(rate))))
    elif rate is not None and canary.n > 0 and stable.n > 0:
        boundary = policy.guard
        theta = alternatives(boundary.at(rate), +1)
        s0, lam = best_bet(canary.n, stable.n, theta, rate, boundary.rho, boundary.delta)
        two_arms_e = log_e(canary.n, canary.x, stable.n, stable.x, s0, lam, boundary.rho, boundary.delta, +1)
    return GuardState(
        one_arm=wealth.rollback_step(state.one_arm, one_arm_e, tick, policy.planned_ticks),
        two_arms=wealth.rollback_step(state.two_arms, two_arms_e, tick, policy.planned_ticks),
        canary=state.canary + canary,
        stable=state.stable + stable,
        recent_stable=state.recent_stable if bake else _faded(state.recent_stable) + stable,
        latest=canary,
    )


def _two_arm_bets(metric: Metric, state: MetricState, rate: float, canary: Counts, stable: Counts) -> Floats:
    """log e of all the tick's bets in one vector: rollback, promotion, and both sides of the interval."""
    tolerance, margin = metric.tolerance, metric.margin
    differences = interval.grid(state.unit)
    believed = _as_failures(metric, state.recent_canary)
    expected = (believed.x + _CANARY_PRIOR * rate) / (believed.n + _CANARY_PRIOR)
    odds = _clip(rate + differences) / (1 - _clip(rate + differences))
    # An interval's bet goes where the canary seems to be, but stays on its own side of the difference tested: far off
    # at first, so that a disaster shows in the first ticks, and near once the canary is known.
    off = _NEAR + (_FAR - _NEAR) * _CANARY_PRIOR / (believed.n + _CANARY_PRIOR)
    above = np.maximum(expected, off * odds / (1 + off * odds))
    below = np.minimum(expected, odds / (off + odds))
    theta = np.concatenate([alternatives(tolerance.at(rate), +1), alternatives(margin.at(rate), -1), above, below])
    rho = np.repeat([tolerance.rho, margin.rho, 1.0], [len(ODDS), len(ODDS), 2 * differences.size])
    delta = np.concatenate(
        [np.full(len(ODDS), tolerance.delta), np.full(len(ODDS), margin.delta), differences, differences]
    )
    s0, lam = best_bet(canary.n, stable.n, theta, rate, rho, delta)
    return log_e(canary.n, canary.x, stable.n, stable.x, s0, lam, rho, delta, _SIDES)


def _as_failures(metric: Metric, counts: Counts) -> Counts:
    return Counts(counts.n, counts.n - counts.x) if metric.higher_is_better else counts


def _faded(counts: Counts) -> Counts:
    return Counts(_FADE * counts.n, _FADE * counts.x)


def _rate(counts: Counts) -> float | None:
    return counts.x / counts.n if counts.n > 0 else None


def _clip(rate: Floats | float) -> Floats:
    return np.clip(rate, 1e-9, 1 - 1e-9)
