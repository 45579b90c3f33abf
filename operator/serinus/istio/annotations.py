"""What Serinus notes on a VirtualService, and what its owner may note there for Serinus."""

import json
from collections.abc import Mapping
from typing import Any

from serinus.istio.patches import Operation, expect, pointer

DECISION_ANNOTATION = "serinus.io/decision"
"""On a VirtualService: the id of the decision that its weights carry out."""

ADDED_ANNOTATION = "serinus.io/added"
"""On a VirtualService: the routes that got their canary destination from Serinus, as a JSON list of labels."""

ALLOW_FROM_ANNOTATION = "serinus.io/allow-from"
"""On a VirtualService: the other namespaces whose CanaryDeployments may change it, with commas between, or *."""


def decision_on(virtual_service: dict[str, Any]) -> str:
    """Id of the decision that the VirtualService carries, or an empty string."""
    return _annotations(virtual_service).get(DECISION_ANNOTATION, "")


def added_to(virtual_service: dict[str, Any]) -> frozenset[str]:
    """Labels of the routes whose canary destination is Serinus' own."""
    try:
        labels = json.loads(_annotations(virtual_service).get(ADDED_ANNOTATION, "[]"))
    except ValueError:
        return frozenset()  # somebody edited it: then nothing is ours, and nothing is removed
    return frozenset(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else frozenset()


def allows(virtual_service: dict[str, Any], namespace: str) -> bool:
    """Whether a CanaryDeployment of `namespace` may change the VirtualService: one of its own, or as it says (I10)."""
    if virtual_service["metadata"]["namespace"] == namespace:
        return True
    allowed = {each.strip() for each in _annotations(virtual_service).get(ALLOW_FROM_ANNOTATION, "").split(",")}
    return bool(allowed & {namespace, "*"})


def annotate(virtual_service: dict[str, Any], decision: str, added: frozenset[str]) -> list[Operation]:
    """The operations that note the decision, and which canary destinations are Serinus' own."""
    noted = {DECISION_ANNOTATION: decision, ADDED_ANNOTATION: json.dumps(sorted(added)) if added else None}
    found = _annotations(virtual_service)
    if found:
        return [operation for name, value in noted.items() for operation in _note(found, name, value)]
    metadata = virtual_service["metadata"]
    # Adding the whole map would wipe what somebody else has just added: only for the object as it was read.
    return [
        expect(pointer("metadata", "resourceVersion"), metadata["resourceVersion"]),
        {
            "op": "add",
            "path": pointer("metadata", "annotations"),
            "value": {name: value for name, value in noted.items() if value is not None},
        },
    ]


def _note(found: Mapping[str, str], name: str, value: str | None) -> list[Operation]:
    path = pointer("metadata", "annotations", name)
    if value is not None:
        return [{"op": "add", "path": path, "value": value}]
    return [expect(path, found[name]), {"op": "remove", "path": path}] if name in found else []


def _annotations(virtual_service: dict[str, Any]) -> dict[str, str]:
    return virtual_service.get("metadata", {}).get("annotations") or {}
