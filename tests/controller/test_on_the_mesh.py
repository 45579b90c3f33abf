"""The operator on the real stack, with nothing but the RBAC that deploy/ ships."""

import copy
import json
import os
import signal
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab.demo.load import Load
from lab.demo.stage import start_version, users_of
from lab.processes import Process
from lab.stack import Lab
from lab.waiting import wait_until
from serinus.istio import DECISION_ANNOTATION

pytestmark = pytest.mark.mesh

Manifest = dict[str, Any]


@pytest.fixture
def operator(lab: Lab) -> Iterator[Process]:
    process = lab.start_operator()
    yield process
    log = process.log.read_text(errors="replace")
    process.stop()
    assert "Traceback" not in log, log
    assert "refused" not in log, "the shipped RBAC lacks something: " + log


def manifest(service: str, **changes: Any) -> Manifest:
    """A release v1 → v2 of a lab's service over 50/100, whose spec is changed as told."""
    spec = {
        "stable": {"subset": "stable", "labels": {"version": "v1"}},
        "canary": {"subset": "canary", "labels": {"version": "v2"}},
        "traffic": {
            "host": f"{service}.demo.svc.cluster.local",
            "virtualServices": [{"name": service}],
            "destinationRule": service,
        },
        "ladder": [{"weight": 50, "window": "4s"}, {"weight": 100, "window": "0s"}],
        "interval": "2s",
        "reportEvery": "2s",
        "prometheus": {"reporter": "source"},
    }
    return {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryDeployment",
        "metadata": {"name": service, "namespace": "demo"},
        "spec": spec | changes,
    }


def get(lab: Lab, kind: str, name: str) -> Manifest:
    found: Manifest = json.loads(lab.kubectl("get", kind, name, "--namespace=demo", "--output=json"))
    return found


def condition(lab: Lab, name: str, kind: str) -> tuple[str, str, str]:
    """Status, reason and message of a condition; empty where there is none yet."""
    status = get(lab, "canarydeployment", name).get("status", {})
    for found in status.get("conditions", []):
        if found["type"] == kind:
            return found["status"], found["reason"], found["message"]
    return "", "", ""


def await_stalled(lab: Lab, name: str) -> None:
    wait_until(lambda: condition(lab, name, "Stalled")[0] == "True", f"{name} to be Stalled")


def phase(lab: Lab, name: str) -> str:
    return str(get(lab, "canarydeployment", name).get("status", {}).get("phase"))


@pytest.fixture
def released(lab: Lab, request: pytest.FixtureRequest) -> Iterator[str]:
    """A service with two versions and users, named after the test."""
    name = f"svc-{zlib.crc32(request.node.name.encode())}"
    service = lab.add_service(name)
    workloads = [start_version(lab, name, version) for version in ("v1", "v2")]
    with Load(users_of(lab, service, rate=200, seconds=180), lab.directory / f"{name}.jsonl"):
        yield name
    lab.kubectl("delete", "canarydeployment", name, "--namespace=demo", "--ignore-not-found", "--wait=false")
    for workload in workloads:
        workload.stop()


def test_what_makes_no_sense_is_stalled_by_name_and_stops_no_other_I9(
    lab: Lab, operator: Process, released: str
) -> None:
    wrong: dict[str, tuple[Manifest, str, str]] = {
        "no-policy": (manifest(released, policyRef={"name": "absent"}), "PolicyNotFound", "spec.policyRef"),
        "no-route": (
            manifest(released, traffic=manifest("nowhere")["spec"]["traffic"]),
            "VirtualServiceNotFound",
            "spec.traffic.virtualServices[0]",
        ),
        "bad-label": (
            manifest(released, stable={"subset": "stable", "labels": {"no label!": "v1", "version": "v1"}}),
            "InvalidSpec",
            "spec.stable.labels",
        ),
        "wrong-prometheus": (
            manifest(released, prometheus={"address": "http://127.0.0.1:9"}),
            "PrometheusNotAllowed",
            "spec.prometheus.address",
        ),
    }
    for name, (bad, _, _) in wrong.items():
        bad["metadata"]["name"] = name
    lab.apply([bad for bad, _, _ in wrong.values()])
    lab.apply([manifest(released)])
    for name, (_, reason, field) in wrong.items():
        await_stalled(lab, name)
        _, found, message = condition(lab, name, "Stalled")
        assert found == reason
        assert message.startswith(field)
    wait_until(lambda: phase(lab, released) in ("Progressing", "Holding", "Promoted"), "the good one to go on")
    for name in wrong:
        lab.kubectl("delete", "canarydeployment", name, "--namespace=demo")


