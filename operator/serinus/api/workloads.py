"""The workloads that run the arms' pods, and how many of them must be ready before the weight rises."""

from typing import Literal

from pydantic import Field

from serinus.api.names import Subdomain
from serinus.api.rules import Ruled, rule


class WorkloadRef(Ruled):
    """The workload that runs an arm's pods."""

    kind: Literal["Deployment", "StatefulSet"] = Field(description="Deployment or StatefulSet.")
    name: Subdomain = Field(description="Its name, in the CanaryDeployment's namespace.")

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Workloads(Ruled):
    """The workloads of both arms: with them a rise waits for ready pods, and a changed template starts a rollout."""

    stable: WorkloadRef = Field(description="The workload that runs the stable's pods.")
    canary: WorkloadRef = Field(description="The workload that runs the canary's pods.")
    capacity: float = Field(
        default=0.8,
        strict=True,
        gt=0,
        le=1,
        description="A rise waits until ready canary replicas are at least the next weight's share of the stable's "
        "ready replicas times this.",
    )

    @rule("canary", cel="self.canary.kind != self.stable.kind || self.canary.name != self.stable.name")
    def _two_workloads(self) -> bool:
        """must not be the stable's workload"""
        return self.canary != self.stable
