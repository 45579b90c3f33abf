"""The e-value for two proportions: how much one tick's counts speak against a null about both arms.

A bet is fixed before the tick is seen by two numbers: `s0`, a stable rate on the null's boundary, and `lam`
(λ), the stake. With c0 = ρ s0 + δ, xc of nc events in the canary and xs of ns in the stable,

    log e = xc·log1p(λ(1−c0)/nc) + (nc−xc)·log1p(−λ c0/nc)
          + xs·log1p(−ρλ(1−s0)/ns) + (ns−xs)·log1p(ρλ s0/ns)

and E[e] ≤ exp(λ(θc − ρθs − δ)), which is at most 1 on the null for any s0 and any λ of the side's sign
(rollback: λ ≥ 0, null θc ≤ ρθs + δ; promotion: λ ≤ 0, null θc ≥ ρθs + δ). A poor choice of s0 or λ costs power,
never validity. After Turner, Ly, Grünwald, "Generic e-variables for exact sequential k-sample tests" (2024) and
Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting" (2024).

All functions broadcast: a call judges any number of bets, or of simulated rollouts, at once.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ODDS = np.array([1.15, 1.4, 2.0, 4.0, 10.0, 40.0])
"""The mixture: an alternative lies this many times the boundary's odds away, on its side."""

_EDGE = 1e-9  # rates are kept this far from 0 and 1, where a bet would stake everything on one request
_CLIP = 0.999  # of the stake at which a factor would reach 0
_NEWTON_STEPS = 8
_CONVERGED = 1e-6  # relative; a bet this near to the best one grows as fast


def alternatives(boundary_rate: Floats | float, side: int) -> Floats:
    """Canary rates worth betting on: the boundary's odds times ODDS (side +1) or divided by them (side −1).

    `boundary_rate` of shape (...) gives shape (..., 6). A boundary at or above 1 leaves nothing to bet on: the
    alternatives are then the boundary itself, and the bets are empty.
    """
    rate = np.asarray(_within(boundary_rate, _EDGE, 1 - _EDGE))[..., None]
    odds = rate / (1 - rate) * ODDS**side
    return np.asarray(odds / (1 + odds))


def best_bet(
    nc: Floats | float,
    ns: Floats | float,
    theta_c: Floats,
    theta_s: Floats | float,
    rho: Floats | float,
    delta: Floats | float,
) -> tuple[Floats, Floats]:
    """The growth-optimal (s0, λ) for the alternative (θc*, θs*), given the tick's sizes nc and ns.

    s0 minimises nc·KL(θc*‖ρ s0+δ) + ns·KL(θs*‖s0), a convex function whose minimum lies between (θc*−δ)/ρ and
    θs*; λ = nc(θc* − c0)/(c0(1 − c0)), clipped so that no factor reaches 0. The sign of λ is the side's only when
    the alternative lies on that side of the boundary; the caller clips it.
    """
    # Where both s0 and c0 are rates; empty (floor above ceiling) when the boundary is out of reach.
    floor = np.maximum(_EDGE, (_EDGE - delta) / rho)
    ceiling = np.maximum(floor, np.minimum(1 - _EDGE, (1 - _EDGE - delta) / rho))
    theta_s = _within(theta_s, _EDGE, 1 - _EDGE)
    one, other = _within(theta_s, floor, ceiling), _within((theta_c - delta) / rho, floor, ceiling)
    low, high = np.minimum(one, other), np.maximum(one, other)
    share = nc / np.maximum(nc + ns, 1.0)
    weight_c, weight_s = share * rho, 1 - share
    s0 = (weight_c * rho * other + weight_s * one) / np.maximum(weight_c * rho + weight_s, _EDGE)
    for _ in range(_NEWTON_STEPS):
        c0 = _within(rho * s0 + delta, _EDGE, 1 - _EDGE)
        sharp_c, sharp_s = 1 / (c0 * (1 - c0)), 1 / (s0 * (1 - s0))
        pull_c, pull_s = (c0 - theta_c) * sharp_c, (s0 - theta_s) * sharp_s
        slope = weight_c * pull_c + weight_s * pull_s
        curvature = weight_c * rho * sharp_c * (1 - pull_c * (1 - 2 * c0)) + weight_s * sharp_s * (
            1 - pull_s * (1 - 2 * s0)
        )
        rising = slope < 0
        low, high = np.where(rising, s0, low), np.where(rising, high, s0)
        newton = s0 - slope / np.maximum(curvature, _EDGE)
        # A Newton step that leaves the bracket is replaced by its middle.
        following = np.where((newton >= low) & (newton <= high), newton, 0.5 * (low + high))
        moved, s0 = np.abs(following - s0), following
        if (moved <= _CONVERGED * s0).all():
            break
    c0 = _within(rho * s0 + delta, _EDGE, 1 - _EDGE)
    return s0, nc * (theta_c - c0) / (c0 * (1 - c0))


def log_e(
    nc: Floats | float,
    xc: Floats | float,
    ns: Floats | float,
    xs: Floats | float,
    s0: Floats,
    lam: Floats,
    rho: Floats | float,
    delta: Floats | float,
    side: Floats | int,
) -> Floats:
    """The logarithm of e for the bet (s0, λ); 0 where an arm is empty or the boundary is out of reach.

    λ is first clipped to the sign of `side` (+1 rollback, −1 promotion) and to 0.999 of the stake at which a factor
    would reach 0, so the result is finite for every 0 ≤ x ≤ n.
    """
    c0 = rho * s0 + delta
    usable = (np.minimum(nc, ns) > 0) & (c0 > 0) & (c0 < 1) & (s0 > 0) & (s0 < 1)
    nc1, ns1 = np.where(usable, nc, 1.0), np.where(usable, ns, 1.0)
    c0, s0 = np.where(usable, c0, 0.5), np.where(usable, s0, 0.5)
    upper = _CLIP * np.minimum(nc1 / c0, ns1 / (rho * (1 - s0)))
    lower = _CLIP * np.minimum(nc1 / (1 - c0), ns1 / (rho * s0))
    lam = np.where(np.asarray(side) > 0, _within(lam, 0.0, upper), _within(lam, -lower, 0.0))
    total = (
        xc * np.log1p(lam * (1 - c0) / nc1)
        + (nc - xc) * np.log1p(-lam * c0 / nc1)
        + xs * np.log1p(-rho * lam * (1 - s0) / ns1)
        + (ns - xs) * np.log1p(rho * lam * s0 / ns1)
    )
    return np.where(usable, total, 0.0)


def log_e_one_arm(n: Floats | float, x: Floats | float, limit: float) -> Floats:
    """log e of the six one-arm bets against θ ≤ limit: shape (..., 6).

    The simple case of the same bet, without a stable arm: λ = n(θ* − c0)/(c0(1 − c0)) with c0 = `limit` turns the
    factors into the likelihood ratio of θ* against the limit.
    """
    theta = alternatives(limit, +1)
    n, x = np.asarray(n, dtype=float)[..., None], np.asarray(x, dtype=float)[..., None]
    return x * np.log(theta / limit) + (n - x) * np.log((1 - theta) / (1 - limit))


def _within(value: Floats | float, low: Floats | float, high: Floats | float) -> Floats:
    """np.clip, which spends several times as long on vectors as short as these."""
    return np.minimum(np.maximum(value, low), high)
