"""Rates: events per exposure, and the share of the throughput.

Of two Poisson streams the canary's share of all events is binomial with π = ρw/(ρw + 1 − w) when its rate is ρ times
the stable's and w is its share of the exposure: a test with one arm.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from serinus.judge import interval
from serinus.judge.bets import Asked, OneArm
from serinus.judge.evidence import Events, Floats, Mask, Past, Sample
from serinus.judge.interval import Interval
from serinus.judge.kinds.memory import Arm, Batch, Bets, Estimate, Memory, Shape, Unit, of_kind, zero
from serinus.judge.policy import Rate
from serinus.judge.wealth import SHARES

# Of whose share of the events the tests are, along their last axis: True is the canary's.
_OF_CANARY, _OF_STABLE, _OF_BOTH = np.array([True]), np.array([False]), np.array([True, False])


@dataclass(frozen=True)
class RateMemory(Memory):
    """Events and exposure of both arms in this step."""

    unit: ClassVar[Unit] = "rate"
    name: ClassVar[str] = "rate"
    needs_one_weight: ClassVar[bool] = True  # of an exposure that changed within the tick nothing follows

    canary: Events
    stable: Events

    @classmethod
    def start(cls, metric: Rate, past: Past, batch: Batch) -> Self:
        """Before the first tick; a rate's bets need no history, for the null alone fixes the canary's share."""
        nothing = Events(zero(batch), zero(batch))
        return cls(nothing, nothing)

    @classmethod
    def shape(cls, metric: Rate) -> Shape:
        """A test for each direction that is a regression."""
        directions = 2 if metric.two_sided else 1
        return Shape(rollback=directions, promote=(directions, SHARES))

    def new_step(self, metric: Rate) -> Self:
        """Events are counted anew."""
        nothing = Events(0 * self.canary.x, 0 * self.canary.x)
        return type(self)(nothing, nothing)

    def bets(
        self, metric: Rate, canary: Sample, stable: Sample, excess: Floats, unit: Floats | None
    ) -> Asked[Bets | None]:
        """A test for each direction that is a regression, a promotion's against the same line from within."""
        one, other = of_kind(Events, canary, metric), of_kind(Events, stable, metric)
        tests = _tests(metric, one, other, excess)
        log_e, phi = tests.log_e(), tests.phi()
        phi = phi[..., 0, :1] if phi.ndim > 1 else phi
        intervals = None if unit is None else self._on_differences(one, other, unit, excess)
        return Asked.known(Bets(log_e[..., 0, :, :], log_e[..., 1, :, :], phi, intervals))

    def bake_bets(self, metric: Rate, canary: Sample, excess: Floats) -> Floats:
        """None: without a stable arm there is no share."""
        return np.zeros((*np.shape(self.canary.x), 1 + metric.two_sided, 1))

    def _on_differences(self, canary: Events, stable: Events, unit: Floats, excess: Floats) -> Floats:
        """log e of one bet for each relative difference and side."""
        seen = _seen(canary, stable, _OF_CANARY)
        so_far = np.asarray(self.canary.x + self.stable.x, dtype=float)[..., None]
        expected = interval.believed(np.asarray(self.canary.x)[..., None], so_far, _limit(seen.share, 1.0))
        limit = _limit(seen.share, 1 + _grid(unit))[..., None, :]
        theta = interval.targets(limit, expected[..., None], so_far[..., None], interval.SIDES)
        tests = OneArm(seen.n[..., None], seen.x[..., None], limit, excess[..., None])
        return tests.bets(theta[..., None])[..., None, :, :, 0]

    def interval_unit(self, metric: Rate) -> Floats:
        """The relative tolerance."""
        return np.full((*np.shape(self.canary.x), 1), max(0.001, abs(metric.tolerance.rho - 1)))

    def remember(self, metric: Rate, canary: Sample | None, stable: Sample | None, *, bake: bool) -> Self:
        """Events and exposure of the step."""
        arms = [
            own if seen is None else _sum(own, of_kind(Events, seen, metric))
            for own, seen in ((self.canary, canary), (self.stable, stable))
        ]
        return type(self)(*arms)

    def requests(self) -> tuple[Floats, Floats]:
        """None: a rate's events are not its requests."""
        nothing = np.zeros(np.shape(self.canary.x))
        return nothing, nothing

    def within_tolerance(self, metric: Rate) -> Mask:
        """By the rates in this step; not without exposure of both arms."""
        canary, stable = self.canary, self.stable
        both = (np.asarray(canary.exposure) > 0) & (np.asarray(stable.exposure) > 0)
        one, other = canary.x * np.asarray(stable.exposure), stable.x * np.asarray(canary.exposure)
        rho = metric.tolerance.rho
        is_within = one >= rho * other if metric.higher_is_better else one <= rho * other
        if metric.two_sided:
            is_within = is_within & (other <= rho * one)
        return (both & is_within)[..., None]

    def estimates(self, metric: Rate) -> tuple[Estimate, ...]:
        """Events per exposure."""
        canary, stable = (
            Arm(float(each.exposure), float(each.x), float(each.x / each.exposure) if each.exposure else None)
            for each in (self.canary, self.stable)
        )
        return (Estimate(canary, stable, metric.tested),)

    def intervals(self, metric: Rate, log_wealth: Floats, unit: Floats, alpha: float) -> tuple[Interval, ...]:
        """Of the difference of the rates: the relative one times the stable's rate."""
        if not self.stable.exposure:
            return (Interval(),)
        relative = interval.interval(_grid(unit), log_wealth[0], alpha)
        return (relative.scaled(float(self.stable.x / self.stable.exposure)),)


