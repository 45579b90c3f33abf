"""Doctor, and the operator's own look, on the real API server with a real Prometheus beside it."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import yaml
from kubernetes import client

from lab.stack import Lab, promql
from lab.stack.alone import Alone, prometheus_alone
from serinus.doctor import beginning
from tests.crash.operators import await_true
from tests.metrics.remote_write import FLAGS, Series, write
from tests.workloads.cluster import NAMED, Cluster

pytestmark = pytest.mark.api_server

ERRORS = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
UNKNOWN = {
    "name": "sales",
    "kind": "proportion",
    "query": {"events": "bought_total{ {{arm}} }", "total": "visits_total{ {{arm}} }"},
    "tolerance": {"absolute": 0.1},
}
LADDER = {"ladder": [{"weight": 10, "window": "15m"}, {"weight": 100, "window": "0s"}]}
TRACKED = {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "shop:VirtualService:app"}}}


def serve(cluster: Cluster, version: str) -> None:
    """A ready pod of a version, behind the release's Service."""
    core, namespace = client.CoreV1Api(cluster.stage.api), cluster.release.namespace
    spec = {"containers": [{"name": "app", "image": f"app:{version}"}], "automountServiceAccountToken": False}
    metadata = {"name": f"app-{version}", "labels": {"app": "app", "version": version}}
    core.create_namespaced_pod(namespace, {"metadata": metadata, "spec": spec})
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "podIP": "127.0.0.1"}
    core.patch_namespaced_pod_status(metadata["name"], namespace, {"status": ready})


def release(cluster: Cluster, metrics: Sequence[dict[str, Any]] = (ERRORS,)) -> None:
    """Two Deployments with a ready pod each, behind a Service that users call, and their CanaryDeployment."""
    await_true(lambda: is_scraped(cluster), "a scrape of the users' requests")
    cluster.release.create(workloads=NAMED, policy={"metrics": list(metrics)})
    service = {"metadata": {"name": "app"}, "spec": {"selector": {"app": "app"}, "ports": [{"port": 80}]}}
    client.CoreV1Api(cluster.stage.api).create_namespaced_service(cluster.release.namespace, service)
    for version in ("v1", "v2"):
        cluster.deploy(version, replicas=1, ready=1)
        serve(cluster, version)


def doctor(lab: Lab, cluster: Cluster, spec: dict[str, Any], *options: str) -> tuple[int, list[dict[str, str]]]:
    """`serinus doctor` on a manifest with that spec: exit code and findings."""
    metadata = {"name": "app", "namespace": cluster.release.namespace}
    given = {"apiVersion": "serinus.io/v1alpha1", "kind": "CanaryDeployment", "metadata": metadata, "spec": spec}
    told = subprocess.run(
        [
            *(sys.executable, "-m", "serinus.cli.main", "doctor", "--file=-", "--output=json", "--reporter=source"),
            *options,
        ],
        input=yaml.safe_dump(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "KUBECONFIG": str(lab.kubeconfig)},
    )
    assert told.returncode in (0, 1), told.stderr
    return told.returncode, [json.loads(line) for line in told.stdout.splitlines()]


@pytest.fixture(scope="module")
def servers() -> Iterator[Alone]:
    with prometheus_alone() as servers:
        yield servers


def past_of(host: str, servers: Alone) -> str:
    """The address of a Prometheus that has a quarter of an hour of the stable's requests: 100 a second, 1 % failed."""
    address = servers.start(host.split(".")[1], "global: {}", FLAGS)
    now = time.time()
    labels = {"__name__": "istio_requests_total", "reporter": "source", "destination_service": host}
    write(
        address,
        [
            Series(
                labels | {"destination_version": "v1", "response_code": code, "job": "gateway", "instance": "one"},
                [(now - 900 + second, rate * second) for second in range(0, 901, 15)],
            )
            for code, rate in (("200", 99.0), ("500", 1.0))
        ],
    )
    return address


