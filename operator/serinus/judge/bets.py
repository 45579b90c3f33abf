"""Bets on proportions: how much one tick's counts speak against a null about both arms.

A bet is fixed before the tick is seen by two numbers: `s0`, a stable rate on the null's boundary, and `lam`
(λ), the stake. With c0 = ρ s0 + δ, xc of nc events in the canary and xs of ns in the stable,

    log e = xc·log1p(λ(1−c0)/nc) + (nc−xc)·log1p(−λ c0/nc)
          + xs·log1p(−ρλ(1−s0)/ns) + (ns−xs)·log1p(ρλ s0/ns)

and E[e] ≤ exp(λ(θc − ρθs − δ)), which is at most 1 on the null for any s0 and any λ of the side's sign
(rollback: λ ≥ 0, null θc ≤ ρθs + δ; promotion: λ ≤ 0, null θc ≥ ρθs + δ). A poor choice of s0 or λ costs power,
never validity. After Turner, Ly, Grünwald, "Generic e-variables for exact sequential k-sample tests" (2024) and
Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting" (2024).

All of it broadcasts: a call judges any number of bets, or of simulated rollouts, at once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import numpy as np

from serinus.judge.evidence import Floats

T = TypeVar("T")
Sides = Floats | int
"""Of each test +1, the side of a rollback, or −1, that of a promotion."""

ODDS = np.array([1.15, 1.4, 2.0, 4.0, 10.0, 40.0])
"""The mixture: an alternative lies this many times the boundary's odds away, on its side."""

_EDGE = 1e-9  # rates are kept this far from 0 and 1, where a bet would stake everything on one request
_ONE = np.ones(1)
_CLIP = 0.999  # of the stake at which a factor would reach 0
_COLUMNS = 10  # of a bet: what its test has, and θ
_FEW = 2048  # bets of one test or some: up to here a table of them and others is faster


def alternatives(boundary_rate: Floats | float, side: Sides) -> Floats:
    """Canary rates worth betting on: the boundary's odds times ODDS (side +1) or divided by them (side −1).

    `boundary_rate` of shape (...), like `side`, gives shape (..., 6). A boundary at or above 1 leaves nothing to bet
    on: the alternatives are then the boundary itself, and the bets are empty.
    """
    rate = np.asarray(_within(boundary_rate, _EDGE, 1 - _EDGE))[..., None]
    odds = rate / (1 - rate) * ODDS ** _column(side)
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
    other = (theta_c - delta) / rho
    s0 = _stationary(nc / np.maximum(nc + ns, 1.0), theta_c, theta_s, rho, delta)
    s0 = _within(_within(s0, np.minimum(theta_s, other), np.maximum(theta_s, other)), floor, ceiling)
    c0 = _within(rho * s0 + delta, _EDGE, 1 - _EDGE)
    spread = c0 * (1 - c0)
    lam = nc * (theta_c - c0) / spread
    # Where the boundary leaves the canary no room (c0 at 0 or 1) only the stable's counts can speak: of 99 % stable
    # in a class, none of a canary can be 5 points above.
    at_the_end = spread <= 2 * _EDGE
    if at_the_end.any():
        lam = np.where(at_the_end, ns * (s0 - theta_s) / (rho * s0 * (1 - s0)), lam)
    return s0, lam


def _stationary(
    share: Floats | float, theta_c: Floats, theta_s: Floats | float, rho: Floats | float, delta: Floats | float
) -> Floats:
    """Where share·KL(θc‖ρs+δ) + (1−share)·KL(θs‖s) is smallest: the middle root of a cubic, in closed form.

    Setting the derivative to 0 gives share·ρ(c−θc)·s(1−s) + (1−share)(s−θs)·c(1−c) = 0 with c = ρs + δ, or divided
    by −ρ² the cubic s³ + bs² + cs + d = 0; after Miettinen, Nurminen, "Comparative analysis of two rates" (1985),
    there for ρ = 1 or δ = 0. The root loses digits where rates are below 1e-6, which costs the bet a little power.
    """
    rest, weight = 1 - share, share * rho
    squared, slope, spread = rho * rho, rho * (1 - 2 * delta), delta * (1 - delta)
    ahead = theta_c - delta
    b = (weight * (rho + ahead) + rest * (slope + squared * theta_s)) / -squared
    c = (rest * (spread - theta_s * slope) - weight * ahead) / -squared
    d = rest * theta_s * spread / squared
    third = b / 3
    radius = np.sqrt(np.maximum(third * third - c / 3, 1e-100))
    skew = (third * (third * third - c / 2) + d / 2) / (radius * radius * radius)
    angle = np.arccos(_within(-skew, -1.0, 1.0))
    return np.asarray(2 * radius * np.cos((angle - 2 * np.pi) / 3) - third)


