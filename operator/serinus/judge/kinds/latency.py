"""Latency: quantiles of a histogram, each tested as a share of slow requests.

"p_q at most ρ·p_q + δ" says of the canary's requests that no more of them are slower than b than of the stable's are
slower than (b − δ)/ρ. The exact form compares the canary's share slower than a bound b with the stable's share slower
than another bound a, and needs no model. Where the histogram has no bound near enough, the chord form compares both
arms at b and takes the stable's share at (b − δ)/ρ from a chord through its neighbouring bounds (probit of the share
against the logarithm of the latency): model-based, and the row says so.

Of a fast service with a wide tolerance hardly anything is slower than either bound. A rollback can do with that, for a
slow canary shows there at once; but an identical one could never be proven to be fine. So a promotion has another exact
form, with both bounds between p_q and what is allowed: if the canary's quantile is beyond that, at least 1 − q of its
requests are slower than any such b, and of the stable's at most 1 − q slower than any such a. Where only one bound is
between, a is the one below p_q, and its share is scaled by what the history has between the two: model-based again.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from serinus.judge import interval
from serinus.judge.bets import Asked, OneArm, TwoArms, Wagers
from serinus.judge.evidence import Floats, Histogram, Mask, Past, Sample
from serinus.judge.interval import Interval
from serinus.judge.kinds.memory import Arm, Batch, Bets, Estimate, Memory, Shape, Unit, of_kind
from serinus.judge.policy import Latency
from serinus.judge.special import normal, probit
from serinus.judge.wealth import SHARES

_FADE = 0.99  # per tick
_HISTORY_REQUESTS = 100_000.0  # history weighs at most this many requests: a chord needs to know the tail
_COARSE = 1.25  # a bound this many times off the one that was meant is too far for the exact form
_KEPT = 0.5  # of the tolerance, as a factor's logarithm: what a promotion by the exact form must leave
_KNOWN = 30  # requests slower than a bound that a chord there needs: of fewer, the ratio could be anything
_DEAR = 10.0  # times as much must a model say as a comparison without one, to be worth it
_CHORD = "chord between histogram bounds"

_LEGS = 2
_LOWER_LEG = np.array([1, 0])
_ROLLBACK = np.array(+1.0)  # the side of a rollback's tests

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class LatencyMemory(Memory):
    """Histograms of both arms, on the bounds that all ticks had in common."""

    unit: ClassVar[Unit] = "milliseconds"
    name: ClassVar[str] = "latency"

    bounds: tuple[float, ...]  # empty until a tick came
    canary: Floats  # of the step; cumulative, shape (..., bounds)
    stable: Floats
    recent_stable: Floats  # a fading sum: where the thresholds of the next tick come from

    @classmethod
    def start(cls, metric: Latency, past: Past, batch: Batch) -> Self:
        """Before the first tick; without history the first tick is not bet on."""
        if past.stable is None:
            nothing = np.zeros((*batch, 0), dtype=np.float32)
            return cls((), nothing, nothing, nothing)
        known = of_kind(Histogram, past.stable, metric)
        counts = np.broadcast_to(known.cumulative, (*batch, len(known.bounds))).astype(float)
        scale = np.minimum(1.0, _HISTORY_REQUESTS / np.maximum(counts[..., -1:], 1.0))
        nothing = np.zeros(counts.shape, dtype=np.float32)
        return cls(known.bounds, nothing, nothing, (counts * scale).astype(np.float32))

    @classmethod
    def shape(cls, metric: Latency) -> Shape:
        """A row for each quantile, with a test for each leg for a rollback, and one for a promotion."""
        gates = tuple(q in metric.gates for q in metric.quantiles)
        return Shape(gates, rollback=_LEGS * len(gates), promote=(len(gates), SHARES))

    def new_step(self, metric: Latency) -> Self:
        """The stable's recent histogram stays."""
        return replace(self, canary=np.zeros_like(self.canary), stable=np.zeros_like(self.stable))

    def bets(
        self, metric: Latency, canary: Sample, stable: Sample, excess: Floats, unit: Floats | None
    ) -> Asked[Bets | None]:
        """A test for each quantile and side; for the intervals one for each difference too, a shift by so much."""
        tick = self._tick(metric, canary, stable)
        if tick is None:
            return Asked.known(None)
        sides, rho, delta = _decisive(metric)
        both = sides.size
        if unit is not None:
            shifts = np.concatenate([unit[..., None] * interval.SHAPE] * both, axis=-1)
            rho = np.concatenate([rho, np.ones(shifts.shape[-1])])
            delta = np.concatenate([np.broadcast_to(delta, (*unit.shape, both)), shifts], axis=-1)
            sides = np.concatenate([sides, np.repeat(sides, interval.POINTS)])
        # All thresholds at once: to find them takes longer than to bet.
        found = self._thresholds(tick, metric, rho, delta, sides)
        tests = tick.tests(found, excess[:, None, None], sides)
        decisive = _part(tests, slice(both))

        def bets(log_e: Floats, on_shifts: Floats | None = None) -> Bets:
            intervals = None
            if on_shifts is not None:
                intervals = _over_legs(on_shifts).reshape(
                    (*log_e.shape[:-3], *interval.SIDES.shape[:1], interval.POINTS)
                )
            phi = np.broadcast_to(decisive.phi(), log_e.shape[:-1])[..., 0, :].max(axis=-1)
            # The legs of a promotion's test are the same.
            return Bets(_each_leg(log_e[..., 0, :, :]), log_e[..., 1, 0, :], phi, intervals)

        if unit is None:
            return Asked((decisive.mixture(),), bets)
        return Asked((decisive.mixture(), self._on_shifts(tick, found, tests, slice(both, None))), bets)

    def bake_bets(self, metric: Latency, canary: Sample, excess: Floats) -> Floats:
        """The canary's share slower than b against the stable's share slower than a, as last seen."""
        tick = self._tick(metric, canary, None)
        if tick is None:
            return np.zeros((*self.canary.shape[:-1], self.shape(metric).rollback, 1))
        thresholds = self._rollback_thresholds(tick, metric)
        tests = tick.tests(thresholds, excess[:, None], _ROLLBACK)
        return _each_leg(OneArm(tests.nc, tests.xc, tests.boundary, tests.excess).log_e())

    def interval_unit(self, metric: Latency) -> Floats:
        """What the tolerance is in milliseconds at each quantile."""
        if not self.bounds:
            return np.zeros((*self.canary.shape[:-1], len(metric.quantiles)))
        p = _quantiles(self.bounds, self.recent_stable.astype(float), metric.quantiles)
        tolerance = (metric.tolerance.rho - 1) * p + metric.tolerance.delta
        return np.where(np.isnan(p), 0.0, np.maximum(tolerance, 0.01 * p))

    def remember(self, metric: Latency, canary: Sample | None, stable: Sample | None, *, bake: bool) -> Self:
        """Both arms' histograms, on the bounds that all have."""
        seen = [of_kind(Histogram, each, metric) for each in (canary, stable) if each is not None]
        if not seen:
            return self
        bounds = _common(self.bounds or seen[0].bounds, *(each.bounds for each in seen))
        own = self if self.bounds else self._empty(seen[0].bounds)

        def added(counts: Floats, sample: Sample | None, fade: float = 1.0) -> Floats:
            kept = fade * _restricted(own.bounds, counts.astype(float), bounds)
            if isinstance(sample, Histogram):
                kept = kept + _restricted(sample.bounds, sample.cumulative, bounds)
            return kept.astype(np.float32)  # of a histogram seven digits are plenty, and a status is small

        return replace(
            self,
            bounds=bounds,
            canary=added(own.canary, canary),
            stable=added(own.stable, stable),
            recent_stable=added(own.recent_stable, None if bake else stable, 1.0 if bake else _FADE),
        )

    def can_compare(self, metric: Latency, canary: Sample, stable: Sample) -> bool:
        """Both arms, and what is known of them, need a finite bound in common."""
        seen = [of_kind(Histogram, each, metric).bounds for each in (canary, stable)]
        return len(_common(self.bounds or seen[0], *seen)) > 1

    def requests(self) -> tuple[Floats, Floats]:
        """Both arms' requests in this step."""
        return (self.canary[..., -1], self.stable[..., -1]) if self.bounds else (np.zeros(()), np.zeros(()))

    def within_tolerance(self, metric: Latency) -> Mask:
        """By the interpolated quantiles in this step; not without requests in both arms."""
        if not self.bounds:
            return np.zeros((*self.canary.shape[:-1], len(metric.quantiles)), dtype=bool)
        canary, stable = (
            _quantiles(self.bounds, counts.astype(float), metric.quantiles) for counts in (self.canary, self.stable)
        )
        return np.asarray(canary <= metric.tolerance.rho * stable + metric.tolerance.delta)  # False where NaN

    def estimates(self, metric: Latency) -> tuple[Estimate, ...]:
        """A row for each quantile: the interpolated quantiles, and the share of slow requests that is tested."""
        labels = [f"p{100 * q:.6g}" for q in metric.quantiles]
        if not self.bounds or not self.recent_stable[-1]:
            nothing = Arm(0.0, 0.0, None)
            return tuple(Estimate(nothing, nothing, metric.tested, label) for label in labels)
        tick = _Tick(self.bounds, self.recent_stable.astype(float), self.canary.astype(float), self.stable)
        sides, rho, delta = _decisive(metric)
        found = self._thresholds(tick, metric, rho, delta, sides)
        at, is_chord = found.canary[:, 0, 1], np.asarray(found.is_chord.any(axis=-1))
        canary, stable = (self._arms(metric, counts.astype(float), at) for counts in (self.canary, self.stable))
        return tuple(
            Estimate(one, other, f"share slower than {self.bounds[index]:g} ms", label, _CHORD if is_model else "")
            for one, other, index, label, is_model in zip(canary, stable, at, labels, is_chord, strict=True)
        )

    def intervals(self, metric: Latency, log_wealth: Floats, unit: Floats, alpha: float) -> tuple[Interval, ...]:
        """Of the quantiles' differences, in milliseconds."""
        if not self.bounds:
            return tuple(Interval() for _ in metric.quantiles)
        known = _quantiles(self.bounds, self.recent_stable.astype(float), metric.quantiles)
        last = self.bounds[-2] if len(self.bounds) > 1 else 0.0
        # The canary's quantile cannot be below 0, and beyond the last finite bound nothing is seen.
        return tuple(
            interval.interval(interval.SHAPE * scale, own, alpha, least=-p, most=last - p) if scale > 0 else Interval()
            for scale, own, p in zip(unit.tolist(), log_wealth, known.tolist(), strict=True)
        )

    def _on_shifts(self, tick: "_Tick", found: "_Thresholds", tests: TwoArms, part: slice) -> Wagers:
        """Bets on where the canary seems to be, by its counts so far."""
        so_far = _restricted(self.bounds, self.canary.astype(float), tick.bounds)
        at, own = found.canary[..., part, :], _part(tests, part)
        n = _all(so_far, at)
        believed = interval.believed(n - _gather(so_far, at), n, own.rate)
        return Wagers(own, interval.targets(own.boundary, believed, n, np.asarray(own.side))[..., None])

    def _arms(self, metric: Latency, counts: Floats, at: Indices) -> tuple[Arm, ...]:
        """An arm of each quantile: the interpolated quantile, and how many requests were slower than the bound `at`."""
        total = float(counts[-1])
        found = _quantiles(self.bounds, counts, metric.quantiles).tolist()
        slower = (total - _gather(counts, at)).tolist()
        return tuple(Arm(total, events, None if np.isnan(p) else p) for events, p in zip(slower, found, strict=True))

    def _tick(self, metric: Latency, canary: Sample, stable: Sample | None) -> "_Tick | None":
        """This tick on the bounds that all have; None while nothing is known of the stable from before it."""
        if not self.bounds:
            return None
        of_canary = of_kind(Histogram, canary, metric)
        of_stable = of_canary if stable is None else of_kind(Histogram, stable, metric)
        bounds = _common(self.bounds, of_canary.bounds, of_stable.bounds)
        return _Tick(
            bounds,
            _restricted(self.bounds, self.recent_stable.astype(float), bounds),
            _restricted(of_canary.bounds, of_canary.cumulative, bounds),
            _restricted(of_stable.bounds, of_stable.cumulative, bounds),
        )

    def _rollback_thresholds(self, tick: "_Tick", metric: Latency) -> "_Thresholds":
        p = tick.quantiles(metric.quantiles)
        rho, delta = np.array(metric.tolerance.rho), np.array(metric.tolerance.delta)
        return _Thresholds.around(tick, p, rho, delta, _ROLLBACK)

    def _thresholds(self, tick: "_Tick", metric: Latency, rho: Floats, delta: Floats, sides: Floats) -> "_Thresholds":
        """For several boundaries; a promotion takes those that an identical canary would sooner be proven fine by."""
        p, slower = tick.quantiles(metric.quantiles)[..., None], 1 - np.array(metric.quantiles)[:, None]
        around = _Thresholds.around(tick, p, rho, delta, sides)
        between = _Thresholds.between(tick, p, slower, rho, delta)
        return around.replaced(between, (sides < 0)[:, None] & (between.worth(tick) > around.worth(tick)))

    def _empty(self, bounds: tuple[float, ...]) -> Self:
        nothing = np.zeros((*self.canary.shape[:-1], len(bounds)), dtype=np.float32)
        return replace(self, bounds=bounds, canary=nothing, stable=nothing, recent_stable=nothing)


