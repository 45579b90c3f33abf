"""A canary of the bench: its CanaryDeployment, and the Istio objects that carry it."""

import itertools
from dataclasses import dataclass
from typing import Any

from serinus.controller.finalizer import FINALIZER
from serinus.controller.turns import phase_of
from serinus.istio import DECISION_ANNOTATION

VERSIONS = ("v1", "v2")
WEIGHT = 50
"""The canary's percentage while its rollout is under way."""
NAMESPACES = 20
TICK = 15.0
"""Seconds."""

Object = dict[str, Any]

POLICY: Object = {
    "metrics": [
        {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}},
        {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}},
        {"name": "share", "template": "istio-throughput", "tolerance": {"relative": 0.1}},
    ]
}


@dataclass(frozen=True)
class Canary:
    """Where one canary is."""

    namespace: str
    name: str

    @property
    def host(self) -> str:
        """The service as its metrics name it."""
        return f"{self.name}.{self.namespace}.svc.cluster.local"

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name

    def manifest(self) -> Object:
        """The CanaryDeployment as an operator has taken it up: a first step that is longer than any run."""
        spec = {
            "stable": {"subset": "stable", "labels": {"version": VERSIONS[0]}},
            "canary": {"subset": "canary", "labels": {"version": VERSIONS[1]}},
            "traffic": {"host": self.host, "virtualServices": [{"name": self.name}], "destinationRule": self.name},
            "ladder": [{"weight": WEIGHT, "window": "4h"}, {"weight": 100, "window": "0s"}],
            "policy": POLICY,
        }
        made = self._object("serinus.io/v1alpha1", "CanaryDeployment", spec)
        made["metadata"]["finalizers"] = [FINALIZER]
        return made

    def destination_rule(self) -> Object:
        """Both subsets."""
        subsets = [
            {"name": name, "labels": {"version": version}}
            for name, version in zip(("stable", "canary"), VERSIONS, strict=True)
        ]
        return self._object("networking.istio.io/v1", "DestinationRule", {"host": self.host, "subsets": subsets})

    def virtual_service(self, weight: int, decision: str) -> Object:
        """The split, as the decision left it."""
        split = [
            {"destination": {"host": self.host, "subset": name}, "weight": share}
            for name, share in (("stable", 100 - weight), ("canary", weight))
        ]
        spec = {"hosts": [self.host], "http": [{"name": "primary", "route": split}]}
        made = self._object("networking.istio.io/v1", "VirtualService", spec)
        made["metadata"]["annotations"] = {DECISION_ANNOTATION: decision}
        return made

    def _object(self, version: str, kind: str, spec: Object) -> Object:
        metadata = {"namespace": self.namespace, "name": self.name}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def canaries(count: int) -> list[Canary]:
    """So many, in twenty namespaces."""
    return [Canary(f"scale-{number % NAMESPACES}", f"service-{number}") for number in range(count)]


def bad_canaries(namespace: str, count: int) -> list[Canary]:
    """Those of one namespace that turn bad together: their ticks end on multiples of the interval, in any namespace."""
    names = (Canary(namespace, f"bad-{number}") for number in itertools.count())
    return list(itertools.islice((each for each in names if phase_of(each.key, TICK) == 0), count))