def log_e(
    nc: Floats | float,
    xc: Floats | float,
    ns: Floats | float,
    xs: Floats | float,
    s0: Floats,
    lam: Floats,
    rho: Floats | float,
    delta: Floats | float,
    side: Sides,
) -> Floats:
    """The logarithm of e for the bet (s0, λ); 0 where an arm is empty or the boundary is out of reach.

    λ is first clipped to the sign of `side` (+1 rollback, −1 promotion) and to 0.999 of the stake at which a factor
    would reach 0, so the result is finite for every 0 ≤ x ≤ n.
    """
    c0 = rho * s0 + delta
    usable = (np.minimum(nc, ns) > 0) & (c0 * (1 - c0) > 0) & (s0 * (1 - s0) > 0)
    is_whole = bool(usable.all())
    if not is_whole:
        c0, s0 = np.where(usable, c0, 0.5), np.where(usable, s0, 0.5)
    nc1, ns1 = (nc, ns) if is_whole else (np.where(usable, nc, 1.0), np.where(usable, ns, 1.0))
    rest_c, rest_s, of_s = 1 - c0, rho * (1 - s0), rho * s0
    stake = _CLIP * np.where(
        np.asarray(side) > 0, np.minimum(nc1 / c0, ns1 / rest_s), np.minimum(nc1 / rest_c, ns1 / of_s)
    )
    lam = side * _within(side * lam, 0.0, stake)
    per_c, per_s = lam / nc1, lam / ns1
    total = (
        xc * np.log1p(per_c * rest_c)
        + (nc - xc) * np.log1p(-per_c * c0)
        + xs * np.log1p(-per_s * rest_s)
        + (ns - xs) * np.log1p(per_s * of_s)
    )
    return total if is_whole else np.where(usable, total, 0.0)


def log_e_one_arm(n: Floats | float, x: Floats | float, theta: Floats, limit: Floats | float) -> Floats:
    """log e of a one-arm bet on the rate `theta` against the null that it is at most (at least) `limit`.

    The simple case of the same bet, without a stable arm: λ = n(θ* − c0)/(c0(1 − c0)) with c0 = `limit` turns the
    factors into the likelihood ratio of θ* against the limit. For a θ* above the limit the null is θ ≤ limit, for
    one below it θ ≥ limit.
    """
    limit, theta = _within(limit, _EDGE, 1 - _EDGE), _within(theta, _EDGE, 1 - _EDGE)
    return np.asarray(x * np.log(theta / limit) + (n - x) * np.log((1 - theta) / (1 - limit)))


@dataclass(frozen=True, slots=True)
class TwoArms:
    """Tests of θc against ρ θs + δ, one for each entry of the last axis; all fields broadcast to (..., tests).

    `xc` of `nc` and `xs` of `ns` are the tick's counts, `rate` is what θs is believed to be before it, `excess` the
    variance of the arms' difference beyond the binomial (τ², 0 where it is unknown), and `side` +1 for a rollback's
    test (null: at most), −1 for a promotion's (null: at least).
    """

    nc: Floats
    xc: Floats
    ns: Floats
    xs: Floats
    rate: Floats
    rho: Floats | float
    delta: Floats | float
    excess: Floats | float
    side: Sides

    @property
    def boundary(self) -> Floats:
        """The canary's rate on the boundary, if the stable's is what it is believed to be."""
        return np.asarray(self.rho * self.rate + self.delta)

    def mixture(self) -> "Wagers":
        """Bets on the alternatives of the mixture, six for each test."""
        return Wagers(self, alternatives(self.boundary, self.side))

    def log_e(self) -> Floats:
        """log e of the mixture's bets: shape (..., tests, 6)."""
        return next(settle([self.mixture()]))

    def phi(self) -> Floats:
        """φ of each test: how much more the difference varies than a binomial's; 1 where nothing is known of that."""
        if not np.asarray(self.excess).any():
            return _ONE
        return _phi_of_two(self.nc, self.ns, self.rate, self.excess)