@dataclass(frozen=True)
class _Tick:
    """One tick's histograms, and the stable's from before it, all on the same bounds."""

    bounds: tuple[float, ...]
    history: Floats
    canary: Floats
    stable: Floats

    def quantiles(self, quantiles: tuple[float, ...]) -> Floats:
        """The stable's, from before the tick: shape (..., quantiles), NaN where nothing is known."""
        return _quantiles(self.bounds, self.history, quantiles)

    def share_slower(self, index: Indices) -> Floats:
        """The stable's share, from before the tick, slower than the bound at `index`; −1 is 0 ms."""
        return 1 - _gather(self.history, index) / np.maximum(_all(self.history, index), 1e-9)

    def tests(self, thresholds: "_Thresholds", excess: Floats, side: Floats) -> TwoArms:
        """The tests at these thresholds on this tick's counts: shape (..., legs)."""
        nc, ns = _all(self.canary, thresholds.canary), _all(self.stable, thresholds.stable)
        usable = thresholds.is_usable
        return TwoArms(
            nc=np.where(usable, nc, 0.0),
            xc=np.where(usable, nc - _gather(self.canary, thresholds.canary), 0.0),
            ns=np.broadcast_to(ns, usable.shape),
            xs=ns - _gather(self.stable, thresholds.stable),
            rate=thresholds.rate,
            rho=thresholds.rho,
            delta=0.0,
            excess=excess,
            side=side[..., None],
        )


