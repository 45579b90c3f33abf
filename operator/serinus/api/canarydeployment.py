"""CanaryDeployment: what is released, over which ladder, and on what evidence."""

from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from serinus.api.ladder import DEFAULT_LADDER, Ladder
from serinus.api.lists import Atomic
from serinus.api.metadata import Metadata
from serinus.api.model import Lenient
from serinus.api.names import Text, Url
from serinus.api.policy import CanaryPolicySpec
from serinus.api.prometheus import Prometheus
from serinus.api.quantity import AtLeast, Duration
from serinus.api.references import ObjectRef
from serinus.api.rules import Ruled, rule
from serinus.api.status import CanaryDeploymentStatus
from serinus.api.traffic import Arm, Traffic, contradict
from serinus.api.warm_up import WarmUp
from serinus.api.workloads import Workloads

Moment = Literal["start", "beforeStep", "afterStep", "promoted", "rolledBack"]


class Hook(Ruled):
    """A web address that is asked before a promotion, or told of the end."""

    when: Moment = Field(
        description="start: before the first step; beforeStep: before any; afterStep: before a step that has proven "
        "itself is left; promoted, rolledBack: told when the rollout has ended so."
    )
    url: Url = Field(description="http or https address, without credentials.")
    timeout: Annotated[Duration, AtLeast("1s")] = Field(
        default=timedelta(seconds=10), description="How long an answer may take: a duration such as 10s."
    )
    failure: Literal["hold", "rollback", "ignore"] = Field(
        default="hold", description="What no answer leads to; a veto leads to hold or rollback. Before the end only."
    )
    secret_ref: ObjectRef | None = Field(
        default=None, description="The Secret whose `key` signs the request. Absent: it is not signed."
    )


class Notification(Ruled):
    """A channel that is told of every step."""

    secret_ref: ObjectRef = Field(description="The Secret with the channel's address.")


def _flat_step(spec: "CanaryDeploymentSpec") -> str:
    """The first step that does not rise above the one before."""
    weights = [step.weight for step in spec.ladder]
    return next(f"ladder[{i}].weight" for i in range(1, len(weights)) if weights[i] <= weights[i - 1])


def _last_weight(spec: "CanaryDeploymentSpec") -> str:
    return f"ladder[{len(spec.ladder) - 1}].weight"


def _short_window(spec: "CanaryDeploymentSpec") -> str:
    """The first step below 100 that is shorter than a tick."""
    return next(f"ladder[{i}].window" for i, step in enumerate(spec.ladder) if step.window < spec.interval)


def _contradict_if_given(one: dict[str, str] | None, other: dict[str, str] | None) -> bool:
    return one is None or other is None or contradict(one, other)


