"""VirtualServices that delegate to others: where the weights may lie, and what Envoy calls the routes there."""

from collections.abc import Iterable
from typing import Any

from serinus.istio.hosts import key_of


def delegates_of(virtual_service: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Namespaces and names of the VirtualServices that a root hands requests to, in its order."""
    return tuple(dict.fromkeys(key for _, key in _delegations(virtual_service)))


def names_in_envoy(virtual_service: dict[str, Any], name: str, roots: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """What Envoy calls the route `name` of a VirtualService: under each of the `roots` that delegate to it, and alone.

    istiod puts a root's route's name before it, and the names of the root's matches behind it.
    """
    names = [name] if virtual_service.get("spec", {}).get("hosts") else []
    for root in roots:
        for route, key in _delegations(root):
            if key == key_of(virtual_service):
                joined = f"{route['name']}-{name}" if route.get("name") else name
                matches = route.get("match") or [{}]
                names += [f"{joined}.{match['name']}" if match.get("name") else joined for match in matches]
    return tuple(dict.fromkeys(names))


def _delegations(root: dict[str, Any]) -> list[tuple[dict[str, Any], tuple[str, str]]]:
    namespace = root.get("metadata", {}).get("namespace", "")
    return [
        (route, (route["delegate"].get("namespace") or namespace, route["delegate"].get("name", "")))
        for route in root.get("spec", {}).get("http") or []
        if route.get("delegate")
    ]
