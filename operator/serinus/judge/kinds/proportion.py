"""Proportions: events among requests, in either direction."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from serinus.judge import interval
from serinus.judge.bets import Asked, OneArm, TwoArms, Wagers
from serinus.judge.evidence import Counts, Floats, Mask, Past, Sample
from serinus.judge.interval import Interval
from serinus.judge.kinds.memory import Arm, Batch, Bets, Estimate, Memory, Unit, of_kind, zero
from serinus.judge.policy import Proportion

FADE = 0.98
"""Per tick: how fast the rates that bets are made from forget."""

_HISTORY_REQUESTS = 1000.0  # a prior from history weighs at most as much as this many requests
_PRIOR = Counts(50.0, 0.5)  # without history: few failures, weakly believed
_SIDES = np.array([+1.0, -1.0])  # of the tests against tolerance and margin


def prior(past: Counts | None) -> Counts:
    """What the stable's failures are believed to be before the first tick."""
    if past is None or not np.all(past.n):
        return _PRIOR
    scale = np.minimum(1.0, _HISTORY_REQUESTS / past.n)
    return Counts(past.n * scale, past.x * scale)


def faded(counts: Counts) -> Counts:
    """What is still believed of `counts` a tick later."""
    return Counts(FADE * counts.n, FADE * counts.x)


