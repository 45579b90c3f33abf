"""A cluster in which nothing stands in the way of a rollout v1 → v2, to be changed in one place."""

import copy
from typing import Any

from serinus.doctor import WORKED_WITH, Facts, Finding, Served, as_in_cluster, examine_cluster
from tests.istio.objects import destination, primary, virtual_service

Object = dict[str, Any]


def named(name: str, **rest: Any) -> Object:
    metadata = {"namespace": "ml", "name": name, "uid": name, "resourceVersion": "1"} | rest.pop("metadata", {})
    return {"metadata": metadata, **rest}


def pod(name: str, version: str) -> Object:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    labels = {"app": "predictor", "version": version}
    return named(name, metadata={"labels": labels}, spec={}, status=ready)


def deployment(name: str, replicas: int) -> Object:
    status = {"readyReplicas": replicas, "updatedReplicas": replicas, "replicas": replicas, "observedGeneration": 1}
    return named(name, spec={"replicas": replicas, "template": {}}, status=status)


def spec(**changes: Any) -> Object:
    return {
        "stable": {"subset": "stable", "labels": {"version": "v1"}},
        "canary": {"subset": "canary", "labels": {"version": "v2"}},
        "traffic": {"host": "predictor", "virtualServices": [{"name": "predictor"}], "destinationRule": "predictor"},
        "workloads": {
            "stable": {"kind": "Deployment", "name": "predictor-v1"},
            "canary": {"kind": "Deployment", "name": "predictor-v2"},
        },
        "ladder": [
            {"weight": 10, "window": "15m"},
            {"weight": 50, "window": "30m"},
            {"weight": 100, "window": "0s"},
        ],
    } | changes


def manifest(**changes: Any) -> Object:
    return {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryDeployment",
        "metadata": {"name": "predictor", "namespace": "ml"},
        "spec": spec(**changes),
    }


def objects() -> dict[Any, list[Object]]:
    service = virtual_service(primary(destination("stable", 100)), uid="predictor")
    subsets = [{"name": "stable", "labels": {"version": "v1"}}]
    return {
        "virtualservices": [copy.deepcopy(service)],
        "destinationrules": [named("predictor", spec={"host": "predictor", "subsets": subsets})],
        "services": [named("predictor", spec={"selector": {"app": "predictor"}})],
        "pods": [pod("one", "v1"), pod("two", "v1"), pod("three", "v2"), pod("four", "v2")],
        "deployments": [deployment("predictor-v1", 2), deployment("predictor-v2", 2)],
    }


def facts(owner: Object | None = None, **changes: Any) -> Facts:
    given: dict[str, Any] = {
        "owner": as_in_cluster(owner or manifest(), None),
        "objects": objects(),
        "served": Served("v1.31.2", {group: frozenset(plurals) for group, plurals in WORKED_WITH.items()}),
        "account": "serinus-system/serinus",
        "refused": (),
    }
    return Facts(**(given | changes))


def found(given: Facts) -> list[Finding]:
    """What is not fine."""
    return [each for each in examine_cluster(given) if each.level != "fine"]


def only(given: Facts) -> Finding:
    """The one thing that is not fine."""
    (finding,) = found(given)
    assert finding.why
    assert finding.do
    return finding
