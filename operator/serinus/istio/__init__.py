"""Istio's objects: functions from an object as it is to the JSON patch that makes it as it should be.

Nothing here talks to a cluster. A patch touches weights and our annotations, routes and destinations of our own, or one
subset's labels; its `test` operations make the API server refuse it when the object is no longer what was read.
"""

from serinus.istio.annotations import (
    ADDED_ANNOTATION,
    ALLOW_FROM_ANNOTATION,
    DECISION_ANNOTATION,
    allows,
    decision_on,
)
from serinus.istio.cohorts import cohort_filter
from serinus.istio.delegates import delegates_of, names_in_envoy
from serinus.istio.errors import LayoutError
from serinus.istio.hosts import canonical_host, key_of
from serinus.istio.naming import cohort_variant, keeps_cohort
from serinus.istio.patches import Operation
from serinus.istio.routes import ArmRoute, arm_routes
from serinus.istio.split import Split
from serinus.istio.subsets import subset_labels, subset_patch
from serinus.istio.weights import copies_for, weights_patch

__all__ = [
    "ADDED_ANNOTATION",
    "ALLOW_FROM_ANNOTATION",
    "DECISION_ANNOTATION",
    "ArmRoute",
    "LayoutError",
    "Operation",
    "Split",
    "allows",
    "arm_routes",
    "canonical_host",
    "cohort_filter",
    "cohort_variant",
    "copies_for",
    "decision_on",
    "delegates_of",
    "keeps_cohort",
    "key_of",
    "names_in_envoy",
    "subset_labels",
    "subset_patch",
    "weights_patch",
]
