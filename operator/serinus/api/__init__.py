"""The resources of group serinus.io: what people write, what the operator answers, and what is refused.

`CanaryDeployment.model_validate(manifest)` reads a manifest or raises pydantic's ValidationError, which `explain` turns
into lines for people. `problems` says what the schema cannot; `crds.manifests()` is the schema.
"""

from serinus.api.canarydeployment import CanaryDeployment, CanaryDeploymentSpec
from serinus.api.errors import Problem, explain
from serinus.api.ladder import Step
from serinus.api.metadata import Metadata
from serinus.api.metric import Metric
from serinus.api.override import CanaryOverride, CanaryOverrideSpec, OverrideStatus
from serinus.api.policy import DEFAULT_POLICY, CanaryPolicy, CanaryPolicySpec
from serinus.api.prometheus import Prometheus
from serinus.api.quantity import format_duration, parse_duration
from serinus.api.regression import Regression
from serinus.api.sense import problems
from serinus.api.status import (
    ArmStatus,
    CanaryDeploymentStatus,
    ConditionStatus,
    Phase,
    PrintedStatus,
    QueryStatus,
    RecordStatus,
    RolloutStatus,
    RowStatus,
    VerdictStatus,
    WarmUpStatus,
    WorkloadStatus,
)
from serinus.api.traffic import Arm, Traffic
from serinus.api.warm_up import WarmUpRequest
from serinus.api.workloads import Workloads

__all__ = [
    "DEFAULT_POLICY",
    "Arm",
    "ArmStatus",
    "CanaryDeployment",
    "CanaryDeploymentSpec",
    "CanaryDeploymentStatus",
    "CanaryOverride",
    "CanaryOverrideSpec",
    "CanaryPolicy",
    "CanaryPolicySpec",
    "ConditionStatus",
    "Metadata",
    "Metric",
    "OverrideStatus",
    "Phase",
    "PrintedStatus",
    "Problem",
    "Prometheus",
    "QueryStatus",
    "RecordStatus",
    "Regression",
    "RolloutStatus",
    "RowStatus",
    "Step",
    "Traffic",
    "VerdictStatus",
    "WarmUpRequest",
    "WarmUpStatus",
    "WorkloadStatus",
    "Workloads",
    "explain",
    "format_duration",
    "parse_duration",
    "problems",
]
