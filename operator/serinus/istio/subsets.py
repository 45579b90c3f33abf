"""Subsets of a DestinationRule: which labels stand behind an arm, and the patch that changes them."""

from typing import Any

from serinus.istio.patches import Operation, expect, pointer


def subset_labels(destination_rule: dict[str, Any], subset: str) -> dict[str, str] | None:
    """The labels of the subset, or None where the DestinationRule has no such subset."""
    for entry in destination_rule.get("spec", {}).get("subsets") or []:
        if entry.get("name") == subset:
            return dict(entry.get("labels") or {})
    return None


def subset_patch(destination_rule: dict[str, Any], subset: str, labels: dict[str, str]) -> list[Operation]:
    """The patch that gives the subset these labels and leaves its trafficPolicy and all other subsets alone."""
    subsets = destination_rule.get("spec", {}).get("subsets") or []
    for index, entry in enumerate(subsets):
        if entry.get("name") == subset:
            return [
                expect(pointer("spec", "subsets", index, "name"), subset),
                {"op": "add", "path": pointer("spec", "subsets", index, "labels"), "value": labels},
            ]
    added = {"name": subset, "labels": labels}
    if subsets:
        return [{"op": "add", "path": pointer("spec", "subsets", "-"), "value": added}]
    version = destination_rule["metadata"]["resourceVersion"]
    return [
        expect(pointer("metadata", "resourceVersion"), version),
        {"op": "add", "path": pointer("spec", "subsets"), "value": [added]},
    ]