@dataclass(frozen=True)
class _Thresholds:
    """Where the arms are compared. The last axis has two legs, whose wealths are averaged.

    The chord form's are at the bounds just below and just above what is allowed; a promotion's both at the one above,
    for a canary of which only the tail is slower looks fine at the one below.

    `canary` and `stable` are indices of bounds (−1 is 0 ms): "slower than b" of the canary against ρ times "slower than
    a" of the stable. In the exact forms both legs are the same and ρ is 1.
    """

    canary: Indices
    stable: Indices
    rate: Floats  # the stable's share, from before the tick
    rho: Floats
    is_usable: NDArray[np.bool_]
    is_chord: NDArray[np.bool_]  # without the axis of the legs

    @classmethod
    def around(cls, tick: _Tick, p: Floats, rho: Floats, delta: Floats, side: Floats) -> Self:
        """Around what is allowed: ρ p + δ, for quantiles `p` of the stable.

        `side` +1 asks whether the canary is slower than that, −1 whether it is not.
        """
        bounds = np.array(tick.bounds)
        is_known = ~np.isnan(p)
        allowed = np.where(is_known, rho * p + delta, -1.0)
        b = np.searchsorted(bounds, allowed)
        b = np.broadcast_to(np.minimum(b, bounds.size - 1), np.broadcast_shapes(b.shape, side.shape))
        meant = (bounds[b] - delta) / rho
        # Rollback: the largest a that is at most what is meant; promotion: the smallest that is at least that.
        a = np.where(side > 0, np.searchsorted(bounds, meant, "right") - 1, np.searchsorted(bounds, meant))
        a = np.minimum(a, bounds.size - 1)
        of_a = np.where(a >= 0, bounds[a], 0.0)
        # Infinite or NaN where the allowed quantile is beyond the last bound: neither form applies.
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.maximum(meant / of_a, of_a / meant)
            kept = np.log(bounds[b] / of_a) / np.log(bounds[b] / meant)
        # A promotion's a lies nearer to b than what is meant; where it takes most of the tolerance away, an identical
        # canary could never be shown to be fine.
        is_chord = ~((off <= _COARSE) & ((side > 0) | (kept >= _KEPT)))
        exact_b, exact_a = b[..., None], a[..., None]
        chord_b = exact_b - (side > 0)[..., None] * _LOWER_LEG
        meant_b = (np.where(chord_b >= 0, bounds[chord_b], np.nan) - delta[..., None]) / rho[..., None]
        chord_rate = tick.share_slower(np.maximum(chord_b, 0))
        is_known_there = chord_rate * _all(tick.history, chord_b) >= _KNOWN
        can_chord = (chord_b >= 0) & (chord_b < bounds.size - 1) & (meant_b > 0) & is_known_there
        chord_rho = _chord(tick, meant_b) / np.maximum(chord_rate, 1e-9)
        chord = is_chord[..., None]
        index_b = np.where(chord, np.maximum(chord_b, 0), exact_b)
        index_a = np.where(chord, np.maximum(chord_b, 0), exact_a)
        usable = np.where(chord, can_chord, (exact_b < bounds.size - 1) & (exact_a >= 0))
        usable = usable & is_known[..., None] & (allowed > 0)[..., None]
        rho_of = np.where(chord & can_chord, np.clip(chord_rho, 1e-6, 1e6), 1.0)
        # A leg that cannot be used is replaced by the other.
        index_b, index_a, rho_of, usable_of = (
            np.where(usable, each, each[..., ::-1]) for each in (index_b, index_a, rho_of, usable)
        )
        return cls(
            canary=index_b,
            stable=index_a,
            rate=tick.share_slower(index_a),
            rho=rho_of,
            is_usable=usable_of,
            is_chord=is_chord,
        )

    @classmethod
    def between(cls, tick: _Tick, p: Floats, slower: Floats, rho: Floats, delta: Floats) -> Self:
        """A promotion's between the stable's quantiles `p`, which a share `slower` is beyond, and what is allowed.

        b is allowed wherever between its neighbouring bounds the stable's quantile lies: nothing hangs on how that was
        interpolated. If b is also the first bound above the quantile, a is the one below: there the stable always has
        requests enough for a chord. In either form b ≤ ρ a + δ, so a canary of which all requests are slower by what is
        allowed lies on the null even where the stable's quantile has moved since. Both legs are one.
        """
        bounds = np.array(tick.bounds)
        above = np.minimum(np.searchsorted(bounds, p), bounds.size - 1)  # where nothing is known (NaN) the last
        below = above - 1
        b = np.searchsorted(bounds, rho * np.where(below >= 0, bounds[below], 0.0) + delta, "right") - 1
        is_chord = b == above
        a = np.where(is_chord, below, above)
        rate = tick.share_slower(a)
        can_chord = (a >= 0) & (rate * _all(tick.history, a) >= _KNOWN)
        return cls(
            canary=b[..., None],
            stable=a[..., None],
            rate=rate[..., None],
            rho=np.where(is_chord, slower / np.maximum(rate, 1e-9), 1.0)[..., None],
            is_usable=np.where(is_chord, can_chord, a < b)[..., None],
            is_chord=is_chord,
        )

    def replaced(self, other: Self, where: NDArray[np.bool_]) -> Self:
        """With the `other` thresholds there."""
        return replace(
            self,
            canary=np.where(where, other.canary, self.canary),
            stable=np.where(where, other.stable, self.stable),
            rate=np.where(where, other.rate, self.rate),
            rho=np.where(where, other.rho, self.rho),
            is_usable=np.where(where, other.is_usable, self.is_usable),
            is_chord=np.where(where[..., 0], other.is_chord, self.is_chord),
        )

    def worth(self, tick: _Tick) -> Floats:
        """How well a promotion's thresholds tell an identical canary from one on the boundary; one leg stands for both.

        The square of what lies between its share and the boundary's, in standard deviations of a request: as far as is
        known from before the tick. 0 where it is not below the boundary; what only a model says is worth less.
        """
        boundary = np.minimum(self.rho[..., 0] * self.rate[..., 0], 1.0)
        apart = np.maximum(boundary - tick.share_slower(self.canary[..., 0]), 0.0)
        spread = np.maximum(boundary * (1 - boundary), 1e-9) * np.where(self.is_chord, _DEAR, 1.0)
        return np.asarray(self.is_usable[..., 0] * apart * apart / spread)[..., None]