@dataclass(frozen=True)
class _Seen:
    """An arm's share of a tick's exposure, and its events `x` of all `n`; none where it has none or all of it."""

    share: Floats
    n: Floats
    x: Floats


def _seen(canary: Events, stable: Events, is_canary: Mask) -> _Seen:
    """Of the arms that `is_canary` names, along the last axis."""
    x, of_stable, exposure, rest = (
        np.asarray(each)[..., None] for each in (canary.x, stable.x, canary.exposure, stable.exposure)
    )
    share = np.where(is_canary, exposure, rest) / np.maximum(exposure + rest, 1e-12)
    is_split = _is_split(share)
    n = np.where(is_split, x + of_stable, 0.0)
    return _Seen(share, n, np.where(is_split, np.where(is_canary, x, of_stable), 0.0))


def _is_split(share: Floats) -> Mask:
    return (share > 0) & (share < 1)


def _limit(share: Floats, rho: Floats | float) -> Floats:
    """The share of events of an arm with this share of the exposure and ρ times the other's rate."""
    return np.where(_is_split(share), rho * share / (rho * share + 1 - share), 0.5)


def _tests(metric: Rate, canary: Events, stable: Events, excess: Floats) -> OneArm:
    """Each direction that is a regression, against the tolerance and the margin: shape (..., 2, directions).

    A canary's rate of less than ρ times the stable's is a stable's of more than 1/ρ times the canary's.
    """
    if metric.two_sided:
        seen = _seen(canary, stable, _OF_BOTH)
    else:
        seen = _seen(canary, stable, _OF_STABLE if metric.higher_is_better else _OF_CANARY)
    is_inverse = metric.higher_is_better and not metric.two_sided
    both = (metric.tolerance, metric.margin)
    rho = np.array([[1 / each.rho if is_inverse else each.rho] for each in both])
    limit = _limit(seen.share[..., None, :], rho)
    return OneArm(seen.n[..., None, :], seen.x[..., None, :], limit, excess[..., None], interval.SIDES)


def _grid(unit: Floats) -> Floats:
    """The relative differences that are tested; a rate cannot fall by all of itself."""
    return np.maximum(interval.SHAPE * unit, -0.99)


def _sum(one: Events, other: Events) -> Events:
    return Events(one.x + other.x, one.exposure + other.exposure)
