"""Which endpoints a set of labels selects."""

from collections.abc import Mapping
from typing import Any


def carries(endpoint: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Whether a pod, as the watch keeps it, or a workload entry has all these labels."""
    labels = endpoint["spec"].get("labels", {}) if "spec" in endpoint else endpoint["metadata"]["labels"]
    return all(labels.get(name) == value for name, value in wanted.items())
