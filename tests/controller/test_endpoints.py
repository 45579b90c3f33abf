"""Ready endpoints of an arm: pods behind a Service, entries behind a service entry, and what nobody can tell."""

from typing import Any

import pytest

from serinus.controller.cache import Cache
from serinus.controller.endpoints import ready_endpoints, slim_pod

LABELS = {"version": "v2"}
HOST = "app.ml.svc.cluster.local"


def named(name: str, **rest: Any) -> dict[str, Any]:
    metadata = {"namespace": "ml", "name": name, "uid": name, "resourceVersion": "1"} | rest.pop("metadata", {})
    return {"metadata": metadata, **rest}


def pod(name: str, ready: str = "True", version: str = "v2", **metadata: Any) -> dict[str, Any]:
    labels = {"app": "app", "version": version}
    conditions = [{"type": "Ready", "status": ready}, {"type": "Initialized", "status": "True"}]
    return slim_pod(named(name, metadata={"labels": labels, **metadata}, spec={}, status={"conditions": conditions}))


@pytest.fixture
def cache() -> Cache:
    cache = Cache()
    cache.put("services", named("app", spec={"selector": {"app": "app"}}))
    return cache


def test_ready_pods_with_the_subsets_labels_count(cache: Cache) -> None:
    for each in (pod("a"), pod("b"), pod("c", ready="False"), pod("d", version="v1")):
        cache.put("pods", each)
    assert ready_endpoints(HOST, "ml", LABELS, cache) == 2
    assert ready_endpoints("app", "ml", LABELS, cache) == 2


def test_a_pod_counts_as_it_is_now(cache: Cache) -> None:
    assert ready_endpoints(HOST, "ml", LABELS, cache) == 0
    cache.put("pods", pod("a"))
    assert ready_endpoints(HOST, "ml", LABELS, cache) == 1
    cache.put("pods", pod("a", ready="False", resourceVersion="2"))
    assert ready_endpoints(HOST, "ml", LABELS, cache) == 0
    cache.put("pods", pod("a", version="v1", resourceVersion="3"))
    cache.put("pods", pod("b"))
    assert ready_endpoints(HOST, "ml", LABELS, cache) == 1
    cache.drop("pods", ("ml", "b"))
    assert ready_endpoints(HOST, "ml", LABELS, cache) == 0


def test_a_pod_that_is_going_does_not_count(cache: Cache) -> None:
    cache.put("pods", pod("a", deletionTimestamp="2026-11-21T12:00:00Z"))
    assert ready_endpoints(HOST, "ml", LABELS, cache) == 0


def test_a_service_without_any_pod_has_none(cache: Cache) -> None:
    assert ready_endpoints(HOST, "ml", LABELS, cache) == 0


def test_workload_entries_count_unless_they_are_said_to_be_ill() -> None:
    cache = Cache()
    entry = {"hosts": [HOST], "workloadSelector": {"labels": {"app": "app"}}}
    cache.put("serviceentries", named("app", spec=entry))
    labels = {"app": "app", "version": "v2"}
    ill = {"conditions": [{"type": "Healthy", "status": "False"}]}
    cache.put("workloadentries", named("a", spec={"labels": labels}))
    cache.put("workloadentries", named("b", spec={"labels": labels}, status=ill))
    assert ready_endpoints(HOST, "ml", LABELS, cache) == 1


@pytest.mark.parametrize("host", ["elsewhere.example.org", "other.ml.svc.cluster.local"])
def test_of_a_host_without_a_selector_nobody_can_tell_I3(cache: Cache, host: str) -> None:
    assert ready_endpoints(host, "ml", LABELS, cache) is None


def test_of_a_subset_that_is_not_there_nobody_can_tell_I3(cache: Cache) -> None:
    assert ready_endpoints(HOST, "ml", None, cache) is None


def test_what_is_kept_of_a_pod_is_little() -> None:
    kept = pod("a", annotations={"long": "x" * 1000}, managedFields=[{}])
    assert set(kept) == {"metadata", "address", "ports", "restart", "status"}
    assert set(kept["metadata"]) == {"namespace", "name", "uid", "resourceVersion", "labels"}
    assert [each["type"] for each in kept["status"]["conditions"]] == ["Ready"]
