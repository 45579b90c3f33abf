"""A metric's ledger: what is known of the metric, and the wealth of all its tests.

Bets are made from what is known before their tick, never from their own success: what is known goes on from tick to
tick without waiting for the wealth, so the bets of many ticks can be settled in one pass.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from serinus.judge import interval, wealth
from serinus.judge.bets import Asked
from serinus.judge.evidence import Evidence, Floats, Integers, Number, Past, Tick
from serinus.judge.kinds.memory import Batch, Bets, Memory, Shape
from serinus.judge.kinds.registry import memory_of
from serinus.judge.policy import Metric, Policy


@dataclass(frozen=True)
class Watch:
    """What is known of a metric, and for how long its step has been watched."""

    memory: Memory
    unit: Floats  # scale of each row's interval, fixed at the step's start; shape (..., rows)
    excess: Floats  # τ² of each row, shape (rows,) or with the state's axes; NaN: untempered
    ticks: Number  # of the step, in slots of the grid
    good: Number  # of them, with data
    since_missing: Number  # slots with data since the last that lacked some

    @classmethod
    def start(cls, metric: Metric, past: Past, batch: Batch) -> Self:
        """Before the first tick."""
        memory = memory_of(metric).start(metric, past, batch)
        rows = memory.shape(metric).rows
        excess = np.array(past.excess) if len(past.excess) == rows else np.full(rows, np.nan)
        return cls(memory, _stored(memory.interval_unit(metric)), excess, 0.0, 0.0, 0.0)

    def new_step(self, metric: Metric) -> Self:
        """At the start of a step: its counts begin anew."""
        memory = self.memory.new_step(metric)
        return type(self)(memory, _stored(memory.interval_unit(metric)), self.excess, 0.0, 0.0, 0.0)

    def ask(self, metric: Metric, seen: Evidence, *, bake: bool, with_intervals: bool) -> Asked[Bets | None]:
        """The bets on a tick's evidence; None where it says nothing."""
        if seen.canary is None or self._mixes_weights(seen) or not self._can_compare(metric, seen):
            return Asked.known(None)
        tau2 = np.where(np.isnan(self.excess), 0.0, self.excess)
        if bake:
            return Asked.known(Bets(self.memory.bake_bets(metric, seen.canary, tau2)))
        if seen.stable is None:
            return Asked.known(None)
        # What is not fully known may tell of a regression, but not where a difference lies.
        is_located = with_intervals and seen.missing is None and bool((self.unit > 0).all())
        unit = self.unit.astype(float) if is_located else None
        return self.memory.bets(metric, seen.canary, seen.stable, tau2, unit)

    def after(self, metric: Metric, seen: Evidence, tick: Tick) -> Self:
        """With the tick's evidence."""
        memory, unit = self.memory, self.unit
        is_comparable = self._can_compare(metric, seen)
        if is_comparable and not self._mixes_weights(seen):
            memory = memory.remember(metric, seen.canary, seen.stable, bake=tick.bake)
        if not (unit > 0).all():
            unit = np.where(unit > 0, unit, _stored(memory.interval_unit(metric)))
        is_good = seen.missing is None and is_comparable
        return type(self)(
            memory=memory,
            unit=unit,
            excess=self.excess,
            ticks=self.ticks + tick.length * (not seen.straddles),
            good=self.good + tick.length * (is_good and not seen.straddles),
            since_missing=self.since_missing + tick.length if is_good else 0.0,
        )

    def _mixes_weights(self, seen: Evidence) -> bool:
        """Whether the weight changed within a tick that says nothing then."""
        return self.memory.needs_one_weight and seen.straddles

    def _can_compare(self, metric: Metric, seen: Evidence) -> bool:
        if seen.canary is None or seen.stable is None:
            return True
        return self.memory.can_compare(metric, seen.canary, seen.stable)


