"""The judge's answer and the rollout's place on the ladder, as a status shows them."""

from datetime import datetime
from typing import overload

from serinus.api import ArmStatus, CanaryDeploymentStatus, PrintedStatus, QueryStatus, RowStatus, VerdictStatus
from serinus.judge import Arm, Row, Verdict, counterfactual
from serinus.rollout.plan import Plan

_QUERY = 300  # characters
_DIGITS = 6  # of rates and differences: beyond what any traffic resolves, and short in a status


def row_status(row: Row, reporter: str | None = None) -> RowStatus:
    """A row of the comparison as a status has it; `reporter`: whose of Istio's metrics were read for it."""
    needed = counterfactual(row)
    return RowStatus(
        metric=row.name,
        kind=row.kind,
        verdict=row.verdict,
        missing=row.missing.value if row.missing else None,
        canary=_arm(row.canary),
        stable=_arm(row.stable),
        difference=_short(row.difference),
        relative=_short(row.relative),
        low=_short(row.low),
        high=_short(row.high),
        confidence=row.confidence,
        p_value=float(f"{row.p_value:.3g}"),
        tolerance=row.metric.tolerance_text,
        margin=row.metric.margin_text,
        gating=row.gating,
        rollback=round(row.rollback, 3),
        promote=round(row.promote, 3),
        phi=_short(row.phi),
        effective=_short(row.effective),
        worse_by=_short(needed.worse_by),
        better_by=_short(needed.better_by),
        tested=f"{row.tested} ({row.model})" if row.model else row.tested,
        reporter=reporter,
    )


def verdict_status(verdict: Verdict, at: datetime) -> VerdictStatus:
    """A verdict as a status has it."""
    return VerdictStatus(verdict=verdict.verdict, reason=verdict.reason, message=verdict.message, time=at)


def query_status(metric: str, query: str) -> QueryStatus:
    """A metric's query as a status has it: sixteen long ones must fit."""
    return QueryStatus(metric=metric, query=query if len(query) <= _QUERY else f"{query[:_QUERY]} ...")


def printed(plan: Plan, status: CanaryDeploymentStatus) -> PrintedStatus:
    """The texts of kubectl's columns."""
    ended = status.phase.is_end
    next_time = "" if ended or status.next_step_time is None else f"{status.next_step_time:%H:%M}Z"
    return PrintedStatus(
        step=f"{status.step}/{status.steps}" if status.step else "",
        next=next_time,
        share=f"{status.observed_share:.1f} %" if status.observed_share is not None else "",
        stable=_labels(plan.stable.labels, plan.stable.subset),
        canary=_labels(plan.canary.labels, plan.canary.subset),
    )


def _arm(arm: Arm) -> ArmStatus:
    return ArmStatus(total=_short(arm.total), events=_short(arm.events), estimate=_short(arm.estimate))


def _labels(labels: dict[str, str] | None, subset: str) -> str:
    if not labels:
        return subset
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


@overload
def _short(value: float) -> float: ...
@overload
def _short(value: float | None) -> float | None: ...
def _short(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
