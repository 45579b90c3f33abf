"""The comparison: one row per metric, the worse first (R21, R22)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from serinus.judge import interval, wealth
from serinus.judge.evidence import Counts, Evidence, Missing
from serinus.judge.policy import Metric, Policy
from serinus.judge.state import MetricState

RowVerdict = Literal["worse", "no data", "undecided", "within tolerance", "better"]
_ORDER: tuple[RowVerdict, ...] = ("worse", "no data", "undecided", "within tolerance", "better")


@dataclass(frozen=True, slots=True)
class Row:
    """A metric in this step: both arms, their difference with its interval, and the way to either verdict.

    Rates and differences are shares (0.01 is 1 %); `difference` is canary minus stable. `low` and `high` bound it with
    probability `confidence` at all looks together, None where a side is unbounded. `rollback` and `promote` are the
    logarithms of the wealth over the logarithm that the verdict needs, cut to 0 … 1.
    """

    metric: Metric
    verdict: RowVerdict
    missing: Missing | None
    canary: Counts
    stable: Counts
    difference: float | None
    relative: float | None
    low: float | None
    high: float | None
    confidence: float
    p_value: float
    rollback: float
    promote: float
    proven: bool
    """The margin has been ruled out: promote wealth ≥ 1/β now."""
    regressed: bool
    """Its own rollback wealth is ≥ 1/α now."""

    @property
    def canary_rate(self) -> float | None:
        """Share of events in the canary; None without requests."""
        return _share(self.canary)

    @property
    def stable_rate(self) -> float | None:
        """Share of events in the stable arm; None without requests."""
        return _share(self.stable)


def row_of(metric: Metric, state: MetricState, evidence: Evidence, policy: Policy, ticks: int) -> Row:
    """The metric's row after `ticks` ticks of the rollout; `evidence` is the newest tick's."""
    own = wealth.rollback_total(state.rollback, ticks, policy.planned_ticks)
    promote = wealth.promote_total(state.promote)
    to_rollback, to_promote = np.log(1 / policy.alpha), np.log(1 / policy.beta)
    share = policy.weights.get(metric.name, 1.0)
    bounds = interval.interval(interval.grid(state.unit), state.interval, policy.alpha)
    low, high = bounds.low, bounds.high
    if metric.higher_is_better:  # the bets were about failures
        low, high = (None if high is None else -high), (None if low is None else -low)
    canary_rate, stable_rate = _share(state.canary), _share(state.stable)
    difference = None if canary_rate is None or stable_rate is None else canary_rate - stable_rate
    regressed, proven = own >= to_rollback, promote >= to_promote
    gain = low if metric.higher_is_better else (None if high is None else -high)
    verdict: RowVerdict = "undecided"
    if regressed:
        verdict = "worse"
    elif evidence.missing is not None:
        verdict = "no data"
    elif gain is not None and gain > 0:
        verdict = "better"
    elif proven:
        verdict = "within tolerance"
    return Row(
        metric=metric,
        verdict=verdict,
        missing=evidence.missing,
        canary=state.canary,
        stable=state.stable,
        difference=difference,
        relative=difference / stable_rate if difference is not None and stable_rate else None,
        low=low,
        high=high,
        confidence=1 - policy.alpha,
        p_value=min(1.0, float(np.exp(-state.peak))),
        rollback=float(np.clip((own + np.log(share)) / to_rollback, 0.0, 1.0)),
        promote=float(np.clip(promote / to_promote, 0.0, 1.0)),
        proven=bool(proven),
        regressed=bool(regressed),
    )


def sort_rows(rows: list[Row]) -> tuple[Row, ...]:
    """Worse rows first, then by how near they are to a rollback."""
    return tuple(sorted(rows, key=lambda row: (_ORDER.index(row.verdict), -row.rollback, row.metric.name)))


def _share(counts: Counts) -> float | None:
    return counts.x / counts.n if counts.n > 0 else None
