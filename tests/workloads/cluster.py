"""Releases whose arms are Deployments, on the real API server; no kubelet runs, so the tests write their statuses."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from kubernetes import client

from tests.crash.cluster import Release
from tests.crash.conftest import Stage
from tests.crash.operators import Operator

NAMED = {arm: {"kind": "Deployment", "name": f"app-{version}"} for arm, version in (("stable", "v1"), ("canary", "v2"))}


@dataclass
class Cluster:
    """One release with its two Deployments and their pods."""

    stage: Stage
    release: Release
    operators: list[Operator] = field(default_factory=list)

    @property
    def status(self) -> dict[str, Any]:
        """The CanaryDeployment's."""
        return dict(self.release.canary().get("status", {}))

    @property
    def reason(self) -> str:
        """What the rollout waits for."""
        return str(self.status.get("verdict", {}).get("reason", ""))

    def operate(self) -> None:
        """Start the operator."""
        self.operators.append(self.stage.operator(self.release))

    def deploy(self, version: str, *, replicas: int, ready: int) -> None:
        """Create a Deployment with so many replicas, of which some are ready."""
        labels = {"app": "app", "version": version}
        spec = {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "app", "image": f"app:{version}"}]},
            },
        }
        body = {"metadata": {"name": f"app-{version}"}, "spec": spec}
        self._apps.create_namespaced_deployment(self.release.namespace, body)
        self.report(version, replicas=replicas, ready=ready)

    def change(self, version: str, image: str) -> None:
        """Another image in the Deployment's pod template; its status says that all replicas have it."""
        container = {"name": "app", "image": image}
        patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
        found = self._apps.patch_namespaced_deployment(f"app-{version}", self.release.namespace, patch)
        self.report(version, replicas=found.spec.replicas, ready=found.status.ready_replicas)

    def report(self, version: str, *, replicas: int, ready: int) -> None:
        """Write the status as the controller of Deployments would, with that many replicas wanted."""
        name, namespace = f"app-{version}", self.release.namespace
        found = self._apps.patch_namespaced_deployment(name, namespace, {"spec": {"replicas": replicas}})
        status = {
            "observedGeneration": found.metadata.generation,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": ready,
        }
        self._apps.patch_namespaced_deployment_status(name, namespace, {"status": status})

    def restart_pod(self, version: str, reason: str, at: str) -> None:
        """A pod of the version's with a container that ended at that time, and runs again."""
        namespace, name = self.release.namespace, f"app-{version}-a"
        spec = {"containers": [{"name": "app", "image": f"app:{version}"}], "automountServiceAccountToken": False}
        metadata = {"name": name, "labels": {"app": "app", "version": version}}
        self._core.create_namespaced_pod(namespace, {"metadata": metadata, "spec": spec})
        ended = {"exitCode": 137, "reason": reason, "finishedAt": at}
        container = {
            "name": "app",
            "image": f"app:{version}",
            "imageID": "",
            "ready": True,
            "restartCount": 1,
            "lastState": {"terminated": ended},
        }
        status = {"status": {"containerStatuses": [container]}}
        self._core.patch_namespaced_pod_status(name, namespace, status)

    @property
    def _apps(self) -> client.AppsV1Api:
        return client.AppsV1Api(self.stage.api)

    @property
    def _core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self.stage.api)


@pytest.fixture
def cluster(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    release = Release(stage.api, request.node.name.split("[")[0].replace("_", "-").lower()[:40].strip("-"))
    stage.traffic.add(release.host, good=True)
    cluster = Cluster(stage, release)
    yield cluster
    for operator in cluster.operators:
        operator.end()
    log = stage.log(release).read_text(errors="replace") if cluster.operators else ""
    assert "Traceback" not in log, log
    assert "refused" not in log, "the shipped RBAC lacks something: " + log
