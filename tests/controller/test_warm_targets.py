"""Where a warm-up's requests go: the canary's endpoints themselves, and no address that a tenant made up (I10)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from serinus.controller.cache import Cache
from serinus.controller.endpoints import slim_pod, young_pods
from serinus.controller.warm_targets import Target, warm_targets
from serinus.rollout import Obstacle
from tests.controller.test_endpoints import HOST, LABELS, named

PORTS = [{"name": "metrics", "port": 9090, "targetPort": 9000}, {"name": "http", "port": 80, "targetPort": "web"}]


def pod(name: str, address: str, since: str = "2026-11-21T12:00:00Z") -> dict[str, Any]:
    labels = {"app": "app", "version": "v2"}
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
    containers = [{"ports": [{"name": "web", "containerPort": 8080}]}]
    return slim_pod(
        named(
            name,
            metadata={"labels": labels},
            spec={"containers": containers},
            status={"conditions": [ready], "podIP": address},
        )
    )


@pytest.fixture
def pods() -> Cache:
    cache = Cache()
    cache.put("services", named("app", spec={"selector": {"app": "app"}, "ports": PORTS}))
    cache.put("pods", pod("a", "10.0.0.7"))
    return cache


@pytest.fixture
def entries() -> Cache:
    cache = Cache()
    entry = {
        "hosts": [HOST],
        "workloadSelector": {"labels": {"app": "app"}},
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
    }
    cache.put("serviceentries", named("app", spec=entry))
    labels = {"app": "app", "version": "v2"}
    cache.put("workloadentries", named("a", spec={"address": "10.9.9.9", "ports": {"http": 8081}, "labels": labels}))
    return cache


def targets(cache: Cache, port: int | None = None, allowed: tuple[str, ...] = ()) -> tuple[Target, ...]:
    return warm_targets(HOST, "ml", LABELS, cache, [port], allowed)


def test_a_pod_gets_them_where_it_serves_the_services_http_port_R09(pods: Cache) -> None:
    (target,) = targets(pods)
    assert target.origin(None) == target.origin(80) == "http://10.0.0.7:8080"
    assert target.origin(9090) == "http://10.0.0.7:9000"


def test_an_address_of_ipv6_is_written_as_one(pods: Cache) -> None:
    pods.put("pods", pod("a6", "fd00::7"))
    assert {each.origin(None) for each in targets(pods)} == {"http://10.0.0.7:8080", "http://[fd00::7]:8080"}


def test_a_port_that_is_not_served_is_named(pods: Cache) -> None:
    with pytest.raises(Obstacle, match=r"pod a does not serve port 81 of app\.ml"):
        targets(pods, 81)


def test_what_somebody_wrote_into_a_workload_entry_must_be_allowed_I10(entries: Cache) -> None:
    with pytest.raises(Obstacle, match=r"http://10.9.9.9:8081 of WorkloadEntry a is not among .*--allow-hook") as found:
        targets(entries)
    assert found.value.reason == "WarmUpNotAllowed"
    (target,) = targets(entries, allowed=("http://10.9.9.9:8081",))
    assert target.origin(None) == "http://10.9.9.9:8081"


@pytest.mark.parametrize("address", ["evil.example.com", "unix:///run/docker.sock", ""])
def test_only_ip_addresses_are_taken_I10(entries: Cache, address: str) -> None:
    labels = {"app": "app", "version": "v2"}
    entries.put("workloadentries", named("b", spec={"address": address, "labels": labels}))
    with pytest.raises(Obstacle, match="of WorkloadEntry b is no IP address"):
        targets(entries, allowed=("http://10.9.9.9:8081", f"http://{address}:80"))


def test_of_a_host_without_a_selector_nobody_can_tell(pods: Cache) -> None:
    with pytest.raises(Obstacle, match=r"spec.warmUp.requests: nobody can tell the endpoints of example.org"):
        warm_targets("example.org", "ml", LABELS, pods, [None], ())


def test_a_pod_is_young_until_the_warm_up_has_passed(pods: Cache) -> None:
    pods.put("pods", pod("b", "10.0.0.8", since="2026-11-21T12:05:00Z"))
    since = datetime(2026, 11, 21, 12, 4, 30, tzinfo=UTC)
    assert young_pods(HOST, "ml", LABELS, pods, since) == ("10.0.0.8",)
    assert young_pods(HOST, "ml", {"version": "v1"}, pods, since) == ()
    assert young_pods("example.org", "ml", LABELS, pods, since) == ()