@dataclass(frozen=True)
class Purse:
    """The wealth of a metric's tests, in logarithms, stored in single precision.

    Shapes: a leading axis for each that `Batch` has; then `rollback` (tests, 6), `promote` (tests, alternatives),
    `intervals` (rows, 2, 24), `peak` and `phi` (rows). Rollback wealth is of the whole rollout, the rest of the step.
    """

    rollback: Floats
    promote: Floats
    intervals: Floats
    peak: Floats  # the largest log of a row's rollback wealth so far
    phi: Floats  # of the newest tick with data

    @classmethod
    def start(cls, shape: Shape, batch: Batch) -> Self:
        """Before the first tick."""
        return cls(
            rollback=_stored(wealth.rollback_start(*batch, shape.rollback)),
            promote=_stored(wealth.promote_start(*batch, *shape.promote)),
            intervals=_stored(interval.start(*batch, shape.rows)),
            peak=_stored(np.zeros((*batch, shape.rows))),
            phi=_stored(np.ones((*batch, shape.rows))),
        )

    def new_step(self) -> Self:
        """At the start of a step: promotion and intervals begin anew, rollback wealth goes on."""
        promote = _stored(wealth.promote_start(*self.promote.shape))
        return replace(self, promote=promote, intervals=np.zeros_like(self.intervals))

    def after(self, bets: Bets | None, policy: Policy, number: Integers, *, may_promote: bool) -> Self:
        """After the tick `number` of the rollout; `may_promote`: it can prove something good."""
        log_e = np.zeros(1) if bets is None else bets.rollback
        rollback = _stored(wealth.rollback_step(self.rollback, log_e, number, policy.planned_ticks))
        promote, intervals, phi = self.promote, self.intervals, self.phi
        if bets is not None and bets.promote is not None and may_promote:
            promote = _stored(wealth.promote_step(promote, bets.promote, policy.beta))
        if bets is not None and bets.intervals is not None:
            intervals = _stored(interval.step(intervals.astype(float), bets.intervals, policy.alpha))
        if bets is not None and bets.phi is not None:
            phi = np.empty_like(phi)
            phi[...] = bets.phi
        rows = _over_tests(rollback, self.peak.shape, number + 1, policy.planned_ticks)
        return type(self)(rollback, promote, intervals, _stored(np.maximum(self.peak, rows)), phi)

    def test_wealth(self, ticks: Integers, planned: int) -> Floats:
        """Log of each rollback test's wealth: shape (..., tests)."""
        return wealth.rollback_total(self.rollback.astype(float), ticks, planned)

    def row_wealth(self, ticks: Integers, planned: int) -> Floats:
        """Log of each row's rollback wealth: the average of its tests'; shape (..., rows)."""
        return _over_tests(self.rollback, self.peak.shape, ticks, planned)

    def promote_wealth(self) -> Floats:
        """Log of each row's promote wealth: the smallest of its tests'; shape (..., rows)."""
        tests = wealth.promote_total(self.promote.astype(float))
        return np.asarray(tests.reshape((*self.peak.shape, -1)).min(axis=-1))


@dataclass(frozen=True)
class Ledger:
    """What the judge keeps of one metric."""

    watch: Watch
    purse: Purse

    @classmethod
    def start(cls, metric: Metric, past: Past, batch: Batch) -> Self:
        """Before the first tick."""
        watch = Watch.start(metric, past, batch)
        return cls(watch, Purse.start(watch.memory.shape(metric), batch))

    def new_step(self, metric: Metric) -> Self:
        """At the start of a step."""
        return type(self)(self.watch.new_step(metric), self.purse.new_step())

    def family_wealth(self, metric: Metric, ticks: Integers, planned: int) -> Floats:
        """Log of the metric's wealth as a member of the family: the average over its rows that gate; shape (...)."""
        gates = self.watch.memory.shape(metric).gates
        return wealth.average(self.purse.row_wealth(ticks, planned)[..., gates])


def _over_tests(rollback: Floats, rows: tuple[int, ...], ticks: Integers, planned: int) -> Floats:
    """Log of each row's rollback wealth, of shape `rows`: the average of its tests'."""
    tests = wealth.rollback_total(rollback.astype(float), ticks, planned)
    return wealth.average(tests.reshape((*rows, -1)))


def _stored(values: Floats) -> Floats:
    """In the precision of a stored state, so that one that was stopped and resumed goes on as if it had not been."""
    return values.astype(np.float32)
