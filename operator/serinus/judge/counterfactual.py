"""How much worse, or better, a canary would have had to be for another verdict.

For people, on record; no verdict is made from it. Of a proportion: the canary's rate at which the step's requests,
taken as one tick, would have held enough information, nc·KL(θc‖c0) + ns·KL(θs‖s0) at the nearest null, for the wealth
that the verdict needs (and for the price of a mixture of six bets). Of the other kinds: how far the confidence interval
would have had to move to lie beyond the tolerance, or within the margin.
"""

from dataclasses import dataclass

import numpy as np

from serinus.judge.bets import best_bet
from serinus.judge.comparison import Row
from serinus.judge.evidence import Floats
from serinus.judge.policy import Boundary, Distribution, Gauge, Metric, Proportion, Rate
from serinus.judge.special import relative_entropy

_MIXTURE = np.log(6.0)  # the most that a mixture of six bets lies below the best of them
_NEAR = np.linspace(0.0, 1.0, 65) ** 2  # finer near the boundary, where most answers are
_WORST_AND_BEST = np.array([[1.0], [0.0]])


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """In the unit of the row's difference, at least 0; None where it cannot be said."""

    worse_by: float | None = None
    better_by: float | None = None


def counterfactual(row: Row) -> Counterfactual:
    """What a rollback and a promotion would have needed of the row."""
    canary, stable = row.canary.estimate, row.stable.estimate
    if canary is None or stable is None:
        return Counterfactual()
    rises = isinstance(row.metric, Proportion | Rate | Gauge) and row.metric.higher_is_better
    if isinstance(row.metric, Proportion):
        return _of_rates(row, 1 - canary if rises else canary, 1 - stable if rises else stable)
    low, high = (_minus(row.high), _minus(row.low)) if rises else (row.low, row.high)
    tolerance, margin = (_allowed(row.metric, each, stable) for each in (row.metric.tolerance, row.metric.margin))
    return Counterfactual(
        worse_by=None if low is None else max(0.0, tolerance - low),
        better_by=None if high is None else max(0.0, high - margin),
    )


def _of_rates(row: Row, canary: float, stable: float) -> Counterfactual:
    """For failure rates: the nearest rates, on either side, that would have held the information needed."""
    worse, better = _rates_with_enough(row, stable)
    return Counterfactual(
        worse_by=None if worse is None else max(0.0, worse - canary),
        better_by=None if better is None else max(0.0, canary - better),
    )


def _rates_with_enough(row: Row, stable: float) -> tuple[float | None, float | None]:
    """The rates nearest to the tolerance and to the margin, on the way to 1 and to 0, that hold enough information."""
    phi = row.phi or 1.0
    nc, ns = row.canary.total / phi, row.stable.total / phi
    both = (row.metric.tolerance, row.metric.margin)
    rho, delta = np.array([[each.rho] for each in both]), np.array([[each.delta] for each in both])
    start = np.clip(rho * stable + delta, 1e-9, 1 - 1e-9)
    rates = start + (_WORST_AND_BEST - start) * _NEAR
    s0, _ = best_bet(nc, ns, rates, stable, rho, delta)
    information = nc * _divergence(rates, rho * s0 + delta) + ns * _divergence(stable, s0)
    worse = _first_with(row.rollback_needs + _MIXTURE, information[0], rates[0])
    return worse, _first_with(row.promote_needs + _MIXTURE, information[1], rates[1])


def _first_with(needed: float, information: Floats, rates: Floats) -> float | None:
    """The first of the rates with `needed` nats."""
    enough = information >= needed
    if not enough.any():
        return None
    return float(np.interp(needed, information[: enough.argmax() + 1], rates[: enough.argmax() + 1]))


def _divergence(one: Floats | float, other: Floats) -> Floats:
    """KL of two Bernoulli rates, nats."""
    return np.asarray(relative_entropy(one, other) + relative_entropy(1 - np.asarray(one), 1 - other))


def _allowed(metric: Metric, boundary: Boundary, stable: float) -> float:
    """How far from the stable's estimate the boundary lies, in the worse direction."""
    return boundary.delta if isinstance(metric, Distribution) else abs(float(boundary.at(stable)) - stable)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
