"""Whom a canary may ask and whose series it may see: the operator's word stands above the object's (I10)."""

from datetime import timedelta
from typing import Any, cast

import pytest

from serinus.controller.cache import Cache, Object
from serinus.controller.desks import Desks
from serinus.controller.gather import read_arms, read_manifest, read_subject
from serinus.controller.kube import Kube
from serinus.controller.settings import Settings
from serinus.rollout import Live, Obstacle, Plan, Subject, Timing

OPERATORS, ALLOWED, ELSEWHERE = "http://prometheus:9090", "http://thanos:9090", "http://169.254.169.254"
LIVE = Live((0,), "", {"version": "v1"}, {"version": "v2"})
SETTINGS = Settings(prometheus=OPERATORS, timing=Timing(timedelta(0), timedelta(0)))


def owner(**spec: Any) -> Object:
    return {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryDeployment",
        "metadata": {"name": "predictor", "namespace": "ml", "uid": "uid-1", "generation": 1},
        "spec": {
            "stable": {"subset": "stable", "labels": {"version": "v1"}},
            "canary": {"subset": "canary", "labels": {"version": "v2"}},
            "traffic": {
                "host": "predictor",
                "virtualServices": [{"name": "predictor"}],
                "destinationRule": "predictor",
            },
            "ladder": [{"weight": 10, "window": "30s"}, {"weight": 100, "window": "0s"}],
            **spec,
        },
    }


def subject_of(**spec: Any) -> Subject:
    cache, read = Cache(), owner(**spec)
    return read_subject(read, read_manifest(read, cache, None), cache, {OPERATORS, ALLOWED}, ())


def plan_of(**spec: Any) -> Plan:
    return subject_of(**spec).plan


def policy(address: str) -> dict[str, Any]:
    errors = {"name": "errors", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
    return {"metrics": [errors], "prometheus": {"address": address}}


@pytest.mark.parametrize(
    ("spec", "whose"),
    [
        ({"prometheus": {"address": ELSEWHERE}}, "spec.prometheus.address"),
        ({"policy": policy(ELSEWHERE)}, "the policy's prometheus.address"),
        ({"prometheus": {"address": f"{ALLOWED}1"}}, "spec.prometheus.address"),
    ],
    ids=["of its own", "of its policy", "one that begins like an allowed one"],
)
def test_an_address_that_is_not_on_the_operators_list_is_never_asked_I10(spec: dict[str, Any], whose: str) -> None:
    with pytest.raises(Obstacle) as raised:
        subject_of(**spec)
    assert raised.value.reason == "PrometheusNotAllowed"
    assert str(raised.value).startswith(whose)


@pytest.mark.parametrize("address", [OPERATORS, ALLOWED])
@pytest.mark.parametrize("whose", ["its own", "its policy's"])
def test_an_address_on_the_list_is_asked(address: str, whose: str) -> None:
    spec = {"prometheus": {"address": address}} if whose == "its own" else {"policy": policy(address)}
    named = plan_of(**spec).prometheus
    assert named is not None
    assert named.address == address


def test_a_fence_is_the_namespace_whatever_the_object_says_I10() -> None:
    strangers = {
        subset: {"subset": subset, "metricLabels": {"namespace": "payments", "destination_version": version}}
        for subset, version in (("stable", "v1"), ("canary", "v2"))
    }
    arms = read_arms(plan_of(**strangers), "ml", LIVE, "destination", "namespace")
    assert arms.fence == (("namespace", "ml"),)
    assert all(arms.side_of({"namespace": whose, "destination_version": "v2"}) is None for whose in ("payments", "ml"))
    assert read_arms(plan_of(), "ml", LIVE, "destination", None).fence == ()


async def test_samples_are_waited_for_as_long_as_scrapes_take_where_they_are_read() -> None:
    desks, plan = Desks(SETTINGS, cast(Kube, None)), plan_of()
    assert desks.lateness(plan, "ml") == 0, "nobody has looked yet"
    desk = await desks.desk(plan, "ml")
    desk.scrape_duration = 0.4
    assert desks.lateness(plan, "ml") == 0.4
    assert desks.lateness(plan_of(prometheus={"address": ALLOWED}), "ml") == 0, "another server"
    assert SETTINGS.lateness == 1.0, "and a second, by default"
    await desks.close()