def test_what_was_missing_is_noticed_when_it_appears(lab: Lab, operator: Process, released: str) -> None:
    lab.apply([manifest(released, policyRef={"name": "late"})])
    wait_until(lambda: condition(lab, released, "Stalled")[1] == "PolicyNotFound", "the missing policy to be named")
    errors = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
    lab.apply(
        [
            {
                "apiVersion": "serinus.io/v1alpha1",
                "kind": "CanaryPolicy",
                "metadata": {"name": "late", "namespace": "demo"},
                "spec": {"metrics": [errors]},
            }
        ]
    )
    wait_until(lambda: phase(lab, released) in ("Progressing", "Holding", "Promoted"), "the rollout to begin")


def test_a_rollout_changes_weights_and_nothing_else_and_survives_kill_9_I4_I5(lab: Lab, released: str) -> None:
    """Killed in the first step; the next operator finishes, takes no step twice, and the rest is as it was."""
    before = get(lab, "virtualservice", released)
    operator = lab.start_operator()
    lab.apply([manifest(released)])
    wait_until(lambda: get(lab, "canarydeployment", released).get("status", {}).get("weight") == 50, "the first step")
    os.kill(operator.pid, signal.SIGKILL)
    operator = lab.start_operator()
    wait_until(lambda: phase(lab, released) == "Promoted", "the promotion", timeout=90)
    operator.stop()

    status = get(lab, "canarydeployment", released)["status"]
    weights = [
        (record["weightBefore"], record["weightAfter"]) for record in status["history"] if record["verdict"] != "hold"
    ]
    assert weights == [(0, 50), (50, 100), (100, 100)]
    assert condition(lab, released, "Promoted")[0] == "True"

    after = get(lab, "virtualservice", released)
    assert after["metadata"]["annotations"][DECISION_ANNOTATION] == status["rollout"]["decision"]
    assert canary_weight(after) == 100
    assert without_weights(after) == without_weights(before)


def test_a_damaged_status_is_stalled_until_a_new_revision_I9(lab: Lab, released: str) -> None:
    operator = lab.start_operator()
    lab.apply([manifest(released)])
    wait_until(lambda: phase(lab, released) in ("Progressing", "Holding"), "the rollout to begin")
    operator.stop()
    broken = json.dumps({"status": {"rollout": {"snapshot": "broken"}}})
    target = ("canarydeployment", released, "--namespace=demo")
    lab.kubectl("patch", *target, "--subresource=status", "--type=merge", f"--patch={broken}")
    operator = lab.start_operator()
    wait_until(lambda: condition(lab, released, "Stalled")[1] == "StatusDamaged", "the damage to be named")
    lab.apply([manifest(released, revision="again")])
    wait_until(lambda: phase(lab, released) == "Promoted", "the promotion", timeout=90)
    operator.stop()


def test_a_records_hash_chain_and_its_events_are_there_R26(lab: Lab, operator: Process, released: str) -> None:
    lab.apply([manifest(released)])
    wait_until(lambda: phase(lab, released) == "Promoted", "the promotion", timeout=90)
    lines = (json.loads(line) for line in operator.log.read_text().splitlines() if line.startswith("{"))
    records = [line for line in lines if line.get("serinus") == "record" and line["name"] == released]
    history = get(lab, "canarydeployment", released)["status"]["history"]
    assert [record["hash"] for record in records] == [summary["hash"] for summary in history]
    assert [record["previousHash"] for record in records] == ["", *[record["hash"] for record in records[:-1]]]
    events = json.loads(lab.kubectl("get", "events", "--namespace=demo", "--output=json"))["items"]
    reasons = {event["reason"] for event in events if event["involvedObject"]["name"] == released}
    assert {record["reason"] for record in records} == reasons


def canary_weight(virtual_service: Manifest) -> int:
    split = virtual_service["spec"]["http"][0]["route"]
    return next(int(entry["weight"]) for entry in split if entry["destination"]["subset"] == "canary")


def without_weights(virtual_service: Manifest) -> Manifest:
    """The object without what a rollout may change, and without what the API server counts."""
    rest = copy.deepcopy(virtual_service)
    for entry in rest["spec"]["http"][0]["route"]:
        del entry["weight"]
    metadata = {key: rest["metadata"][key] for key in ("name", "namespace", "uid")}
    annotations = dict(rest["metadata"].get("annotations", {}))
    annotations.pop(DECISION_ANNOTATION, None)
    # kubectl's own annotation holds the manifest as it was applied; it must not have changed either.
    return {
        "spec": rest["spec"],
        "metadata": metadata,
        "annotations": {k: yaml.safe_load(v) for k, v in annotations.items()},
    }
