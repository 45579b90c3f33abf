"""From a CanaryPolicy, as people write it, to the numbers that the judge works with."""

from serinus.api import CanaryPolicySpec, Metric, Regression
from serinus.judge import Boundary, Policy
from serinus.judge import Metric as JudgeMetric

_DEFAULT_GUARD = Boundary(delta=0.02)  # R23: what an error rate may rise by, where the policy says nothing of errors

_TESTED = {
    "istio-errors": "share of requests answered with 5xx",
    "istio-success": "share of requests not answered with 5xx",
}


def judge_policy(policy: CanaryPolicySpec, planned_ticks: int) -> Policy:
    """The judge's policy for a rollout that is planned to last so many ticks."""
    return Policy(
        metrics=tuple(_metric(metric) for metric in policy.metrics),
        guard=_guard(policy),
        alpha=policy.false_rollback,
        beta=policy.false_promotion,
        min_requests=policy.min_requests,
        spike=policy.spike.error_rate,
        planned_ticks=planned_ticks,
    )


def regression_text(regression: Regression, *, higher_is_better: bool) -> str:
    """A tolerance or margin for people: "+2.0 pp", "−3 %", both joined by " and "."""
    sign = "−" if higher_is_better else "+"
    parts = []
    if regression.relative is not None:
        parts.append(f"{sign}{100 * regression.relative:g} %")
    if regression.absolute is not None:
        parts.append(f"{sign}{100 * regression.absolute:g} pp")
    return " and ".join(parts)


def _metric(metric: Metric) -> JudgeMetric:
    higher = metric.effective_better == "higher"
    return JudgeMetric(
        name=metric.name,
        tolerance=_boundary(metric.tolerance, higher_is_better=higher),
        margin=_boundary(metric.effective_margin, higher_is_better=higher),
        higher_is_better=higher,
        on_regression=metric.effective_on_regression,
        tested=_TESTED.get(metric.template or "", "share of events"),
        tolerance_text=regression_text(metric.tolerance, higher_is_better=higher),
        margin_text=regression_text(metric.effective_margin, higher_is_better=higher),
    )


def _guard(policy: CanaryPolicySpec) -> Boundary:
    """What the guard lets the canary's error rate be above the stable's: what the policy's error metric says."""
    for metric in policy.metrics:
        if metric.template in _TESTED:
            higher = metric.effective_better == "higher"
            return _boundary(metric.tolerance, higher_is_better=higher)
    return _DEFAULT_GUARD


def _boundary(regression: Regression, *, higher_is_better: bool) -> Boundary:
    return Boundary.of(regression.absolute or 0.0, regression.relative or 0.0, higher_is_better=higher_is_better)
