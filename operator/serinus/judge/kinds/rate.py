"""Rates: events per exposure, and the share of the throughput.

Of two Poisson streams the canary's share of all events is binomial with π = ρw/(ρw + 1 − w) when its rate is ρ times
the stable's and w is its share of the exposure: a test with one arm.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from serinus.judge import interval
from serinus.judge.bets import Asked, OneArm
from serinus.judge.evidence import Events, Floats, Mask, Past, Sample
from serinus.judge.interval import Interval
from serinus.judge.kinds.memory import Arm, Batch, Bets, Estimate, Memory, Shape, Unit, of_kind
from serinus.judge.policy import Boundary, Rate
from serinus.judge.wealth import SHARES


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
        nothing = Events(np.zeros(batch), np.zeros(batch))
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
        rollback = _tests(metric, canary, stable, metric.tolerance, excess)
        promote = _tests(metric, canary, stable, metric.margin, excess)
        intervals = None if unit is None else self._on_differences(metric, canary, stable, unit, excess)
        bets = Bets(rollback.log_e(), replace(promote, side=-1).log_e(), rollback.phi()[..., :1], intervals)
        return Asked.known(bets)

    def bake_bets(self, metric: Rate, canary: Sample, excess: Floats) -> Floats:
        """None: without a stable arm there is no share."""
        return np.zeros((*np.shape(self.canary.x), 1 + metric.two_sided, 1))

    def _on_differences(self, metric: Rate, canary: Sample, stable: Sample, unit: Floats, excess: Floats) -> Floats:
        """log e of one bet for each relative difference and side."""
        one, other = of_kind(Events, canary, metric), of_kind(Events, stable, metric)
        test = _test(one, other, 1.0, excess)
        share = test.limit[..., None]
        so_far = np.asarray(self.canary.x + self.stable.x, dtype=float)[..., None]
        expected = interval.believed(np.asarray(self.canary.x)[..., None], so_far, share)
        limit = _limit(share[..., None], 1 + _grid(unit)[..., None, :])
        theta = interval.targets(limit, expected[..., None], so_far[..., None], interval.SIDES)
        n, x = test.n[..., None, None], test.x[..., None, None]
        return OneArm(n, x, limit, excess).bets(theta[..., None])[..., None, :, :, 0]

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


def _tests(metric: Rate, canary: Sample, stable: Sample, boundary: Boundary, excess: Floats) -> OneArm:
    """Each direction that is a regression as a test of one arm's share of all events: shape (..., 1 or 2).

    A canary's rate of less than ρ times the stable's is a stable's of more than 1/ρ times the canary's.
    """
    one, other = of_kind(Events, canary, metric), of_kind(Events, stable, metric)
    if metric.two_sided:
        tests = [_test(one, other, boundary.rho, excess), _test(other, one, boundary.rho, excess)]
    elif metric.higher_is_better:
        tests = [_test(other, one, 1 / boundary.rho, excess)]
    else:
        tests = [_test(one, other, boundary.rho, excess)]
    return OneArm(
        n=np.stack([test.n for test in tests], axis=-1),
        x=np.stack([test.x for test in tests], axis=-1),
        limit=np.stack([test.limit for test in tests], axis=-1),
        excess=excess,
    )


def _test(one: Events, other: Events, rho: float, excess: Floats) -> OneArm:
    """The share of `one` in all events against what it is when its rate is ρ times that of `other`: shape (...)."""
    share = np.asarray(one.exposure / np.maximum(one.exposure + other.exposure, 1e-12))
    is_split = (share > 0) & (share < 1)
    return OneArm(
        n=np.where(is_split, one.x + other.x, 0.0),
        x=np.where(is_split, one.x, 0.0),
        limit=np.where(is_split, _limit(share, rho), 0.5),
        excess=excess,
    )


def _limit(share: Floats, rho: Floats | float) -> Floats:
    """The share of events of an arm with this share of the exposure and ρ times the other's rate."""
    return np.asarray(rho * share / (rho * share + 1 - share))


def _grid(unit: Floats) -> Floats:
    """The relative differences that are tested; a rate cannot fall by all of itself."""
    return np.maximum(interval.SHAPE * unit, -0.99)


def _sum(one: Events, other: Events) -> Events:
    return Events(one.x + other.x, one.exposure + other.exposure)