def test_doctor_finds_nothing_wrong_with_a_release_that_is_as_it_should_be_and_names_what_is_not(
    istio: Lab, cluster: Cluster, servers: Alone
) -> None:
    release(cluster)
    sound, prometheus = cluster.release.spec() | LADDER, f"--prometheus={past_of(cluster.release.host, servers)}"
    code, found = doctor(istio, cluster, sound, prometheus)
    assert (code, [each for each in found if each["level"] != "fine"]) == (0, [])

    cluster.release.merge("virtualservices", TRACKED)
    spec = sound | {
        "canary": {"subset": "canary", "labels": {"version": "v3"}},
        "workloads": {**NAMED, "canary": {"kind": "Deployment", "name": "app-v3"}},
        "policy": {"falseRollback": 0.2, "metrics": [ERRORS, UNKNOWN]},
    }
    code, found = doctor(istio, cluster, spec, prometheus, "--operator=serinus-system/nobody")
    bad = {(each["level"], each["check"]) for each in found if each["level"] != "fine"}
    assert code == 1
    assert bad == {
        ("error", "rights"),
        ("warning", "policy"),
        ("error", "endpoints"),
        ("error", "workloads"),
        ("warning", "owners"),
        ("error", "evidence"),
    }


def test_the_operator_says_what_it_finds_when_the_rollout_begins_and_goes_on(cluster: Cluster) -> None:
    release(cluster)
    cluster.release.merge("virtualservices", TRACKED)
    cluster.operate()
    await_true(lambda: cluster.release.phase() == "Promoted", "the promotion")
    said = warned(cluster)
    assert (said["status"], said["reason"]) == ("True", "Findings")
    assert said["message"].startswith("owners: VirtualService")
    assert "tracked by Argo CD" in said["message"]


def warned(cluster: Cluster) -> dict[str, str]:
    """The condition Warned; empty while there is none."""
    return next((each for each in cluster.status.get("conditions", []) if each["type"] == "Warned"), {})


def is_scraped(cluster: Cluster) -> bool:
    """Whether Prometheus knows the service's requests."""
    query = f'istio_requests_total{{destination_service="{cluster.release.host}"}}'
    return bool(promql.ask(cluster.stage.prometheus, query))


def judged_until(cluster: Cluster) -> str:
    """The end of the newest tick that its status knows of; empty before the first."""
    return str(cluster.status["rollout"].get("judgedUntil", ""))


def nobody_looks() -> None:
    """In the operator's process: an error where it asks for the evidence of a rollout that begins."""
    setattr(beginning, "look_at", None)  # noqa: B010 - it is another room's


def looks_hang() -> None:
    """In the operator's process: whoever asks for that evidence waits for ever."""
    setattr(beginning, "look_at", _wait)  # noqa: B010 - as above


async def _wait(*_: object) -> None:
    await asyncio.Event().wait()


def test_the_operator_adds_what_prometheus_says_and_asks_nothing_again_when_it_is_restarted(cluster: Cluster) -> None:
    release(cluster, metrics=[ERRORS, UNKNOWN])
    cluster.operate()
    await_true(lambda: warned(cluster).get("reason") == "FindingsInEvidence", "what Prometheus says")
    said = warned(cluster)
    assert said["message"].startswith("evidence: sales: no series in the last 10m: bought_total{")

    cluster.operators[0].end()
    until = judged_until(cluster)
    cluster.operators.append(cluster.stage.operator(cluster.release, first=nobody_looks))
    await_true(lambda: judged_until(cluster) > until, "the ticks that follow")
    assert warned(cluster) == said


def test_no_decision_waits_for_the_look_at_the_evidence(cluster: Cluster) -> None:
    release(cluster)
    cluster.operators.append(cluster.stage.operator(cluster.release, first=looks_hang))
    await_true(lambda: cluster.release.phase() == "Promoted", "the promotion")
    assert warned(cluster)["reason"] == "NothingFound"