class CanaryDeploymentSpec(Ruled):
    """What is released, where its traffic is split, over which ladder, and on what evidence."""

    stable: Arm = Field(description="The arm that serves now.")
    canary: Arm = Field(description="The arm that is to take over.")
    revision: Text = Field(default="", description="Any text; change it to release the same labels again.")
    workloads: Workloads | None = Field(default=None, description="The workloads of both arms. Recommended.")
    author: Text | None = Field(default=None, description="Who is told on rollback: an e-mail address or a name.")
    traffic: Traffic = Field(description="Where the traffic is split.")
    ladder: Ladder = Field(
        default=DEFAULT_LADDER,
        description="The steps: weights in percent that rise to 100. The last window may be 0s; it is a bake time.",
    )
    interval: Annotated[Duration, AtLeast("1s")] = Field(
        default=timedelta(seconds=15), description="The tick: how often evidence is judged; a duration such as 15s."
    )
    report_every: Duration = Field(
        default=timedelta(minutes=15),
        description="How often the comparison is posted while holding: a duration such as 15m.",
    )
    warm_up: WarmUp | None = Field(default=None, description="What the canary gets before any traffic that counts.")
    prometheus: Prometheus | None = Field(
        default=None, description="Where the evidence comes from. Absent: as the policy says, else the operator's."
    )
    policy: CanaryPolicySpec | None = Field(
        default=None, description="How the canary is judged. Without policy and policyRef: error rate, at most +0.02."
    )
    policy_ref: ObjectRef | None = Field(
        default=None, description="A CanaryPolicy of this namespace, instead of policy."
    )
    deadline: Annotated[Duration, AtLeast("1s")] | None = Field(
        default=None,
        description="The longest time for a step, then whenUndecided: a duration such as 3h. Absent: none.",
    )
    when_undecided: Literal["hold", "rollback"] = Field(
        default="hold", description="What the deadline leads to. Never to promotion."
    )
    paused: bool = Field(default=False, strict=True, description="Stops promotion; rollback stays armed.")
    hooks: Annotated[tuple[Hook, ...], Field(min_length=1, max_length=16), Atomic()] | None = Field(
        default=None, description="Web addresses that are asked before a promotion, or told of the end."
    )
    notify: Annotated[tuple[Notification, ...], Field(min_length=1, max_length=16), Atomic()] | None = Field(
        default=None, description="Channels that are told of every step."
    )

    @rule("policyRef", cel="!has(self.policy) || !has(self.policyRef)")
    def _one_policy(self) -> bool:
        """must be absent where policy is given: at most one of policy and policyRef"""
        return self.policy is None or self.policy_ref is None

    @rule("canary.subset", cel="self.canary.subset != self.stable.subset")
    def _two_subsets(self) -> bool:
        """must not be the stable's subset"""
        return self.canary.subset != self.stable.subset

    @rule(
        "canary.labels",
        cel="!has(self.canary.labels) || !has(self.stable.labels) || self.canary.labels.exists(name, "
        "name in self.stable.labels && self.stable.labels[name] != self.canary.labels[name])",
    )
    def _labels_differ(self) -> bool:
        """must give some label of the stable's another value, or pods would be in both subsets"""
        return _contradict_if_given(self.canary.labels, self.stable.labels)

    @rule(
        "canary.metricLabels",
        cel="!has(self.canary.metricLabels) || !has(self.stable.metricLabels) || "
        "self.canary.metricLabels.exists(name, name in self.stable.metricLabels && "
        "self.stable.metricLabels[name] != self.canary.metricLabels[name])",
    )
    def _metric_labels_differ(self) -> bool:
        """must give some label of the stable's another value, or requests would count for both arms"""
        return _contradict_if_given(self.canary.metric_labels, self.stable.metric_labels)

    @rule(
        "ladder",
        cel="self.ladder.all(step, self.ladder.exists_one(other, other.weight == step.weight)) && "
        "self.ladder.map(step, step.weight).isSorted()",
        culprit=_flat_step,
    )
    def _weights_rise(self) -> bool:
        """each weight must be greater than the one before"""
        return all(low.weight < high.weight for low, high in pairwise(self.ladder))

    @rule("ladder", cel="self.ladder.exists(step, step.weight == 100)", culprit=_last_weight)
    def _weights_end_at_100(self) -> bool:
        """the last weight must be 100"""
        return any(step.weight == 100 for step in self.ladder)  # at the end, for they rise

    @rule("ladder", cel="size(self.ladder) > 1")
    def _something_is_compared(self) -> bool:
        """a step below 100 is required: at 100 there is no stable to compare the canary with"""
        return len(self.ladder) > 1

    @rule(
        "ladder",
        cel="self.ladder.all(step, step.weight == 100 || step.window >= self.interval)",
        culprit=_short_window,
    )
    def _windows_last_a_tick(self) -> bool:
        """each window must be at least the interval, but for that of weight 100"""
        return all(step.window >= self.interval for step in self.ladder if step.weight < 100)

    @rule("deadline", cel="!has(self.deadline) || self.ladder.all(step, step.window < self.deadline)")
    def _deadline_after_windows(self) -> bool:
        """must be longer than every window"""
        return self.deadline is None or all(step.window < self.deadline for step in self.ladder)

    @rule("reportEvery", cel="self.reportEvery >= self.interval")
    def _reports_last_a_tick(self) -> bool:
        """must be at least the interval"""
        return self.report_every >= self.interval


class CanaryDeployment(Lenient):
    """A release on Istio that is shifted step by step, and promoted, held or rolled back on evidence."""

    api_version: Literal["serinus.io/v1alpha1"]
    kind: Literal["CanaryDeployment"]
    metadata: Metadata
    spec: CanaryDeploymentSpec
    status: CanaryDeploymentStatus = Field(default=CanaryDeploymentStatus())
