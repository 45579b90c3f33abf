"""Where the arms of a latency are compared: which bounds, and times what, on each side of each boundary.

See `latency` for the forms. All is found from what is known of the stable from before the tick, for all boundaries at
once: quantities that depend on a bound only are computed once for each bound, and looked up.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from serinus.judge import interval
from serinus.judge.bets import TwoArms
from serinus.judge.evidence import Floats, Mask
from serinus.judge.kinds.histograms import Bounds, Indices, quantiles, taken, with_zero
from serinus.judge.special import normal, probit

_COARSE = 1.25  # a bound this many times off the one that was meant is too far for the exact form
_KEPT = 0.5  # of the tolerance, as a factor's logarithm: what a promotion by the exact form must leave
_KNOWN = 30  # requests slower than a bound that a chord there needs: of fewer, the ratio could be anything
_DEAR = 10.0  # times as much must a model say as a comparison without one, to be worth it
_RATIO = 1e6  # at most, of shares by a chord
_LOWER_LEG = np.array([1, 0])
_PROMOTION = 1  # of both sides
_IS_PROMOTION = interval.SIDES < 0


@dataclass(frozen=True)
class Stable:
    """The stable's requests within each bound, as known from before the tick."""

    bounds: Bounds
    cumulative: Floats

    def quantiles(self, levels: tuple[float, ...]) -> Floats:
        """Shape (..., quantiles), NaN where nothing is known."""
        return quantiles(self.bounds, self.cumulative, levels)

    @cached_property
    def edges(self) -> Floats:
        """The bounds, and 0."""
        return with_zero(np.array(self.bounds), 0.0)

    @cached_property
    def slower(self) -> Floats:
        """The share slower than each bound, and than 0 ms."""
        return with_zero(1 - self.cumulative / np.maximum(self.cumulative[..., -1:], 1e-9), 1.0)

    @cached_property
    def is_known(self) -> Mask:
        """Whether a chord has requests enough slower than each bound; at 0 ms there is none."""
        return with_zero(self.slower[..., :-1] * self.cumulative[..., -1:] >= _KNOWN, False)

    def ratio(self, at: Indices, latency: Floats, where: Mask) -> Floats:
        """The share slower than `latency` to that slower than the bound `at`, of those `where` only, one after another.

        By a chord: probit of the share against log latency. Beyond the outermost finite bounds the outermost chord is
        prolonged. NaN where there is none.
        """
        finite = self.edges[:-2]
        latency = latency[where]
        if finite.size < 2:
            return np.full(latency.shape, np.nan)
        batch = self.cumulative.ndim - 1
        rollouts = np.nonzero(where)[:batch] if batch else ()
        left = np.minimum(np.maximum(finite.searchsorted(latency) - 1, 0), finite.size - 2)
        ends = (*rollouts, left), (*rollouts, left + 1)
        z_left, z_right = self._scores(*ends)
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = np.log(finite)
            log_left = logs[left]
            z = z_left + (np.log(latency) - log_left) / (logs[left + 1] - log_left) * (z_right - z_left)
        found = (1 - normal(z)) / np.maximum(self.slower[(*rollouts, at[where])], 1e-9)
        return np.asarray(np.minimum(np.maximum(found, 1 / _RATIO), _RATIO))

    def _scores(self, *ends: tuple[Indices, ...]) -> tuple[Floats, ...]:
        """Probits of the shares within bounds, which may be asked for again and again: once for each bound."""
        n = np.maximum(self.cumulative[..., -1:], 1.0)
        shares = np.minimum(np.maximum(self.slower[..., :-1], 0.5 / n), 1 - 0.5 / n)
        is_asked = np.zeros(shares.shape, dtype=bool)
        for end in ends:
            is_asked[end] = True
        scores = np.zeros(shares.shape)
        scores[is_asked] = probit(1 - shares[is_asked])
        return tuple(scores[end] for end in ends)


