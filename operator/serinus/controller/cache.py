"""What the watch has seen: the objects that reconciles read, without what none of them reads."""

from dataclasses import dataclass, field
from typing import Any, Literal

from serinus.controller.named import named_virtual_services

Key = tuple[str, str]
"""Namespace and name of an object."""

Kind = Literal[
    "canarydeployments",
    "canarypolicies",
    "canaryoverrides",
    "virtualservices",
    "destinationrules",
    "services",
    "pods",
    "serviceentries",
    "workloadentries",
]

Object = dict[str, Any]


@dataclass
class Cache:
    """The newest known version of each object, by kind and key.

    Filled by the watch, and by the answers to our own writes, which the watch repeats a little later: an older version
    never replaces a newer one of the same object.
    """

    _objects: dict[Kind, dict[str, dict[str, Object]]] = field(default_factory=dict)  # by kind, namespace and name
    _claimants: dict[Key, set[Key]] = field(default_factory=dict)

    def put(self, kind: Kind, seen: Object) -> None:
        """Remember an object unless a newer version of it is known."""
        metadata = {name: value for name, value in seen["metadata"].items() if name != "managedFields"}
        key = key_of(seen)
        known = self.get(kind, key)
        if known is None or not _is_newer(known["metadata"], metadata):
            self._index(kind, key, known, seen)
            namespace = self._objects.setdefault(kind, {}).setdefault(key[0], {})
            namespace[key[1]] = {**seen, "metadata": metadata}

    def drop(self, kind: Kind, key: Key) -> None:
        """Forget a deleted object."""
        namespace = self._objects.get(kind, {}).get(key[0], {})
        self._index(kind, key, namespace.pop(key[1], None), None)

    def get(self, kind: Kind, key: Key) -> Object | None:
        """The object, or None."""
        return self._objects.get(kind, {}).get(key[0], {}).get(key[1])

    def keys(self, kind: Kind) -> list[Key]:
        """All known objects of a kind."""
        return [(namespace, name) for namespace, found in self._objects.get(kind, {}).items() for name in found]

    def of_namespace(self, kind: Kind, namespace: str) -> list[Object]:
        """All known objects of a kind in a namespace."""
        return list(self._objects.get(kind, {}).get(namespace, {}).values())

    def claimants(self, virtual_service: Key) -> frozenset[Key]:
        """The CanaryDeployments that name a VirtualService."""
        return frozenset(self._claimants.get(virtual_service, ()))

    def _index(self, kind: Kind, key: Key, before: Object | None, after: Object | None) -> None:
        if kind != "canarydeployments":
            return
        for target in named_virtual_services(before) if before else ():
            self._claimants[target].discard(key)
            if not self._claimants[target]:
                del self._claimants[target]
        for target in named_virtual_services(after) if after else ():
            self._claimants.setdefault(target, set()).add(key)


def key_of(seen: Object) -> Key:
    """Namespace and name of an object."""
    return seen["metadata"]["namespace"], seen["metadata"]["name"]


def _is_newer(known: dict[str, Any], seen: dict[str, Any]) -> bool:
    """Whether `known` is a later version of the same object; resource versions are comparable since Kubernetes 1.35."""
    same = known["uid"] == seen["uid"]
    return same and int(known["resourceVersion"]) > int(seen["resourceVersion"])
