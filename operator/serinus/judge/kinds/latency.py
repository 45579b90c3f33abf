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

from serinus.judge import interval
from serinus.judge.bets import Asked, OneArm, Wagers
from serinus.judge.evidence import Floats, Histogram, Mask, Past, Sample
from serinus.judge.interval import Interval
from serinus.judge.kinds.histograms import Indices, common, quantiles, restricted, slower, taken
from serinus.judge.kinds.memory import Arm, Batch, Bets, Estimate, Memory, Shape, Unit, of_kind
from serinus.judge.kinds.thresholds import Stable, Thresholds
from serinus.judge.policy import Latency
from serinus.judge.wealth import SHARES

_FADE = 0.99  # per tick
_HISTORY_REQUESTS = 100_000.0  # history weighs at most this many requests: a chord needs to know the tail
_CHORD = "chord between histogram bounds"

_LEGS = 2


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
        # All thresholds at once: to find them takes longer than to bet.
        found = Thresholds.on_both_sides(tick.known, metric.quantiles, *_boundaries(metric, unit))
        decisive = found.at(0).tests(tick.canary, tick.stable, excess[..., None, None], interval.SIDES)

        def bets(log_e: Floats, on_shifts: Floats | None = None) -> Bets:
            intervals = None if on_shifts is None else _over_legs(on_shifts)[..., 0]
            phi = decisive.phi()
            phi = phi[..., 0, :].max(axis=-1) if phi.ndim > 1 else phi
            # The legs of a promotion's test are the same.
            return Bets(_each_leg(log_e[..., 0, :, :]), log_e[..., 1, 0, :], phi, intervals)

        if unit is None:
            return Asked((decisive.mixture(),), bets)
        return Asked((decisive.mixture(), self._on_shifts(tick, found.at(slice(1, None)), excess)), bets)

    def bake_bets(self, metric: Latency, canary: Sample, excess: Floats) -> Floats:
        """The canary's share slower than b against the stable's share slower than a, as last seen."""
        tick = self._tick(metric, canary, None)
        if tick is None:
            return np.zeros((*self.canary.shape[:-1], self.shape(metric).rollback, 1))
        p, side = tick.known.quantiles(metric.quantiles), interval.SIDES[0]
        rho, delta = np.array([metric.tolerance.rho]), np.array([metric.tolerance.delta])
        found = Thresholds.around(tick.known, p[..., None], rho, delta, side)
        tests = found.at(0).tests(tick.canary, tick.stable, excess[..., None], side)
        return _each_leg(OneArm(tests.nc, tests.xc, tests.boundary, tests.excess).log_e())

    def interval_unit(self, metric: Latency) -> Floats:
        """What the tolerance is in milliseconds at each quantile."""
        if not self.bounds:
            return np.zeros((*self.canary.shape[:-1], len(metric.quantiles)))
        p = quantiles(self.bounds, self.recent_stable.astype(float), metric.quantiles)
        tolerance = (metric.tolerance.rho - 1) * p + metric.tolerance.delta
        return np.where(np.isnan(p), 0.0, np.maximum(tolerance, 0.01 * p))

    def remember(self, metric: Latency, canary: Sample | None, stable: Sample | None, *, bake: bool) -> Self:
        """Both arms' histograms, on the bounds that all have."""
        seen = [of_kind(Histogram, each, metric) for each in (canary, stable) if each is not None]
        if not seen:
            return self
        bounds = common(self.bounds or seen[0].bounds, *(each.bounds for each in seen))
        own = self if self.bounds else self._empty(seen[0].bounds)

        def added(counts: Floats, sample: Sample | None, fade: float = 1.0) -> Floats:
            kept = fade * restricted(own.bounds, counts.astype(float), bounds)
            if isinstance(sample, Histogram):
                kept = kept + restricted(sample.bounds, sample.cumulative, bounds)
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
        return len(common(self.bounds or seen[0], *seen)) > 1

    def requests(self) -> tuple[Floats, Floats]:
        """Both arms' requests in this step."""
        return (self.canary[..., -1], self.stable[..., -1]) if self.bounds else (np.zeros(()), np.zeros(()))

    def within_tolerance(self, metric: Latency) -> Mask:
        """By the interpolated quantiles in this step; not without requests in both arms."""
        if not self.bounds:
            return np.zeros((*self.canary.shape[:-1], len(metric.quantiles)), dtype=bool)
        canary, stable = (
            quantiles(self.bounds, counts.astype(float), metric.quantiles) for counts in (self.canary, self.stable)
        )
        return np.asarray(canary <= metric.tolerance.rho * stable + metric.tolerance.delta)  # False where NaN

    def estimates(self, metric: Latency) -> tuple[Estimate, ...]:
        """A row for each quantile: the interpolated quantiles, and the share of slow requests that is tested."""
        labels = [f"p{100 * q:.6g}" for q in metric.quantiles]
        if not self.bounds or not self.recent_stable[-1]:
            nothing = Arm(0.0, 0.0, None)
            return tuple(Estimate(nothing, nothing, metric.tested, label) for label in labels)
        known = Stable(self.bounds, self.recent_stable.astype(float))
        found = Thresholds.on_both_sides(known, metric.quantiles, *_boundaries(metric)).at(0)
        at, is_chord = found.canary[:, 0, 1], np.asarray(found.is_chord.any(axis=-1))
        of_arms = np.array([self.canary, self.stable], dtype=float)
        estimated = quantiles(self.bounds, of_arms, metric.quantiles)
        canary, stable = (_arms(counts, at, p) for counts, p in zip(of_arms, estimated, strict=True))
        return tuple(
            Estimate(one, other, f"share slower than {self.bounds[index]:g} ms", label, _CHORD if is_model else "")
            for one, other, index, label, is_model in zip(canary, stable, at, labels, is_chord, strict=True)
        )

    def intervals(self, metric: Latency, log_wealth: Floats, unit: Floats, alpha: float) -> tuple[Interval, ...]:
        """Of the quantiles' differences, in milliseconds."""
        if not self.bounds:
            return tuple(Interval() for _ in metric.quantiles)
        known = quantiles(self.bounds, self.recent_stable.astype(float), metric.quantiles)
        last = self.bounds[-2] if len(self.bounds) > 1 else 0.0
        # The canary's quantile cannot be below 0, and beyond the last finite bound nothing is seen.
        return tuple(
            interval.interval(interval.SHAPE * scale, own, alpha, least=-p, most=last - p) if scale > 0 else Interval()
            for scale, own, p in zip(unit.tolist(), log_wealth, known.tolist(), strict=True)
        )

    def _on_shifts(self, tick: "_Tick", found: Thresholds, excess: Floats) -> Wagers:
        """Bets on where the canary seems to be, by its counts so far."""
        tests = found.tests(tick.canary, tick.stable, excess[..., None, None, None], interval.SIDES[..., None])
        so_far = slower(restricted(self.bounds, self.canary.astype(float), tick.known.bounds))
        n = so_far[(..., slice(-1, None), *(None,) * (tests.rate.ndim - so_far.ndim))]
        believed = interval.believed(taken(so_far, found.canary), n, tests.rate)
        return Wagers(tests, interval.targets(tests.boundary, believed, n, np.asarray(tests.side))[..., None])

    def _tick(self, metric: Latency, canary: Sample, stable: Sample | None) -> "_Tick | None":
        """This tick on the bounds that all have; None while nothing is known of the stable from before it."""
        if not self.bounds:
            return None
        of_canary = of_kind(Histogram, canary, metric)
        of_stable = of_canary if stable is None else of_kind(Histogram, stable, metric)
        bounds = common(self.bounds, of_canary.bounds, of_stable.bounds)
        return _Tick(
            Stable(bounds, restricted(self.bounds, self.recent_stable.astype(float), bounds)),
            slower(restricted(of_canary.bounds, of_canary.cumulative, bounds)),
            slower(restricted(of_stable.bounds, of_stable.cumulative, bounds)),
        )

    def _empty(self, bounds: tuple[float, ...]) -> Self:
        nothing = np.zeros((*self.canary.shape[:-1], len(bounds)), dtype=np.float32)
        return replace(self, bounds=bounds, canary=nothing, stable=nothing, recent_stable=nothing)


