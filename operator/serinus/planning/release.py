"""What is planned: ladder and policy of a release, and the part of the policy that something is known about."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from serinus.api import CanaryDeploymentSpec, CanaryPolicySpec, Step
from serinus.api.metric import Metric
from serinus.judge import GUARD, Counts, Evidence, Past, Policy, Sample
from serinus.planning.errors import PlanningError
from serinus.planning.requests import Requests
from serinus.rollout import Plan

_FAILING = ("istio-errors", "istio-success")
"""Templates of metrics that rise and fall with the error rate, and with nothing else."""


@dataclass(frozen=True)
class Release:
    """A CanaryDeployment's spec, and the policy that it names.

    `measured`: the metrics that the stable is known in, besides its failed requests.
    """

    spec: CanaryDeploymentSpec
    policy: CanaryPolicySpec
    measured: frozenset[str] = frozenset()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Those that compare two arms."""
        return tuple(step for step in self.spec.ladder if step.weight < 100)

    @property
    def bake(self) -> Step:
        """The last, which has only one."""
        return self.spec.ladder[-1]

    @property
    def failing(self) -> tuple[Metric, ...]:
        """The gating metrics that the error rate decides."""
        return tuple(each for each in self.policy.metrics if each.is_gating and each.template in _FAILING)

    @property
    def planned(self) -> tuple[Metric, ...]:
        """These, and the gating metrics that were measured."""
        gating = (each for each in self.policy.metrics if each.is_gating)
        return tuple(each for each in gating if each in self.failing or each.name in self.measured)

    @property
    def unplanned(self) -> tuple[str, ...]:
        """Names of the other gating metrics: what they need comes on top."""
        return tuple(each.name for each in self.policy.metrics if each.is_gating and each not in self.planned)

    @cached_property
    def judged(self) -> Policy:
        """The whole policy, as the judge will have it."""
        return Plan.of(self.spec, self.policy).judged_by

    @cached_property
    def proven(self) -> Policy:
        """The policy with nothing to prove but what is planned. Raises PlanningError if that is nothing."""
        if not self.planned:
            raise PlanningError(
                "no metric of the policy that can hold or roll back counts failed requests (istio-errors, "
                "istio-success): an error rate says nothing about this release"
            )
        names = {each.name for each in self.planned}
        return replace(self.judged, metrics=tuple(each for each in self.judged.metrics if each.name in names))

    def slots(self, window: timedelta) -> int:
        """The window in slots of the grid, as the operator counts them."""
        return math.ceil(window / self.spec.interval)

    def evidence(self, failures: Evidence) -> dict[str, Evidence]:
        """A tick's evidence of the guard, and of each metric that failed requests decide."""
        return {GUARD: failures, **{each.name: _as_counted(each, failures) for each in self.failing}}

    def history(self, requests: Requests) -> Mapping[str, Past]:
        """What is known of the stable at the start."""
        of_failures = self.evidence(Evidence(stable=requests.past))
        known = {name: seen.stable for name, seen in of_failures.items()} | dict(requests.past_of_others)
        return {name: Past(stable=sample) for name, sample in known.items()}


def _as_counted(metric: Metric, failures: Evidence) -> Evidence:
    if metric.effective_better == "lower":
        return failures
    return Evidence(_successes(failures.canary), _successes(failures.stable))


def _successes(failures: Sample | None) -> Sample | None:
    return failures.failures if isinstance(failures, Counts) else failures
