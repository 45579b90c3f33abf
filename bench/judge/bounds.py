"""What no rule can beat: how fast the evidence itself comes in."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import rel_entr

from bench.judge.traffic import Sizes
from serinus.judge import Boundary


def divergence(p: float, q: float) -> float:
    """Kullback-Leibler divergence of a coin of `p` from one of `q`, in nats."""
    return float(rel_entr(p, q) + rel_entr(1 - p, 1 - q))


def nearest_null(sizes: Sizes, canary: float, stable: float, boundary: Boundary) -> tuple[float, float]:
    """The rates of canary and stable on the boundary that are hardest to tell from `canary` and `stable`."""
    ends = sorted((stable, (canary - boundary.delta) / boundary.rho))
    low, high = max(ends[0], 1e-9), max(ends[1], 2e-9)
    found = minimize_scalar(
        lambda rate: _apart(sizes, canary, stable, boundary, rate), bounds=(low, high), method="bounded"
    )
    rate = float(found.x)
    return _at(boundary, rate), rate


def information(sizes: Sizes, canary: float, stable: float, boundary: Boundary) -> float:
    """Nats that a tick says, on average, against the boundary."""
    return _apart(sizes, canary, stable, boundary, nearest_null(sizes, canary, stable, boundary)[1])


def ticks_needed(error: float, nats_per_tick: float) -> float:
    """Mean ticks of the fastest test that errs with probability `error` at most; a verdict takes a tick at least."""
    return max(1.0, float(np.log(1 / error)) / nats_per_tick)


def _apart(sizes: Sizes, canary: float, stable: float, boundary: Boundary, rate: float) -> float:
    return sizes.canary * divergence(canary, _at(boundary, rate)) + sizes.stable * divergence(stable, rate)


def _at(boundary: Boundary, rate: float) -> float:
    return float(boundary.at(rate))