@dataclass(frozen=True)
class _Tick:
    """What is known of the stable from before a tick, and how many of the arms' requests took longer than each bound.

    All on the same bounds.
    """

    known: Stable
    canary: Floats
    stable: Floats


def _boundaries(metric: Latency, unit: Floats | None = None) -> tuple[Floats, Floats]:
    """ρ and δ of a rollback's and a promotion's tests: those that decide, then shifts in units of `unit`.

    Shapes: (2, boundaries) and (..., quantiles, 2, boundaries).
    """
    both = (metric.tolerance, metric.margin)
    rho, delta = np.array([[each.rho] for each in both]), np.array([[each.delta] for each in both])
    if unit is None:
        return rho, delta
    every_rho, every_delta = np.ones((len(both), 1 + interval.POINTS)), np.empty((*unit.shape, 2, 1 + interval.POINTS))
    every_rho[:, :1], every_delta[..., :1] = rho, delta
    every_delta[..., 1:] = (unit[..., None] * interval.SHAPE)[..., None, :]
    return every_rho, every_delta


def _arms(counts: Floats, at: Indices, found: Floats) -> tuple[Arm, ...]:
    """An arm of each quantile: the interpolated one, and how many requests were slower than the bound `at`."""
    total, events = float(counts[-1]), taken(slower(counts), at).tolist()
    return tuple(Arm(total, x, None if np.isnan(p) else p) for x, p in zip(events, found.tolist(), strict=True))


def _each_leg(log_e: Floats) -> Floats:
    """Every leg as a test of its own: (..., quantiles, 2, bets) to (..., 2 quantiles, bets)."""
    return log_e.reshape((*log_e.shape[:-3], -1, log_e.shape[-1]))


def _over_legs(log_e: Floats) -> Floats:
    """The average e-value of both legs: (..., 2, bets) to (..., bets)."""
    return np.asarray(np.logaddexp(log_e[..., 0, :], log_e[..., 1, :]) - np.log(2.0))