def _chord(tick: _Tick, latency: Floats) -> Floats:
    """The stable's share slower than `latency`, by a chord: probit of the share against log latency.

    Beyond the outermost finite bounds the outermost chord is prolonged.
    """
    finite = np.array(tick.bounds[:-1])
    if finite.size < 2:
        return np.full(latency.shape, np.nan)
    left = np.clip(np.searchsorted(finite, latency) - 1, 0, finite.size - 2)
    n = np.maximum(_all(tick.history, left), 1.0)
    shares = [np.clip(tick.share_slower(index), 0.5 / n, 1 - 0.5 / n) for index in (left, left + 1)]
    z_left, z_right = (probit(1 - share) for share in shares)
    log_left, log_right = np.log(finite[left]), np.log(finite[left + 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        z = z_left + (np.log(latency) - log_left) / (log_right - log_left) * (z_right - z_left)
    return np.asarray(1 - normal(z))


def _quantiles(bounds: tuple[float, ...], cumulative: Floats, quantiles: tuple[float, ...]) -> Floats:
    """Quantiles, by the chord through the bounds around each; at most the last finite bound; NaN without requests.

    Linear interpolation, as `histogram_quantile` of a classic histogram has it, puts the p99 of a latency around 100 ms
    into the middle between 250 and 500 ms, wherever it is.
    """
    finite = np.array(bounds[:-1])
    if not finite.size:
        return np.full((*cumulative.shape[:-1], len(quantiles)), np.nan)
    n = cumulative[..., -1:]
    levels = np.array(quantiles)
    right = (cumulative[..., None, :-1] < (levels * n)[..., None]).sum(axis=-1)
    h = np.clip(right, 1, max(1, finite.size - 1))
    upper, lower = np.minimum(h, finite.size - 1), np.minimum(h, finite.size - 1) - 1
    lower = np.maximum(lower, 0)
    edge = 0.5 / np.maximum(n, 1.0)
    z_low, z_high = (
        probit(np.clip(_gather(cumulative, at) / np.maximum(n, 1e-9), edge, 1 - edge)) for at in (lower, upper)
    )
    log_low, log_high = np.log(finite[lower]), np.log(finite[upper])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # where none is between: not taken below
        along = (probit(levels) - z_low) / (z_high - z_low)
        found = np.exp(log_low + along * (log_high - log_low))
    in_first = right == 0
    first = finite[0] * levels * n / np.maximum(cumulative[..., :1], 1e-9)  # nothing is known below: linear
    found = np.where(in_first, first, np.where(right >= finite.size, finite[-1], found))
    return np.where(n > 0, found, np.nan)


def _decisive(metric: Latency) -> tuple[Floats, Floats, Floats]:
    """Side, ρ and δ of the tests that decide: a rollback's and a promotion's."""
    both = (metric.tolerance, metric.margin)
    return interval.SIDES[:, 0], np.array([each.rho for each in both]), np.array([each.delta for each in both])


def _common(bounds: tuple[float, ...], *others: tuple[float, ...]) -> tuple[float, ...]:
    """Those of the bounds that all others have too."""
    others = tuple(each for each in others if each != bounds)
    return tuple(bound for bound in bounds if all(bound in each for each in others)) if others else bounds


def _restricted(bounds: tuple[float, ...], cumulative: Floats, wanted: tuple[float, ...]) -> Floats:
    """The histogram on fewer bounds: exact, for counts are cumulative."""
    return cumulative if bounds == wanted else cumulative[..., [bounds.index(bound) for bound in wanted]]


def _gather(cumulative: Floats, index: Indices) -> Floats:
    """Counts at bounds: `index` of shape (..., anything) beside `cumulative` of shape (..., bounds); −1 gives 0."""
    if cumulative.ndim == 1:
        return np.where(index < 0, 0.0, cumulative[np.maximum(index, 0)])
    flat = index.reshape((*cumulative.shape[:-1], -1))
    found = np.take_along_axis(cumulative, np.maximum(flat, 0), axis=-1)
    return np.where(flat < 0, 0.0, found).reshape(index.shape)


def _all(cumulative: Floats, index: Indices) -> Floats:
    """All requests, with as many axes as `index`."""
    total = cumulative[..., -1]
    return total.reshape(total.shape + (1,) * (index.ndim - total.ndim))


def _part(tests: TwoArms, part: slice) -> TwoArms:
    """The tests of some of the boundaries: of the axis before the legs'."""
    nc, xc, ns, xs, rate, rho = (
        np.asarray(each)[..., part, :] for each in (tests.nc, tests.xc, tests.ns, tests.xs, tests.rate, tests.rho)
    )
    return TwoArms(nc, xc, ns, xs, rate, rho, tests.delta, tests.excess, np.asarray(tests.side)[part])


def _each_leg(log_e: Floats) -> Floats:
    """Every leg as a test of its own: (..., quantiles, 2, bets) to (..., 2 quantiles, bets)."""
    return log_e.reshape((*log_e.shape[:-3], -1, log_e.shape[-1]))


def _over_legs(log_e: Floats) -> Floats:
    """The average e-value of both legs: (..., 2, bets) to (..., bets)."""
    return np.asarray(np.logaddexp(log_e[..., 0, :], log_e[..., 1, :]) - np.log(2.0))
