"""What the watch has seen: the objects that reconciles read, without what none of them reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Any, Literal, TypeVar

from serinus.controller.labels import carries
from serinus.controller.named import named_objects
from serinus.controller.statuses import packed_status
from serinus.istio import delegates_of

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
    "deployments",
    "statefulsets",
]

Object = dict[str, Any]

Labels = tuple[tuple[str, str], ...]
"""Names and values of labels."""

T = TypeVar("T")


@dataclass
class Cache:
    """The newest known version of each object, by kind and key.

    Filled by the watch, and by the answers to our own writes, which the watch repeats a little later: an older version
    never replaces a newer one of the same object. The status of a CanaryDeployment is read with `status_of`.
    """

    _objects: dict[Kind, dict[str, dict[str, Object]]] = field(default_factory=dict)  # by kind, namespace and name
    _namers: dict[tuple[str, Key], set[Key]] = field(default_factory=dict)  # CanaryDeployments, by kind and key
    _roots: dict[Key, set[Key]] = field(default_factory=dict)  # VirtualServices, by one that they delegate to
    _selected: dict[tuple[Kind, str], dict[Labels, Sequence[Object]]] = field(default_factory=dict)  # what was asked

    def put(self, kind: Kind, seen: Object) -> bool:
        """Remember an object unless this version of it, or a newer one, is known; whether it was news."""
        metadata = {intern(name): value for name, value in seen["metadata"].items() if name != "managedFields"}
        key = key_of(seen)
        known = self.get(kind, key)
        if known is not None and _is_as_new(known["metadata"], metadata):
            return False
        self._index(kind, key, known, seen)
        namespace = self._objects.setdefault(kind, {}).setdefault(key[0], {})
        kept = {**seen, "metadata": metadata}
        if kind == "canarydeployments":
            kept["status"] = packed_status(seen)
        namespace[key[1]] = _made_of(known, kept)
        self._selected.pop((kind, key[0]), None)
        return True

    def drop(self, kind: Kind, key: Key) -> None:
        """Forget a deleted object."""
        namespace = self._objects.get(kind, {}).get(key[0], {})
        self._index(kind, key, namespace.pop(key[1], None), None)
        self._selected.pop((kind, key[0]), None)

    def get(self, kind: Kind, key: Key) -> Object | None:
        """The object, or None."""
        return self._objects.get(kind, {}).get(key[0], {}).get(key[1])

    def keys(self, kind: Kind) -> list[Key]:
        """All known objects of a kind."""
        return [(namespace, name) for namespace, found in self._objects.get(kind, {}).items() for name in found]

    def of_namespace(self, kind: Kind, namespace: str) -> list[Object]:
        """All known objects of a kind in a namespace."""
        return list(self._objects.get(kind, {}).get(namespace, {}).values())

    def selected(self, kind: Kind, namespace: str, labels: Mapping[str, str]) -> Sequence[Object]:
        """The endpoints of a kind in a namespace that have all these labels.

        Looked for once until one of them changes: a namespace may have thousands, and each canary asks at each tick.
        """
        known = self._selected.setdefault((kind, namespace), {})
        wanted = tuple(labels.items())
        if wanted not in known:
            known[wanted] = tuple(each for each in self.of_namespace(kind, namespace) if carries(each, labels))
        return known[wanted]

    def namers(self, kind: Kind, key: Key) -> frozenset[Key]:
        """The CanaryDeployments that name an object, or a VirtualService that delegates to it."""
        found = set(self._namers.get((kind, key), ()))
        if kind == "virtualservices":
            found.update(*(self._namers.get((kind, root), ()) for root in self._roots.get(key, ())))
        return frozenset(found)

    def claimants(self, virtual_service: Key) -> frozenset[Key]:
        """The CanaryDeployments that name a VirtualService itself."""
        return frozenset(self._namers.get(("virtualservices", virtual_service), ()))

    def _index(self, kind: Kind, key: Key, before: Object | None, after: Object | None) -> None:
        if kind == "canarydeployments":
            _move(self._namers, key, named_objects(before) if before else (), named_objects(after) if after else ())
        if kind == "virtualservices":
            _move(self._roots, key, delegates_of(before or {}), delegates_of(after or {}))


def _made_of(known: Object | None, seen: Object) -> Object:
    """An object with those parts of its older version that are the same.

    What the API server answers to a write has texts of its own for every name in it; the watch's share them.
    """
    if known is None:
        return seen
    return {intern(name): known[name] if known.get(name) == value else value for name, value in seen.items()}


def _move(index: dict[T, set[Key]], key: Key, before: Iterable[T], after: Iterable[T]) -> None:
    """Take the key from where it was in an index of sets, and put it where it belongs."""
    for place in set(before):
        index[place].discard(key)
        if not index[place]:
            del index[place]
    for place in after:
        index.setdefault(place, set()).add(key)


def key_of(seen: Object) -> Key:
    """Namespace and name of an object."""
    return seen["metadata"]["namespace"], seen["metadata"]["name"]


def _is_as_new(known: dict[str, Any], seen: dict[str, Any]) -> bool:
    """Whether `known` is the same or a later version of an object; they are comparable since Kubernetes 1.35."""
    same = known["uid"] == seen["uid"]
    return same and int(known["resourceVersion"]) >= int(seen["resourceVersion"])
