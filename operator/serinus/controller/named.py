"""Which objects a CanaryDeployment names, valid or not: read without its model."""

from collections.abc import Iterator
from typing import Any

_WORKLOADS = {"Deployment": "deployments", "StatefulSet": "statefulsets"}


def named_objects(owner: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Kind (plural), namespace and name of each object whose change concerns it."""
    namespace, spec = owner["metadata"]["namespace"], owner.get("spec", {})
    yield from (("virtualservices", key) for key in named_virtual_services(owner))
    yield "destinationrules", (namespace, str(spec.get("traffic", {}).get("destinationRule")))
    if policy := (spec.get("policyRef") or {}).get("name"):
        yield "canarypolicies", (namespace, str(policy))
    for workload in (spec.get("workloads") or {}).values():
        if isinstance(workload, dict) and (kind := _WORKLOADS.get(str(workload.get("kind")))):
            yield kind, (namespace, str(workload.get("name")))


def named_virtual_services(owner: dict[str, Any]) -> dict[tuple[str, str], frozenset[str] | None]:
    """By namespace and name, the names of the routes that are meant; None for all that name the host."""
    namespace = owner["metadata"]["namespace"]
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    for reference in owner.get("spec", {}).get("traffic", {}).get("virtualServices") or []:
        other, _, name = str(reference.get("name", "")).rpartition("/")
        routes = reference.get("routes")
        found[other or namespace, name] = frozenset(routes) if routes else None
    return found
