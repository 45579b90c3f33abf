"""CanaryPolicy: which metrics matter, how much regression of each is tolerable, and with what error probabilities."""

from typing import Annotated, Literal

from pydantic import Field

from serinus.api.kinds import REPORTING
from serinus.api.lists import Distinct
from serinus.api.metadata import Metadata
from serinus.api.metric import Metric
from serinus.api.model import Lenient
from serinus.api.prometheus import Prometheus
from serinus.api.regression import Regression
from serinus.api.rules import Ruled, rule

Probability = Annotated[float, Field(strict=True, gt=0)]


class Spike(Ruled):
    """The guard that every policy has (R08): an error rate that is rolled back at once, whatever the stable's."""

    error_rate: float = Field(
        default=0.10, strict=True, gt=0, le=1, description="Share of the canary's requests that fail: 0.1 is 10 %."
    )


class CanaryPolicySpec(Ruled):
    """How a canary is judged."""

    false_rollback: Probability = Field(
        default=0.01,
        description="alpha: at most this probability that a canary within tolerance is rolled back, over the whole "
        "rollout, all metrics and every look.",
    )
    false_promotion: Probability = Field(
        default=0.05,
        description="beta: at most this probability, per step, that a canary beyond a margin is promoted.",
    )
    promote_on: Literal["proven", "notWorse"] = Field(
        default="proven",
        description="proven: every gating metric is shown to be within its margin; notWorse: none is shown to be "
        "worse, without the guarantee of falsePromotion.",
    )
    min_requests: int = Field(
        default=100,
        strict=True,
        ge=1,
        le=1_000_000_000,
        description="Requests that each arm must have had within a step before it can be promoted.",
    )
    spike: Spike = Field(default=Spike(), description="The guard that every policy has.")
    prometheus: Prometheus | None = Field(
        default=None,
        description="Where the evidence comes from, unless the CanaryDeployment says. Absent: the operator's.",
    )
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=16), Distinct("name")] = Field(
        description="What is compared; at least one metric must be able to block or roll back."
    )

    # Rules, not maxima: of a whole number the API server says that it must be at most the maximum cut to an integer.
    @rule("falseRollback", cel="self.falseRollback <= 0.5")
    def _alpha_is_small(self) -> bool:
        """must be at most 0.5"""
        return self.false_rollback <= 0.5

    @rule("falsePromotion", cel="self.falsePromotion <= 0.5")
    def _beta_is_small(self) -> bool:
        """must be at most 0.5"""
        return self.false_promotion <= 0.5

    @rule(
        "metrics",
        cel="self.metrics.exists(metric, has(metric.onRegression) ? metric.onRegression != 'report' : "
        "(!has(metric.kind) || metric.kind != 'gauge') && "
        f"(!has(metric.template) || !(metric.template in {list(REPORTING)})))",
    )
    def _some_metric_gates(self) -> bool:
        """at least one must gate: onRegression rollback or hold (gauges and istio-throughput report by default)"""
        return any(metric.is_gating for metric in self.metrics)


class CanaryPolicy(Lenient):
    """A policy that CanaryDeployments of its namespace can name."""

    api_version: Literal["serinus.io/v1alpha1"]
    kind: Literal["CanaryPolicy"]
    metadata: Metadata
    spec: CanaryPolicySpec


DEFAULT_POLICY = CanaryPolicySpec(
    metrics=(Metric(name="error-rate", template="istio-errors", tolerance=Regression(absolute=0.02)),)
)
"""The policy of a CanaryDeployment that names none: the error rate may rise by 2 percentage points (R23)."""