@dataclass(frozen=True)
class ProportionMemory(Memory):
    """Failures of both arms: events where less is better, requests without an event where more is."""

    unit: ClassVar[Unit] = "share"
    name: ClassVar[str] = "proportion"

    canary: Counts  # of the step
    stable: Counts
    recent_canary: Counts  # fading sums: what the next tick's bets are made from
    recent_stable: Counts

    @classmethod
    def start(cls, metric: Proportion, past: Past, batch: Batch) -> Self:
        """Before the first tick. Of a metric where more is better nothing is believed without history."""
        nothing = Counts(zero(batch), zero(batch))
        known = None if past.stable is None else _failures(metric, past.stable)
        believed = nothing if known is None and metric.higher_is_better else nothing + prior(known)
        return cls(nothing, nothing, nothing, believed)

    def new_step(self, metric: Proportion) -> Self:
        """The stable's recent rate stays; the canary may behave in another way under another load."""
        nothing = Counts(0 * self.canary.n, 0 * self.canary.n)
        return replace(self, canary=nothing, stable=nothing, recent_canary=nothing)

    def bets(
        self, metric: Proportion, canary: Sample, stable: Sample, excess: Floats, unit: Floats | None
    ) -> Asked[Bets | None]:
        """One test a side, with the mixture's six alternatives; for the interval one bet a difference and side."""
        both = (metric.tolerance, metric.margin)
        rho, delta = np.array([each.rho for each in both]), np.array([each.delta for each in both])
        tests = self._tests(metric, canary, stable, rho, delta, excess, _SIDES)

        def bets(log_e: Floats, differences: Floats | None = None) -> Bets:
            intervals = None if differences is None else differences[..., None, :, :, 0]
            return Bets(log_e[..., :1, :], log_e[..., 1:, :], tests.phi(), intervals)

        if unit is None:
            return Asked((tests.mixture(),), bets)
        return Asked((tests.mixture(), self._on_differences(metric, canary, stable, unit, excess)), bets)

    def bake_bets(self, metric: Proportion, canary: Sample, excess: Floats) -> Floats:
        """One arm against what the stable's last rate allows."""
        rate, is_known = self._stable_rate()
        seen = _failures(metric, canary)
        n = np.where(is_known, seen.n, 0.0)
        x = np.where(is_known, seen.x, 0.0)
        return OneArm(n[..., None], x[..., None], np.asarray(metric.tolerance.at(rate))[..., None], excess).log_e()

    def interval_unit(self, metric: Proportion) -> Floats:
        """The tolerance (of a small rate), at least 0.1 %."""
        widest = max(metric.tolerance.delta, metric.margin.delta)
        slope = max(abs(metric.tolerance.rho - 1), abs(metric.margin.rho - 1))
        return np.full((*np.shape(self.canary.n), 1), max(0.001, widest, slope * 0.05))

    def remember(self, metric: Proportion, canary: Sample | None, stable: Sample | None, *, bake: bool) -> Self:
        """Counts of the step, and what is believed of the rates."""
        of_canary = Counts() if canary is None else _failures(metric, canary)
        of_stable = Counts() if stable is None else _failures(metric, stable)
        return replace(
            self,
            canary=self.canary + of_canary,
            stable=self.stable + of_stable,
            recent_canary=faded(self.recent_canary) + of_canary,
            recent_stable=self.recent_stable if bake else faded(self.recent_stable) + of_stable,
        )

    def requests(self) -> tuple[Floats, Floats]:
        """Both arms' requests in this step."""
        return np.asarray(self.canary.n), np.asarray(self.stable.n)

    def within_tolerance(self, metric: Proportion) -> Mask:
        """By the failures' rates in this step; not without requests in both arms."""
        nc, ns = np.asarray(self.canary.n), np.asarray(self.stable.n)
        limit = metric.tolerance.rho * self.stable.x / np.maximum(ns, 1) + metric.tolerance.delta
        return np.asarray((nc > 0) & (ns > 0) & (self.canary.x / np.maximum(nc, 1) <= limit))[..., None]

    def estimates(self, metric: Proportion) -> tuple[Estimate, ...]:
        """The events, as people count them."""
        arms = [each.failures if metric.higher_is_better else each for each in (self.canary, self.stable)]
        canary, stable = (
            Arm(float(each.n), float(each.x), float(each.x / each.n) if each.n else None) for each in arms
        )
        return (Estimate(canary, stable, metric.tested),)

    def intervals(self, metric: Proportion, log_wealth: Floats, unit: Floats, alpha: float) -> tuple[Interval, ...]:
        """Of the difference of the events' shares."""
        of_failures = interval.interval(_grid(unit), log_wealth[0], alpha)
        return (of_failures.reversed() if metric.higher_is_better else of_failures,)

    def _on_differences(
        self, metric: Proportion, canary: Sample, stable: Sample, unit: Floats, excess: Floats
    ) -> Wagers:
        """Bets on where the canary seems to be, by its newest counts: tests of shape (..., 2, 24)."""
        points = _grid(unit)[..., None, :]
        tests = self._tests(metric, canary, stable, np.ones(1), points, excess[..., None], interval.SIDES, axes=2)
        believed = interval.believed(self.recent_canary.x, self.recent_canary.n, tests.rate[..., 0, 0])[..., None, None]
        n = np.asarray(self.recent_canary.n)[..., None, None]
        return Wagers(tests, interval.targets(tests.boundary, believed, n, interval.SIDES)[..., None])

    def _tests(
        self,
        metric: Proportion,
        canary: Sample,
        stable: Sample,
        rho: Floats,
        delta: Floats,
        excess: Floats,
        side: Floats,
        *,
        axes: int = 1,
    ) -> TwoArms:
        """Tests of this tick's counts at boundaries that have `axes` axes."""
        rate, is_known = self._stable_rate()
        of_canary, of_stable = _failures(metric, canary), _failures(metric, stable)
        # Where nothing is known of the rate there is nothing to bet on: an empty arm stakes nothing.
        counts = (of_canary.n * is_known, of_canary.x * is_known, of_stable.n, of_stable.x, rate)
        wide = [np.asarray(each, dtype=float)[(..., *(None,) * axes)] for each in counts]
        return TwoArms(wide[0], wide[1], wide[2], wide[3], wide[4], rho, delta, excess, side)

    def _stable_rate(self) -> tuple[Floats, Mask]:
        n = np.asarray(self.recent_stable.n)
        return np.asarray(self.recent_stable.x / np.maximum(n, 1e-9)), n > 0


def _grid(unit: Floats) -> Floats:
    """The differences that are tested, for units of shape (..., 1): shares of requests."""
    return np.minimum(np.maximum(interval.SHAPE * unit, -0.999), 0.999)


def _failures(metric: Proportion, sample: Sample) -> Counts:
    counts = of_kind(Counts, sample, metric)
    return counts.failures if metric.higher_is_better else counts
