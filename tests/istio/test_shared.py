"""Two rollouts move different routes of one VirtualService, on the real API server: neither touches the other's."""

import copy
from typing import Any

import pytest

from lab.stack import Lab
from serinus.api.traffic import AudienceMatch, Cohort
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import WriteConflict
from serinus.istio import ADDED_ANNOTATION, DECISION_ANNOTATION, Split, arm_routes, decision_on, weights_patch
from tests.istio.conftest import Object, Routed
from tests.istio.objects import destination

pytestmark = pytest.mark.api_server

NAMESPACE = "shared"
SEARCH, CHECKOUT = "search-11111111", "checkout-22222222"
WHO = (AudienceMatch(header="x-internal", exact="true"),)


@pytest.fixture
def edge(istio: Lab, request: pytest.FixtureRequest) -> Routed:
    """A VirtualService with a route for each of two hosts, named after the test; checkout's has the stable alone."""
    if not istio.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found"):
        istio.kubectl("create", "namespace", NAMESPACE)
    name = f"edge-{len(request.node.name)}"
    search = [destination("stable", 100, host="search"), destination("canary", 0, host="search")]
    http = [
        {"name": "search", "match": [{"uri": {"prefix": "/search"}}], "timeout": "2s", "route": search},
        {"name": "checkout", "retries": {"attempts": 2}, "route": [destination("stable", host="checkout")]},
    ]
    manifest = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    metadata = {"name": name, "namespace": NAMESPACE, "annotations": {"owner": "edge"}}
    istio.apply([{**manifest, "metadata": metadata, "spec": {"hosts": ["shop.example.com"], "http": http}}])
    return Routed(istio, name, NAMESPACE, "")


async def give(kube: Kube, service: Object, host: str, split: Split, decision: str) -> Object:
    """Write the host's arms by a patch that is made from `service`; the object as it is then."""
    full = f"{host}.{NAMESPACE}.svc.cluster.local"
    (routes,) = arm_routes(service, host=full, stable="stable", canary="canary")
    patch = weights_patch(service, routes, split, decision=decision, beside={CHECKOUT if host == "search" else SEARCH})
    return await kube.patch("virtualservices", service, patch)


def owners(service: Object) -> dict[str, Any]:
    """What its owner wrote, without the weights and the decisions."""
    rest = copy.deepcopy(service)
    for route in rest["spec"]["http"]:
        for entry in route["route"]:
            entry.pop("weight", None)
    rest["metadata"]["annotations"].pop(DECISION_ANNOTATION, None)
    return {"spec": rest["spec"], "annotations": rest["metadata"]["annotations"]}


async def test_two_rollouts_take_turns_and_leave_what_its_owner_wrote_I5(edge: Routed, kube: Kube) -> None:
    before = edge.read()
    service = await give(
        kube, before, "search", Split("canary", 5, WHO, Cohort(header="x-user"), SEARCH), f"{SEARCH}/1-start"
    )
    service = await give(kube, service, "checkout", Split("canary", 10), f"{CHECKOUT}/1-start")
    service = await give(
        kube, service, "search", Split("canary", 50, WHO, Cohort(header="x-user"), SEARCH), f"{SEARCH}/2-promote"
    )
    assert [route["name"] for route in service["spec"]["http"]] == [
        "serinus/cohort/search",
        "serinus/audience/search",
        "search",
        "checkout",
    ]
    assert [entry["weight"] for entry in service["spec"]["http"][3]["route"]] == [90, 10]
    assert (decision_on(service, SEARCH), decision_on(service, CHECKOUT)) == (
        f"{SEARCH}/2-promote",
        f"{CHECKOUT}/1-start",
    )

    service = await give(kube, service, "checkout", Split("canary", 0), f"{CHECKOUT}/2-rollback")
    assert [entry["weight"] for entry in service["spec"]["http"][0]["route"]] == [50, 50]
    assert decision_on(service, SEARCH) == f"{SEARCH}/2-promote"
    after = await give(kube, service, "search", Split("canary", 100), f"{SEARCH}/3-promoted")
    assert decision_on(after, CHECKOUT) == f"{CHECKOUT}/2-rollback"
    assert owners(after) == owners(before)
    weights = [[entry["weight"] for entry in route["route"]] for route in after["spec"]["http"]]
    assert weights == [[0, 100], [100]]
    assert ADDED_ANNOTATION not in after["metadata"]["annotations"]


async def test_a_patch_made_before_the_other_wrote_is_refused_and_made_again_I4(edge: Routed, kube: Kube) -> None:
    seen = edge.read()
    await give(kube, seen, "search", Split("canary", 5), f"{SEARCH}/1-start")
    with pytest.raises(WriteConflict):
        await give(kube, seen, "checkout", Split("canary", 10), f"{CHECKOUT}/1-start")
    service = await give(kube, edge.read(), "checkout", Split("canary", 10), f"{CHECKOUT}/1-start")
    assert decision_on(service, SEARCH) == f"{SEARCH}/1-start"
    assert [entry["weight"] for entry in service["spec"]["http"][0]["route"]] == [95, 5]
