"""The comparison: every metric's rows, the worse first (R21, R22)."""

import functools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from serinus.judge.evidence import Evidence, Floats, Missing, Number
from serinus.judge.interval import Interval
from serinus.judge.kinds.memory import Arm, Estimate, Unit
from serinus.judge.ledger import Ledger
from serinus.judge.policy import Metric, Policy, Rate
from serinus.judge.state import State

RowVerdict = Literal["worse", "no data", "undecided", "within tolerance", "better"]
_ORDER: tuple[RowVerdict, ...] = ("worse", "no data", "undecided", "within tolerance", "better")


@dataclass(frozen=True, slots=True)
class Row:
    """A metric, or one quantile of it, in this step: both arms, their difference, and the way to either verdict.

    Estimates and differences are in `unit` (shares: 0.01 is 1 %); `difference` is canary minus stable. `low` and `high`
    bound it with probability `confidence` at all looks together, None where a side is unbounded. Wealth, and what a
    verdict needs of it, is in logarithms.
    """

    name: str
    metric: Metric
    kind: str
    unit: Unit
    verdict: RowVerdict
    missing: Missing | None
    canary: Arm
    stable: Arm
    difference: float | None
    relative: float | None
    low: float | None
    high: float | None
    confidence: float
    p_value: float
    rollback_wealth: float
    rollback_needs: float
    """The wealth of its own at which this row alone rolls back."""
    promote_wealth: float
    promote_needs: float
    """The wealth at which its margin counts as ruled out."""
    gating: bool
    """Whether it can block a promotion or roll back."""
    proven: bool
    """The margin has been ruled out: promote wealth ≥ 1/β now."""
    regressed: bool
    """Its own rollback wealth is ≥ 1/α now."""
    phi: float | None
    """By how much its counts vary more than a binomial's; None where that is unknown, and the bets untempered."""
    tested: str
    model: str
    """What the test relies on besides counts; empty where it relies on nothing."""

    @property
    def rollback(self) -> float:
        """How far the row is on its way to a rollback: 0 to 1."""
        return float(_on_the_way(self.rollback_wealth, self.rollback_needs, self.confidence))

    @property
    def promote(self) -> float:
        """How far the row is on its way to a promotion: 0 to 1."""
        return min(max(0.0, self.promote_wealth / self.promote_needs), 1.0)

    @property
    def effective(self) -> float:
        """The canary's requests, for as many as they count where they cluster."""
        return self.canary.total / (self.phi or 1.0)


def rows_of(policy: Policy, state: State, metric: Metric, ledger: Ledger, seen: Evidence) -> list[Row]:
    """The metric's rows after the newest tick, of which `seen` is the evidence."""
    watch, purse = ledger.watch, ledger.purse
    own = purse.row_wealth(state.ticks, policy.planned_ticks)
    promote = purse.promote_wealth()
    gates = watch.memory.shape(metric).gates
    estimates = watch.memory.estimates(metric)
    bounds = watch.memory.intervals(metric, purse.intervals.astype(float), watch.unit.astype(float), policy.alpha)
    return [
        _row(policy, metric, ledger, seen, index, float(own[index]), float(promote[index]), *of_row)
        for index, of_row in enumerate(zip(estimates, bounds, gates, strict=True))
    ]


def _row(
    policy: Policy,
    metric: Metric,
    ledger: Ledger,
    seen: Evidence,
    index: int,
    own: float,
    promote: float,
    estimate: Estimate,
    bounds: Interval,
    is_gate: bool,
) -> Row:
    to_rollback, to_promote = np.log(1 / policy.alpha), np.log(1 / policy.beta)
    canary, stable = estimate.canary.estimate, estimate.stable.estimate
    difference = None if canary is None or stable is None else canary - stable
    regressed, proven = own >= to_rollback, promote >= to_promote
    gain = bounds.low if _rises(metric) else None if bounds.high is None else -bounds.high
    verdict: RowVerdict = "undecided"
    if regressed:
        verdict = "worse"
    elif seen.missing is not None:
        verdict = "no data"
    elif gain is not None and gain > 0 and not (isinstance(metric, Rate) and metric.two_sided):
        verdict = "better"
    elif proven:
        verdict = "within tolerance"
    return Row(
        name=f"{metric.name} {estimate.label}".rstrip(),
        metric=metric,
        kind=ledger.watch.memory.name,
        unit=ledger.watch.memory.unit,
        verdict=verdict,
        missing=seen.missing,
        canary=estimate.canary,
        stable=estimate.stable,
        difference=difference,
        relative=difference / stable if difference is not None and stable else None,
        low=bounds.low,
        high=bounds.high,
        confidence=1 - policy.alpha,
        p_value=min(1.0, float(np.exp(-float(ledger.purse.peak[index])))),
        rollback_wealth=own,
        rollback_needs=_rollback_needs(policy, metric, ledger),
        promote_wealth=promote,
        promote_needs=float(to_promote),
        gating=metric.gating and is_gate,
        proven=bool(proven),
        regressed=bool(regressed),
        phi=None if np.isnan(ledger.watch.excess[index]) else float(ledger.purse.phi[index]),
        tested=estimate.tested,
        model=estimate.model,
    )


def sort_rows(rows: list[Row]) -> tuple[Row, ...]:
    """Worse rows first, then by how near they are to a rollback."""
    return tuple(
        sorted(rows, key=lambda row: (_ORDER.index(row.verdict), row.rollback_needs - row.rollback_wealth, row.name))
    )


def nearest_to_rollback(policy: Policy, state: State) -> Floats:
    """How far the row that is nearest to a rollback is on its way there, 0 to 1, without the rows: shape (...)."""
    of_metrics = (
        _on_the_way(
            ledger.purse.row_wealth(state.ticks, policy.planned_ticks).max(axis=-1),
            _rollback_needs(policy, metric, ledger),
            1 - policy.alpha,
        )
        for metric, ledger in zip(policy.metrics, state.ledgers, strict=True)
    )
    return functools.reduce(np.maximum, of_metrics)


def _rollback_needs(policy: Policy, metric: Metric, ledger: Ledger) -> float:
    share = policy.weights.get(metric.name, 1.0) / sum(ledger.watch.memory.shape(metric).gates)
    return float(np.log(1 / policy.alpha) - np.log(share))


def _on_the_way(wealth: Number, needs: float, confidence: float) -> Floats:
    of_alpha = -math.log(1 - confidence)
    return np.minimum(np.maximum(0.0, 1 - (needs - wealth) / of_alpha), 1.0)


def _rises(metric: Metric) -> bool:
    return bool(getattr(metric, "higher_is_better", False))
