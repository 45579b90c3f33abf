"""Two releases at once on one VirtualService: the operator promotes one, rolls the other back; nothing else moves."""

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.demo.stage import start_version
from lab.processes import Process
from lab.stack import Lab
from lab.stack.service import Service
from lab.waiting import wait_until
from serinus.istio import DECISION_ANNOTATION, decision_on
from tests.istio.users import ask

pytestmark = pytest.mark.mesh

Object = dict[str, Any]

GOOD, BAD = "good-and-shared", "bad-and-shared"
EDGE = "edge-of-both"
HOST = f"{EDGE}.lab.example"
KIND = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}


@pytest.fixture
def operator(lab: Lab) -> Iterator[Process]:
    process = lab.start_operator()
    yield process
    log = process.log.read_text(errors="replace")
    process.stop()
    assert "Traceback" not in log, log
    assert "refused" not in log, "the shipped RBAC lacks something: " + log


@pytest.fixture
def services(lab: Lab) -> Iterator[None]:
    """Two services behind one VirtualService, which tells them apart by a header; the bad one's canary fails often."""
    workloads = []
    for name, error_rate in ((GOOD, 0.0), (BAD, 0.5)):
        lab.add_service(name)
        workloads += [start_version(lab, name, "v1", 0.0), start_version(lab, name, "v2", error_rate)]
    http = [
        {
            "name": name,
            "match": [{"headers": {"x-service": {"exact": name}}}],
            "timeout": "7s",
            "route": [{"destination": {"host": Service(name).mesh_host, "subset": "stable"}}],
        }
        for name in (GOOD, BAD)
    ]
    metadata = {"name": EDGE, "namespace": lab.namespace, "annotations": {"owner": "edge"}}
    lab.apply([{**KIND, "metadata": metadata, "spec": {"hosts": [HOST], "gateways": ["ingress"], "http": http}}])
    yield
    for name in (GOOD, BAD):
        lab.kubectl("delete", "canarydeployment", name, "--namespace=demo", "--ignore-not-found", "--wait=false")
    for workload in workloads:
        workload.stop()


def get(lab: Lab, kind: str, name: str) -> Object:
    found: Object = json.loads(lab.kubectl("get", kind, name, f"--namespace={lab.namespace}", "--output=json"))
    return found


def release(name: str, **traffic: Any) -> Object:
    spec = {
        "stable": {"subset": "stable", "labels": {"version": "v1"}},
        "canary": {"subset": "canary", "labels": {"version": "v2"}},
        "traffic": {"host": name, "virtualServices": [{"name": EDGE}], "destinationRule": name, **traffic},
        "ladder": [{"weight": 50, "window": "6s"}, {"weight": 100, "window": "0s"}],
        "interval": "2s",
        "reportEvery": "2s",
        "prometheus": {"reporter": "source"},
    }
    manifest = {"apiVersion": "serinus.io/v1alpha1", "kind": "CanaryDeployment"}
    return {**manifest, "metadata": {"name": name, "namespace": "demo"}, "spec": spec}


def owners(service: Object) -> Object:
    """What its owner wrote, without the weights and the decisions."""
    rest = copy.deepcopy(service)
    for route in rest["spec"]["http"]:
        for entry in route["route"]:
            entry.pop("weight", None)
    for annotation in (DECISION_ANNOTATION, "serinus.io/added"):
        rest["metadata"]["annotations"].pop(annotation, None)
    return {"spec": rest["spec"], "annotations": rest["metadata"]["annotations"]}


async def test_one_is_promoted_while_the_other_is_rolled_back_and_each_finds_its_decision_I4_I5(
    lab: Lab, operator: Process, services: None
) -> None:
    before = get(lab, "virtualservice", EDGE)
    lab.apply([release(GOOD, audience=[{"header": "x-internal", "exact": "true"}]), release(BAD)])
    requests = [{"x-service": name, "x-internal": internal} for name in (GOOD, BAD) for internal in ("true", "false")]

    async def until_both_have_ended() -> dict[str, Object]:
        while True:
            await ask(lab.gateway_url, HOST, requests * 50)
            status = {name: get(lab, "canarydeployment", name).get("status", {}) for name in (GOOD, BAD)}
            if {each.get("phase") for each in status.values()} == {"Promoted", "RolledBack"}:
                return status

    status = await asyncio.wait_for(until_both_have_ended(), timeout=240)
    assert (status[GOOD]["phase"], status[BAD]["phase"]) == ("Promoted", "RolledBack")

    def settled() -> Object | None:
        service = get(lab, "virtualservice", EDGE)
        decided = {name: get(lab, "canarydeployment", name)["status"]["rollout"] for name in (GOOD, BAD)}
        done = all(
            decision_on(service, each["id"]) == each["decision"] == each["observed"] for each in decided.values()
        )
        return service if done else None

    after = await asyncio.to_thread(wait_until, settled, "both decisions on the VirtualService")
    expected = copy.deepcopy(before)
    stable = expected["spec"]["http"][0]["route"][0]
    expected["spec"]["http"][0]["route"].append(
        {**stable, "destination": {**stable["destination"], "subset": "canary"}}
    )
    assert owners(after) == owners(expected)
    assert [[entry["weight"] for entry in route["route"]] for route in after["spec"]["http"]] == [[0, 100], [100]]
    assert [record["reason"] for name in (GOOD, BAD) for record in status[name]["history"]].count("WeightsChanged") == 0
