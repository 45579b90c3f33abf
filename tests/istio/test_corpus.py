"""Whole rollouts over VirtualServices as people write them, on the real API server: the rest stays as it was."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.stack import Lab
from serinus.api.traffic import AudienceMatch, Cohort
from serinus.controller.kube import Kube
from serinus.istio import ADDED_ANNOTATION, DECISION_ANNOTATION, Split, arm_routes, weights_patch
from tests.istio.conftest import Object

pytestmark = pytest.mark.api_server

CORPUS = {
    document["metadata"]["name"]: document
    for path in sorted(Path(__file__).with_name("corpus").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
}
NAMESPACE = "corpus"
HOST = f"predictor.{NAMESPACE}.svc.cluster.local"
AUDIENCE = (AudienceMatch(header="x-internal", exact="true"), AudienceMatch(header="x-team", regex="ml|ads"))
PROTOCOLS = ("http", "tls", "tcp")


@pytest.fixture(scope="module")
def corpus(istio: Lab) -> dict[str, Object]:
    """Every VirtualService of the corpus as the API server has it."""
    istio.kubectl("create", "namespace", NAMESPACE)
    istio.apply([{**each, "metadata": {**each["metadata"], "namespace": NAMESPACE}} for each in CORPUS.values()])
    found = json.loads(istio.kubectl("get", "virtualservices", f"--namespace={NAMESPACE}", "--output=json"))
    return {each["metadata"]["name"]: each for each in found["items"]}


async def split(kube: Kube, service: Object, how: Split, decision: str) -> Object:
    """Make the VirtualService split so; as it is then."""
    (routes,) = arm_routes(service, host=HOST, stable="stable", canary="canary")
    patch = weights_patch(service, routes, how, decision=decision)
    return await kube.patch("virtualservices", service, patch)


def owners(service: dict[str, Any]) -> dict[str, Any]:
    """What its owner wrote, without what a rollout may change: weights and our annotations."""
    rest = copy.deepcopy(service)
    for protocol in PROTOCOLS:
        for route in rest["spec"].get(protocol, ()):
            for entry in route.get("route", ()):
                if entry["destination"].get("subset") in ("stable", "canary"):
                    entry.pop("weight", None)
    annotations = rest["metadata"].get("annotations", {})
    for ours in (DECISION_ANNOTATION, ADDED_ANNOTATION):
        annotations.pop(ours, None)
    kept = {name: rest["metadata"].get(name) for name in ("name", "namespace", "uid", "labels", "finalizers")}
    return {"apiVersion": rest["apiVersion"], "metadata": {**kept, "annotations": annotations}, "spec": rest["spec"]}


def to_the_byte(service: dict[str, Any]) -> str:
    return json.dumps(owners(service))


def test_the_corpus_has_at_least_forty() -> None:
    assert len(CORPUS) >= 40


@pytest.mark.parametrize("name", CORPUS)
async def test_a_rollout_that_is_rolled_back_leaves_weights_and_our_annotation_I5(
    corpus: dict[str, Object], kube: Kube, name: str
) -> None:
    service = corpus[name]
    for weight in (1, 5, 25, 50):
        service = await split(kube, service, Split("canary", weight), "r/1-promote")
        assert canary_weights(service) == {weight}
    after = await split(kube, service, Split("canary", 0), "r/2-rollback")
    assert to_the_byte(after) == to_the_byte(corpus[name])
    assert after["metadata"]["annotations"][DECISION_ANNOTATION] == "r/2-rollback"
    assert canary_weights(after) <= {0}
    corpus[name] = after


HTTP_ONLY = [name for name, service in CORPUS.items() if set(service["spec"]) & set(PROTOCOLS) == {"http"}]


@pytest.mark.parametrize("name", HTTP_ONLY)
@pytest.mark.parametrize(
    "who",
    [
        Split("canary", 25, AUDIENCE),
        Split("canary", 25, AUDIENCE, Cohort(header="x-user-id"), "r"),
        Split("canary", 25, cohort=Cohort(cookie="arm", by="setCookie"), salt="r"),
    ],
    ids=["audience", "audience and cohort", "cookie"],
)
async def test_what_audience_and_cohort_put_there_is_gone_at_the_end_I5(
    corpus: dict[str, Object], kube: Kube, name: str, who: Split
) -> None:
    started = await split(kube, corpus[name], who, "r/1-start")
    assert any(route.get("name", "").startswith("serinus/") for route in started["spec"]["http"])
    after = await split(kube, started, Split("canary", 0), "r/2-rollback")
    assert to_the_byte(after) == to_the_byte(corpus[name])
    corpus[name] = after


def canary_weights(service: dict[str, Any]) -> set[int]:
    """The canary's weights on the routes that have both arms."""
    found = set()
    for protocol in PROTOCOLS:
        for route in service["spec"].get(protocol, ()):
            arms = {entry["destination"].get("subset"): entry.get("weight", 0) for entry in route.get("route", ())}
            if "canary" in arms:
                found.add(arms["canary"])
    return found
