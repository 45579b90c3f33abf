"""Istio's objects: functions from an object as it is to the JSON patch that makes it as it should be.

Nothing here talks to a cluster. A patch touches weights and our annotation, or one subset's labels; its `test`
operations make the API server refuse it when the object is no longer what was read.
"""

from serinus.istio.hosts import canonical_host
from serinus.istio.patches import Operation
from serinus.istio.routes import DECISION_ANNOTATION, ArmRoute, LayoutError, arm_routes, decision_on, weights_patch
from serinus.istio.subsets import subset_labels, subset_patch

__all__ = [
    "DECISION_ANNOTATION",
    "ArmRoute",
    "LayoutError",
    "Operation",
    "arm_routes",
    "canonical_host",
    "decision_on",
    "subset_labels",
    "subset_patch",
    "weights_patch",
]