@dataclass(frozen=True, slots=True)
class Wagers:
    """Bets of `tests` on the canary rates `theta`, of shape (..., tests, bets): every test's axes, and one more."""

    tests: TwoArms
    theta: Floats

    def columns(self) -> tuple[Floats, ...]:
        """What `_settled` needs to know, with an axis for the bets of each test."""
        tests = self.tests
        of_tests = (
            tests.nc,
            tests.xc,
            tests.ns,
            tests.xs,
            tests.rate,
            tests.rho,
            tests.delta,
            tests.excess,
            tests.side,
        )
        return (*map(_column, of_tests), self.theta)

    def write(self, table: Floats) -> None:
        """The same written out for every single bet, into `table` of shape (10, tests · bets)."""
        wide = table.reshape((_COLUMNS, *self.theta.shape))
        for number, column in enumerate(self.columns()):
            wide[number] = column


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """What waits for bets to be settled: `finish` makes it of the log e of each of the `wagers`."""

    wagers: tuple[Wagers, ...]
    finish: Callable[..., T]

    @classmethod
    def known(cls, answer: T) -> "Asked[T]":
        """What waits for nothing."""
        return cls((), lambda: answer)

    def finished(self, settled: Iterator[Floats]) -> T:
        """With as many of the settled bets as it has wagers."""
        return self.finish(*islice(settled, len(self.wagers)))


def settle(asked: Iterable[Wagers]) -> Iterator[Floats]:
    """log e of all these bets, in order, each divided by its test's φ; of the shapes of their `theta`.

    Short vectors of them are settled in one pass: NumPy takes longer to begin with one than to go through it.
    """
    asked = tuple(asked)
    few = [each for each in asked if each.theta.size <= _FEW]
    table, begin = np.empty((_COLUMNS, sum(each.theta.size for each in few))), 0
    for each in few:
        each.write(table[:, begin : begin + each.theta.size])
        begin += each.theta.size
    together, begin = _settled(*table) if few else np.empty(0), 0
    for each in asked:
        if each.theta.size > _FEW:
            yield _settled(*each.columns())
        else:
            end = begin + each.theta.size
            yield together[begin:end].reshape(each.theta.shape)
            begin = end


def _settled(
    nc: Floats,
    xc: Floats,
    ns: Floats,
    xs: Floats,
    rate: Floats,
    rho: Floats,
    delta: Floats,
    excess: Floats,
    side: Floats,
    theta: Floats,
) -> Floats:
    s0, lam = best_bet(nc, ns, theta, rate, rho, delta)
    found = log_e(nc, xc, ns, xs, s0, lam, rho, delta, side)
    return found / _phi_of_two(nc, ns, rate, excess) if excess.any() else found


def _phi_of_two(nc: Floats, ns: Floats, rate: Floats, excess: Floats | float) -> Floats:
    return overdispersion(rate, 1 / np.maximum(nc, 1) + 1 / np.maximum(ns, 1), excess)


@dataclass(frozen=True, slots=True)
class OneArm:
    """Tests of θ against a limit, one for each entry of the last axis: `x` of `n` events in this tick."""

    n: Floats
    x: Floats
    limit: Floats
    excess: Floats | float
    side: Sides = +1

    def log_e(self) -> Floats:
        """log e of the mixture's bets that θ is above (side +1) or below (−1) the limit: shape (..., tests, 6)."""
        return self.bets(alternatives(self.limit, self.side))

    def bets(self, theta: Floats) -> Floats:
        """log e of bets on the rates `theta`, of shape (..., tests, bets), each divided by its φ."""
        found = log_e_one_arm(_column(self.n), _column(self.x), theta, _column(self.limit))
        phi = self.phi()
        return found if phi is _ONE else found / _column(phi)

    def phi(self) -> Floats:
        """φ of each test."""
        if not np.asarray(self.excess).any():
            return _ONE
        return overdispersion(self.limit, 1 / np.maximum(self.n, 1), self.excess)


def overdispersion(rate: Floats | float, per_request: Floats | float, excess: Floats | float) -> Floats:
    """φ = 1 + τ²/(p(1−p)(1/nc + 1/ns)): dividing log e by it keeps an e-value for counts that cluster so much.

    `per_request` is 1/nc + 1/ns, or 1/n of a single arm; `excess` is τ².
    """
    rate = _within(rate, _EDGE, 1 - _EDGE)
    return np.asarray(1 + excess / (rate * (1 - rate) * per_request))


def _column(value: Floats | float) -> Floats:
    """With an axis for the bets of each test."""
    return value[..., None] if isinstance(value, np.ndarray) else np.array([value], dtype=float)


def _within(value: Floats | float, low: Floats | float, high: Floats | float) -> Floats:
    """np.clip, which spends several times as long on vectors as short as these."""
    return np.minimum(np.maximum(value, low), high)
