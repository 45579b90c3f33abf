"""A metric's ledger: the wealth of all its tests, and for how long its step has been watched."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from serinus.judge import interval, wealth
from serinus.judge.evidence import Evidence, Floats, Past, Tick
from serinus.judge.kinds.memory import Batch, Bets, Memory
from serinus.judge.kinds.registry import memory_of
from serinus.judge.policy import Metric, Policy


@dataclass(frozen=True)
class Ledger:
    """What the judge keeps of one metric. Wealth is in logarithms, and stored in single precision.

    Shapes: a leading axis for each that `Batch` has; then `rollback` (tests, 6), `promote` (tests, alternatives),
    `intervals` (rows, 2, 24), `peak`, `unit` and `phi` (rows). Rollback wealth is of the whole rollout, the rest of the
    step.
    """

    memory: Memory
    rollback: Floats
    promote: Floats
    intervals: Floats
    peak: Floats  # the largest log of a row's rollback wealth so far
    unit: Floats  # scale of each row's interval, fixed at the step's start
    phi: Floats  # of the newest tick with data
    excess: Floats  # τ² of each row, shape (rows,); NaN: untempered
    ticks: float  # of the step, in slots of the grid
    good: float  # of them, with data
    since_missing: float  # slots with data since the last that lacked some

    @classmethod
    def start(cls, metric: Metric, past: Past, batch: Batch) -> Self:
        """Before the first tick."""
        memory = memory_of(metric).start(metric, past, batch)
        shape = memory.shape(metric)
        excess = np.array(past.excess) if len(past.excess) == shape.rows else np.full(shape.rows, np.nan)
        return cls(
            memory=memory,
            rollback=_stored(wealth.rollback_start(*batch, shape.rollback)),
            promote=_stored(wealth.promote_start(*batch, *shape.promote)),
            intervals=_stored(interval.start(*batch, shape.rows)),
            peak=_stored(np.zeros((*batch, shape.rows))),
            unit=_stored(memory.interval_unit(metric)),
            phi=_stored(np.ones((*batch, shape.rows))),
            excess=excess,
            ticks=0.0,
            good=0.0,
            since_missing=0.0,
        )

    def new_step(self, metric: Metric) -> Self:
        """At the start of a step: promotion, intervals and counts begin anew, rollback wealth goes on."""
        memory = self.memory.new_step(metric)
        return replace(
            self,
            memory=memory,
            promote=_stored(wealth.promote_start(*self.promote.shape)),
            intervals=np.zeros_like(self.intervals),
            unit=_stored(memory.interval_unit(metric)),
            ticks=0.0,
            good=0.0,
            since_missing=0.0,
        )

    def settle(
        self, metric: Metric, seen: Evidence, policy: Policy, tick: Tick, number: int, *, with_intervals: bool
    ) -> Self:
        """After the tick `number` of the rollout."""
        is_comparable = self._can_compare(metric, seen)
        says_nothing = (self.memory.needs_one_weight and seen.straddles) or not is_comparable
        bets = None if says_nothing else self._bets(metric, seen, bake=tick.bake, with_intervals=with_intervals)
        rollback = bets.rollback if bets is not None else np.zeros_like(self.rollback)
        # A tick in which the weight changed, or of which not all is known, proves nothing good.
        is_whole = seen.missing is None and not seen.straddles
        promote = bets.promote if bets is not None and is_whole else np.zeros_like(self.promote)
        rolled = _stored(wealth.rollback_step(self.rollback, rollback, number, policy.planned_ticks))
        memory = self.memory if says_nothing else self.memory.remember(metric, seen.canary, seen.stable, bake=tick.bake)
        is_good = seen.missing is None and is_comparable
        settled = replace(
            self,
            memory=memory,
            rollback=rolled,
            promote=_stored(wealth.promote_step(self.promote, promote, policy.beta)),
            intervals=self._intervals(bets, policy),
            unit=self.unit if (self.unit > 0).all() else self._unit(memory.interval_unit(metric)),
            phi=self.phi if bets is None else _stored(np.broadcast_to(bets.phi, self.phi.shape)),
            ticks=self.ticks + tick.length * (not seen.straddles),
            good=self.good + tick.length * (is_good and not seen.straddles),
            since_missing=self.since_missing + tick.length if is_good else 0.0,
        )
        rows = settled.row_wealth(metric, number + 1, policy.planned_ticks)
        return replace(settled, peak=_stored(np.maximum(self.peak, rows)))

    def test_wealth(self, ticks: int, planned: int) -> Floats:
        """Log of each rollback test's wealth: shape (..., tests)."""
        return wealth.rollback_total(self.rollback.astype(float), ticks, planned)

    def row_wealth(self, metric: Metric, ticks: int, planned: int) -> Floats:
        """Log of each row's rollback wealth: the average of its tests'; shape (..., rows)."""
        tests = self.test_wealth(ticks, planned)
        return wealth.average(tests.reshape((*self.peak.shape, -1)))

    def family_wealth(self, metric: Metric, ticks: int, planned: int) -> Floats:
        """Log of the metric's wealth as a member of the family: the average over its rows that gate; shape (...)."""
        return wealth.average(self.row_wealth(metric, ticks, planned)[..., self.memory.shape(metric).gates])

    def promote_wealth(self) -> Floats:
        """Log of each row's promote wealth: the smallest of its tests'; shape (..., rows)."""
        tests = wealth.promote_total(self.promote.astype(float))
        return np.asarray(tests.reshape((*self.peak.shape, -1)).min(axis=-1))

    def _bets(self, metric: Metric, seen: Evidence, *, bake: bool, with_intervals: bool) -> Bets | None:
        if seen.canary is None:
            return None
        tau2 = np.where(np.isnan(self.excess), 0.0, self.excess)
        if bake:
            return Bets(self.memory.bake_bets(metric, seen.canary, tau2), np.zeros_like(self.promote), self.phi)
        if seen.stable is None:
            return None
        # What is not fully known may tell of a regression, but not where a difference lies.
        unit = self.unit.astype(float) if with_intervals and seen.missing is None else None
        return self.memory.bets(metric, seen.canary, seen.stable, tau2, unit)

    def _intervals(self, bets: Bets | None, policy: Policy) -> Floats:
        """Their log-wealth after a tick with these bets."""
        if bets is None or bets.intervals is None:
            return self.intervals
        log_e = np.where(self.unit[..., None, None] > 0, bets.intervals, 0.0)
        return _stored(interval.step(self.intervals.astype(float), log_e, policy.alpha))

    def _unit(self, known: Floats) -> Floats:
        """Each row's scale: `known` now where it was unknown before."""
        return np.where(self.unit > 0, self.unit, _stored(known))

    def _can_compare(self, metric: Metric, seen: Evidence) -> bool:
        if seen.canary is None or seen.stable is None:
            return True
        return self.memory.can_compare(metric, seen.canary, seen.stable)


def _stored(values: Floats) -> Floats:
    """In the precision of a stored state, so that one that was stopped and resumed goes on as if it had not been."""
    return values.astype(np.float32)
