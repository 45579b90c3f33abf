"""Which VirtualServices a CanaryDeployment names, valid or not: read without its model."""

from typing import Any


def named_virtual_services(owner: dict[str, Any]) -> dict[tuple[str, str], frozenset[str] | None]:
    """By namespace and name, the names of the routes that are meant; None for all that name the host."""
    namespace = owner["metadata"]["namespace"]
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    for reference in owner.get("spec", {}).get("traffic", {}).get("virtualServices") or []:
        other, _, name = str(reference.get("name", "")).rpartition("/")
        routes = reference.get("routes")
        found[other or namespace, name] = frozenset(routes) if routes else None
    return found
