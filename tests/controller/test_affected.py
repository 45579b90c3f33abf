"""Who is woken by what: whoever names an object, however many do not."""

from typing import Any

import pytest

from serinus.controller.cache import Cache, Key, Kind
from serinus.controller.gather import affected_by

OWNER = ("ml", "predictor")
SPEC = {
    "traffic": {"virtualServices": [{"name": "root"}, {"name": "shop/other"}], "destinationRule": "rule"},
    "policyRef": {"name": "payments"},
    "workloads": {
        "stable": {"kind": "Deployment", "name": "app"},
        "canary": {"kind": "StatefulSet", "name": "app"},
        "capacity": 1,
    },
}


def put(cache: Cache, kind: Kind, key: Key, version: str = "1", **parts: Any) -> bool:
    metadata = {"namespace": key[0], "name": key[1], "uid": f"{kind}/{key}", "resourceVersion": version}
    return cache.put(kind, {"metadata": metadata, **parts})


@pytest.fixture
def cache() -> Cache:
    cache = Cache()
    put(cache, "canarydeployments", OWNER, spec=SPEC)
    put(cache, "canarydeployments", ("ml", "another"), spec={"traffic": {"virtualServices": [{"name": "theirs"}]}})
    delegating = {"http": [{"delegate": {"name": "arms", "namespace": "edge"}}]}
    put(cache, "virtualservices", ("ml", "root"), spec=delegating)
    return cache


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("virtualservices", ("ml", "root")),
        ("virtualservices", ("shop", "other")),
        ("virtualservices", ("edge", "arms")),
        ("destinationrules", ("ml", "rule")),
        ("canarypolicies", ("ml", "payments")),
        ("deployments", ("ml", "app")),
        ("statefulsets", ("ml", "app")),
    ],
)
def test_a_change_of_what_it_names_concerns_a_canary_and_no_other(cache: Cache, kind: Kind, key: Key) -> None:
    assert affected_by(kind, key, cache) == [OWNER]


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("virtualservices", ("ml", "arms")),
        ("destinationrules", ("shop", "rule")),
        ("canarypolicies", ("ml", "search")),
        ("deployments", ("ml", "else")),
    ],
)
def test_a_change_of_anything_else_concerns_nobody(cache: Cache, kind: Kind, key: Key) -> None:
    assert affected_by(kind, key, cache) == []


def test_a_canary_that_names_something_else_now_is_not_woken_for_what_it_named(cache: Cache) -> None:
    put(cache, "canarydeployments", OWNER, "2", spec={"traffic": {"virtualServices": [{"name": "new"}]}})
    assert affected_by("virtualservices", ("ml", "root"), cache) == []
    assert affected_by("virtualservices", ("ml", "new"), cache) == [OWNER]


def test_a_root_that_delegates_no_longer_passes_nothing_on(cache: Cache) -> None:
    put(cache, "virtualservices", ("ml", "root"), "2", spec={})
    assert affected_by("virtualservices", ("edge", "arms"), cache) == []


def test_an_override_concerns_its_target(cache: Cache) -> None:
    put(cache, "canaryoverrides", ("ml", "stop"), spec={"target": "predictor"})
    assert affected_by("canaryoverrides", ("ml", "stop"), cache) == [OWNER]


def test_a_manifest_that_makes_no_sense_stops_nobody(cache: Cache) -> None:
    put(cache, "canarydeployments", ("ml", "empty"))
    put(cache, "canarydeployments", ("ml", "odd"), spec={"workloads": {"stable": None}, "policyRef": None})
    cache.drop("canarydeployments", ("ml", "odd"))
    assert affected_by("destinationrules", ("ml", "rule"), cache) == [OWNER]


def test_what_is_known_already_is_no_news(cache: Cache) -> None:
    """The watch repeats our own writes: their answers are in the cache by then."""
    assert put(cache, "virtualservices", ("ml", "root"), "2")
    assert not put(cache, "virtualservices", ("ml", "root"), "2")
    assert not put(cache, "virtualservices", ("ml", "root"), "1")
    assert put(cache, "virtualservices", ("ml", "root"), "3")
