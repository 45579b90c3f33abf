"""From a CanaryPolicy, as people write it, to the numbers that the judge works with."""

from collections.abc import Mapping
from dataclasses import replace

from serinus.api import CanaryPolicySpec, Metric, Regression
from serinus.api.quantity import format_duration
from serinus.judge import (
    GUARD,
    Boundary,
    Counts,
    Distribution,
    Evidence,
    Gauge,
    Latency,
    Policy,
    Proportion,
    Rate,
    Sample,
)
from serinus.judge import Metric as JudgeMetric

_DEFAULT_GUARD = Boundary(delta=0.02)  # R23: what an error rate may rise by, where the policy says nothing of errors

_TESTED = {
    "istio-errors": "share of requests answered with 5xx",
    "istio-success": "share of requests not answered with 5xx",
}
_TESTED_OF_KIND = {
    "proportion": "share of events",
    "latency": "share of slow requests",
    "distribution": "total variation distance",
    "rate": "events per exposure",
    "gauge": "mean over pods and time",
}


def judge_policy(policy: CanaryPolicySpec, planned_ticks: int) -> Policy:
    """The judge's policy for a rollout that is planned to last so many ticks."""
    guarding = _guarding(policy)
    return Policy(
        metrics=tuple(_metric(metric) for metric in policy.metrics),
        guard=_share_boundary(guarding, guarding.tolerance) if guarding else _DEFAULT_GUARD,
        alpha=policy.false_rollback,
        beta=policy.false_promotion,
        min_requests=policy.min_requests,
        spike=policy.spike.error_rate,
        planned_ticks=planned_ticks,
        promote_on=policy.promote_on,
    )


def with_guard(policy: CanaryPolicySpec, evidence: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """A tick's evidence with the guard's: failed requests, from the first metric of the policy that counts them.

    Without such a metric, or without its evidence, the guard has nothing to see.
    """
    metric = _guarding(policy)
    if metric is None or metric.name not in evidence:
        return dict(evidence)
    seen = evidence[metric.name]
    if metric.effective_better == "higher":
        seen = replace(seen, canary=_failures(seen.canary), stable=_failures(seen.stable))
    return {**evidence, GUARD: seen}


def regression_text(regression: Regression, *, higher_is_better: bool = False) -> str:
    """A tolerance or margin for people: "+2 pp", "−3 %", "+50 ms", several joined by " and "."""
    sign = "−" if higher_is_better else "+"
    parts = []
    if regression.relative is not None:
        parts.append(f"{sign}{100 * regression.relative:g} %")
    if regression.absolute is not None:
        parts.append(f"{sign}{100 * regression.absolute:g} pp")
    if regression.duration is not None:
        parts.append(f"+{_spaced(format_duration(regression.duration))}")
    if regression.total_variation is not None:
        parts.append(f"+{100 * regression.total_variation:g} pp")
    return " and ".join(parts)


def _metric(metric: Metric) -> JudgeMetric:
    kind = metric.effective_kind
    higher = metric.effective_better == "higher"
    two_sided = metric.template == "istio-throughput"
    tested = _TESTED.get(metric.template or "", _TESTED_OF_KIND[kind])
    texts = [
        regression_text(each, higher_is_better=higher).replace("+", "±" if two_sided else "+")
        for each in (metric.tolerance, metric.effective_margin)
    ]
    judged = _of_kind(metric, higher_is_better=higher, two_sided=two_sided)
    return replace(
        judged,
        on_regression=metric.effective_on_regression,
        tested=tested,
        tolerance_text=texts[0],
        margin_text=texts[1],
    )


def _of_kind(metric: Metric, *, higher_is_better: bool, two_sided: bool) -> JudgeMetric:
    """The metric's boundaries, in its kind's unit."""
    name, higher = metric.name, higher_is_better
    sizes = (metric.tolerance, metric.effective_margin)
    match metric.effective_kind:
        case "proportion":
            tolerance, margin = (_share_boundary(metric, size) for size in sizes)
            return Proportion(name, tolerance, margin, higher_is_better=higher)
        case "latency":
            tolerance, margin = (_latency_boundary(size) for size in sizes)
            return Latency(name, tolerance, margin, quantiles=metric.effective_quantiles, gates=metric.effective_gates)
        case "distribution":
            tolerance, margin = (Boundary(delta=size.total_variation or 0.0) for size in sizes)
            return Distribution(name, tolerance, margin)
        case "rate":
            tolerance, margin = (_relative_boundary(size, higher_is_better=higher) for size in sizes)
            return Rate(name, tolerance, margin, higher_is_better=higher, two_sided=two_sided)
        case "gauge":
            tolerance, margin = (_relative_boundary(size, higher_is_better=higher) for size in sizes)
            return Gauge(name, tolerance, margin, higher_is_better=higher)


def _guarding(policy: CanaryPolicySpec) -> Metric | None:
    """The metric whose evidence the guard gets as well; None where none counts failed requests."""
    return next((each for each in policy.metrics if each.template in ("istio-errors", "istio-success")), None)


def _share_boundary(metric: Metric, size: Regression) -> Boundary:
    higher = metric.effective_better == "higher"
    return Boundary.of(size.absolute or 0.0, size.relative or 0.0, higher_is_better=higher)


def _latency_boundary(size: Regression) -> Boundary:
    milliseconds = size.duration.total_seconds() * 1000 if size.duration else 0.0
    return Boundary(1.0 + (size.relative or 0.0), milliseconds)


def _relative_boundary(size: Regression, *, higher_is_better: bool) -> Boundary:
    relative = size.relative or 0.0
    return Boundary(1.0 - relative if higher_is_better else 1.0 + relative)


def _failures(successes: Sample | None) -> Sample | None:
    return successes.failures if isinstance(successes, Counts) else successes


def _spaced(duration: str) -> str:
    """50ms as people write it: 50 ms."""
    digits = duration.rstrip("hms")
    return f"{digits} {duration[len(digits) :]}" if digits.isdigit() else duration