@dataclass(frozen=True)
class Thresholds:
    """Of shape (..., boundaries, legs): the last axis has two legs, whose wealths are averaged.

    The chord form's are at the bounds just below and just above what is allowed; a promotion's both at the one above,
    for a canary of which only the tail is slower looks fine at the one below.

    `canary` and `stable` are indices of bounds (−1 is 0 ms): "slower than b" of the canary against ρ times "slower than
    a" of the stable. In the exact forms both legs are the same and ρ is 1.
    """

    canary: Indices
    stable: Indices
    rate: Floats  # the stable's share, from before the tick
    rho: Floats
    is_usable: Mask
    is_chord: Mask  # without the axis of the legs

    @classmethod
    def around(cls, stable: Stable, p: Floats, rho: Floats, delta: Floats, side: Floats) -> Self:
        """Around what is allowed: ρ p + δ, for quantiles `p` of the stable.

        `side` +1 asks whether the canary is slower than that, −1 whether it is not.
        """
        edges, last, is_rollback = stable.edges, len(stable.bounds) - 1, side > 0
        bounds = edges[:-1]
        allowed = np.where(np.isnan(p), -1.0, rho * p + delta)
        b = np.minimum(bounds.searchsorted(allowed), last)
        of_b = bounds[b]
        meant = (of_b - delta) / rho
        # Rollback: the largest a that is at most what is meant; promotion: the smallest that is at least that.
        a = np.where(is_rollback, bounds.searchsorted(meant, "right") - 1, bounds.searchsorted(meant))
        a = np.minimum(a, last)
        of_a = edges[a]
        # Infinite or NaN where the allowed quantile is beyond the last bound: neither form applies.
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.maximum(meant / of_a, of_a / meant)
            kept = np.log(of_b / of_a) / np.log(of_b / meant)
        # A promotion's a lies nearer to b than what is meant; where it takes most of the tolerance away, an identical
        # canary could never be shown to be fine.
        is_chord = ~((off <= _COARSE) & (is_rollback | (kept >= _KEPT)))
        is_exact = ~is_chord & (b < last) & (a >= 0) & (allowed > 0)
        at = b[..., None] - (is_chord & is_rollback)[..., None] * _LOWER_LEG
        meant_at = (edges[at] - delta[..., None]) / rho[..., None]
        can_chord = (is_chord & (allowed > 0))[..., None] & (at < last) & (meant_at > 0) & taken(stable.is_known, at)
        ratio, is_usable = np.ones(at.shape), np.empty(at.shape, dtype=bool)
        is_usable[...] = is_exact[..., None]
        if can_chord.any():
            by_chord = stable.ratio(at, meant_at, can_chord)
            is_usable[can_chord] = has_one = ~np.isnan(by_chord)
            ratio[can_chord] = np.where(has_one, by_chord, 1.0)
        at = np.maximum(at, 0)
        # A leg that cannot be used is replaced by the other.
        canary, of_stable, ratio, is_usable = (
            np.where(is_usable, each, each[..., ::-1])
            for each in (at, np.where(is_chord[..., None], at, a[..., None]), ratio, is_usable)
        )
        return cls(canary, of_stable, taken(stable.slower, of_stable), ratio, is_usable, is_chord)

    @classmethod
    def between(cls, stable: Stable, p: Floats, beyond: Floats, rho: Floats, delta: Floats) -> Self:
        """A promotion's between the stable's quantiles `p`, which a share `beyond` is slower than, and what is allowed.

        b is allowed wherever between its neighbouring bounds the stable's quantile lies: nothing hangs on how that was
        interpolated. If b is also the first bound above the quantile, a is the one below: there the stable always has
        requests enough for a chord. In either form b ≤ ρ a + δ, so a canary of which all requests are slower by what is
        allowed lies on the null even where the stable's quantile has moved since. Both legs are one.
        """
        edges = stable.edges
        bounds = edges[:-1]
        above = np.minimum(bounds.searchsorted(p), bounds.size - 1)  # where nothing is known (NaN) the last
        below = above - 1
        b = bounds.searchsorted(rho * edges[below] + delta, "right") - 1
        is_chord = b == above
        a = np.where(is_chord, below, above)
        rate = taken(stable.slower, a)
        return cls(
            canary=b[..., None],
            stable=a[..., None],
            rate=rate[..., None],
            rho=np.where(is_chord, beyond / np.maximum(rate, 1e-9), 1.0)[..., None],
            is_usable=np.where(is_chord, taken(stable.is_known, a), a < b)[..., None],
            is_chord=is_chord,
        )

    @classmethod
    def on_both_sides(cls, stable: Stable, levels: tuple[float, ...], rho: Floats, delta: Floats) -> Self:
        """Of shape (..., quantiles, sides, boundaries, legs), for the quantiles `levels` and boundaries ρ and δ.

        Those have the axes (..., sides, boundaries): a rollback's and a promotion's. A promotion takes those thresholds
        that an identical canary would sooner be proven fine by.
        """
        p = stable.quantiles(levels)[..., None]
        around = cls.around(stable, p[..., None], rho, delta, interval.SIDES)
        beyond = 1 - np.array(levels)[:, None]
        between = cls.between(stable, p, beyond, rho[_PROMOTION], delta[..., _PROMOTION, :])
        is_better = between.worth(stable) > around.at(_PROMOTION, slice(None)).worth(stable)
        where = _IS_PROMOTION & is_better[..., None, :]
        new = between.at(None, slice(None))
        return cls(
            canary=np.where(where[..., None], new.canary, around.canary),
            stable=np.where(where[..., None], new.stable, around.stable),
            rate=np.where(where[..., None], new.rate, around.rate),
            rho=np.where(where[..., None], new.rho, around.rho),
            is_usable=np.where(where[..., None], new.is_usable, around.is_usable),
            is_chord=np.where(where, new.is_chord, around.is_chord),
        )

    def at(self, *index: int | slice | None) -> Self:
        """Only those at the index of the last axes but the legs'."""
        boundaries, legs = (..., *index), (..., *index, slice(None))
        return type(self)(
            canary=self.canary[legs],
            stable=self.stable[legs],
            rate=self.rate[legs],
            rho=self.rho[legs],
            is_usable=self.is_usable[legs],
            is_chord=self.is_chord[boundaries],
        )

    def worth(self, stable: Stable) -> Floats:
        """How well a promotion's thresholds tell an identical canary from one on the boundary; one leg stands for both.

        The square of what lies between its share and the boundary's, in standard deviations of a request: as far as is
        known from before the tick. 0 where it is not below the boundary; what only a model says is worth less.
        """
        boundary = np.minimum(self.rho[..., 0] * self.rate[..., 0], 1.0)
        apart = np.maximum(boundary - taken(stable.slower, self.canary[..., 0]), 0.0)
        spread = np.maximum(boundary * (1 - boundary), 1e-9) * np.where(self.is_chord, _DEAR, 1.0)
        return np.asarray(self.is_usable[..., 0] * apart * apart / spread)

    def tests(self, canary: Floats, stable: Floats, excess: Floats, side: Floats) -> TwoArms:
        """The tests at these thresholds, of the shape of `rho`.

        `canary` and `stable`: how many of the arms' requests in the tick took longer than each bound, and than 0 ms.
        """
        axes = (..., *(None,) * (self.rho.ndim - canary.ndim))
        nc, ns = canary[..., -1:][axes], stable[..., -1:][axes]
        return TwoArms(
            nc=np.where(self.is_usable, nc, 0.0),
            xc=np.where(self.is_usable, taken(canary, self.canary), 0.0),
            ns=ns,
            xs=taken(stable, self.stable),
            rate=self.rate,
            rho=self.rho,
            delta=0.0,
            excess=excess,
            side=side,
        )
