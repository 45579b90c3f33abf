"""What is watched: the kinds that reconciles read, where they are, and what is kept of each object."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from serinus.api.crds import GROUP, VERSION
from serinus.controller.cache import Kind, Object
from serinus.controller.endpoints import slim_pod
from serinus.controller.kube import ISTIO
from serinus.controller.workloads import slim_workload

WATCHED: Mapping[Kind, tuple[str, str]] = {
    "canarydeployments": (GROUP, VERSION),
    "canarypolicies": (GROUP, VERSION),
    "canaryoverrides": (GROUP, VERSION),
    "virtualservices": ISTIO,
    "destinationrules": ISTIO,
    "serviceentries": ISTIO,
    "workloadentries": ISTIO,
    "services": ("", "v1"),
    "pods": ("", "v1"),
    "deployments": ("apps", "v1"),
    "statefulsets": ("apps", "v1"),
}
"""API group and version of each kind."""

NEEDED: Kind = "canarydeployments"
"""Without this kind there is nothing to do; of any other that the cluster does not have there are no objects."""

LOOKED_UP: frozenset[Kind] = frozenset({"serviceentries", "workloadentries", "services", "pods"})
"""Kinds whose changes wake nobody: they are many, and each tick looks at them anyway."""

_SLIM: Mapping[Kind, Callable[[Object], Object]] = {
    "pods": slim_pod,
    "deployments": slim_workload,
    "statefulsets": slim_workload,
}


def kept(kind: Kind, seen: Object) -> Object:
    """An object without what no reconcile reads, where there are a lot of them."""
    return _SLIM[kind](seen) if kind in _SLIM else seen


def places(namespaces: Sequence[str]) -> Iterator[tuple[Kind, str, str]]:
    """Each kind, a namespace or an empty string for all, and the path at which the API server lists them."""
    for kind, (group, version) in WATCHED.items():
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        for namespace in namespaces or ("",):
            yield kind, namespace, f"{root}/namespaces/{namespace}/{kind}" if namespace else f"{root}/{kind}"
