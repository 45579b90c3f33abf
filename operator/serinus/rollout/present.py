"""The judge's answer and the rollout's place on the ladder, as a status shows them."""

from datetime import datetime

from serinus.api import ArmStatus, CanaryDeploymentStatus, PrintedStatus, RowStatus, VerdictStatus
from serinus.judge import Counts, Row, Verdict
from serinus.rollout.plan import Plan

_DIGITS = 6  # of rates and differences: beyond what any traffic resolves, and short in a status


def row_status(row: Row) -> RowStatus:
    """A row of the comparison as a status has it."""
    return RowStatus(
        metric=row.metric.name,
        kind="proportion",
        verdict=row.verdict,
        missing=row.missing.value if row.missing else None,
        canary=_arm(row.canary, row.canary_rate),
        stable=_arm(row.stable, row.stable_rate),
        difference=_short(row.difference),
        relative=_short(row.relative),
        low=_short(row.low),
        high=_short(row.high),
        confidence=row.confidence,
        p_value=float(f"{row.p_value:.3g}"),
        tolerance=row.metric.tolerance_text,
        margin=row.metric.margin_text,
        gating=row.metric.gating,
        rollback=round(row.rollback, 3),
        promote=round(row.promote, 3),
        tested=row.metric.tested,
    )


def verdict_status(verdict: Verdict, at: datetime) -> VerdictStatus:
    """A verdict as a status has it."""
    return VerdictStatus(verdict=verdict.verdict, reason=verdict.reason, message=verdict.message, time=at)


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


def _arm(counts: Counts, rate: float | None) -> ArmStatus:
    return ArmStatus(total=counts.n, events=counts.x, estimate=_short(rate))


def _labels(labels: dict[str, str] | None, subset: str) -> str:
    if not labels:
        return subset
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
