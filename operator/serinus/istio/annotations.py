"""What Serinus notes on a VirtualService, and what its owner may note there for Serinus."""

import json
from collections.abc import Mapping, Set
from typing import Any

from serinus.istio.patches import Operation, expect, pointer

DECISION_ANNOTATION = "serinus.io/decision"
"""On a VirtualService: the ids of the decisions that its weights carry out, one a rollout, with spaces between."""

ADDED_ANNOTATION = "serinus.io/added"
"""On a VirtualService: the routes that got their canary destination from Serinus, as a JSON list of labels."""

ALLOW_FROM_ANNOTATION = "serinus.io/allow-from"
"""On a VirtualService: the other namespaces whose CanaryDeployments may change it, with commas between, or *."""


def decision_on(virtual_service: dict[str, Any], rollout: str) -> str:
    """Id of the rollout's decision that the VirtualService carries, or an empty string."""
    return next((each for each in _decisions(virtual_service) if _rollout_of(each) == rollout), "")


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


def annotate(
    virtual_service: dict[str, Any], decision: str, added: frozenset[str], beside: Set[str]
) -> list[Operation]:
    """The operations that note the decision, and which canary destinations are Serinus' own.

    Of other decisions only those of the rollouts `beside` it stay noted: they move other routes of the same object.
    Refused where a decision has been noted since the object was read: who read an old copy, in which the weights happen
    to be the same, must not carry out an old decision over a later one.
    """
    others = {each for each in _decisions(virtual_service) if _rollout_of(each) in beside}
    decisions = " ".join(sorted(others | {decision}))
    noted = {DECISION_ANNOTATION: decisions, ADDED_ANNOTATION: json.dumps(sorted(added)) if added else None}
    found = _annotations(virtual_service)
    if DECISION_ANNOTATION in found:
        before = expect(pointer("metadata", "annotations", DECISION_ANNOTATION), found[DECISION_ANNOTATION])
        return [before, *(operation for name, value in noted.items() for operation in _note(found, name, value))]
    metadata = virtual_service["metadata"]
    # That there is none cannot be expected, and adding the whole map would wipe what somebody else has just added: only
    # for the object as it was read.
    return [
        expect(pointer("metadata", "resourceVersion"), metadata["resourceVersion"]),
        {
            "op": "add",
            "path": pointer("metadata", "annotations"),
            "value": {name: value for name, value in (found | noted).items() if value is not None},
        },
    ]


def _note(found: Mapping[str, str], name: str, value: str | None) -> list[Operation]:
    path = pointer("metadata", "annotations", name)
    if value is not None:
        return [{"op": "add", "path": path, "value": value}]
    return [expect(path, found[name]), {"op": "remove", "path": path}] if name in found else []


def _decisions(virtual_service: dict[str, Any]) -> list[str]:
    return _annotations(virtual_service).get(DECISION_ANNOTATION, "").split()


def _rollout_of(decision: str) -> str:
    return decision.rpartition("/")[0]


def _annotations(virtual_service: dict[str, Any]) -> dict[str, str]:
    return virtual_service.get("metadata", {}).get("annotations") or {}
