"""The objects of one release in a namespace of its own, and what must be true of them at the end."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config

from serinus.istio import DECISION_ANNOTATION

ISTIO = ("networking.istio.io", "v1")
SERINUS = ("serinus.io", "v1alpha1")


@dataclass(frozen=True)
class Release:
    """v1 → v2 of the service `app` over 50/100, in `namespace`."""

    api: client.ApiClient
    namespace: str

    @property
    def host(self) -> str:
        """The service as its metrics name it."""
        return f"app.{self.namespace}.svc.cluster.local"

    def create(self, **spec: Any) -> None:
        """The namespace with a route, its subsets and the CanaryDeployment, whose spec is changed as told."""
        client.CoreV1Api(self.api).create_namespace({"metadata": {"name": self.namespace}})
        subsets = [
            {"name": arm, "labels": {"version": version}} for arm, version in (("stable", "v1"), ("canary", "v2"))
        ]
        self._create(ISTIO, "DestinationRule", {"host": self.host, "subsets": subsets})
        self.create_service(0)
        self._create(SERINUS, "CanaryDeployment", self._spec() | spec)

    def create_service(self, weight: int) -> None:
        """The VirtualService, with this percentage for the canary."""
        http = [{"name": "primary", "route": self._split(weight)}]
        self._create(ISTIO, "VirtualService", {"hosts": [self.host], "http": http})

    def canary(self) -> dict[str, Any]:
        """The CanaryDeployment; empty once it is gone."""
        return self._get(SERINUS, "canarydeployments")

    def service(self) -> dict[str, Any]:
        """The VirtualService."""
        return self._get(ISTIO, "virtualservices")

    def rule(self) -> dict[str, Any]:
        """The DestinationRule."""
        return self._get(ISTIO, "destinationrules")

    def events(self) -> set[str]:
        """The reasons of the Events in its namespace."""
        found = client.EventsV1Api(self.api).list_namespaced_event(self.namespace).items
        return {event.reason for event in found}

    def traffic(self) -> dict[str, Any]:
        """What its spec says of the traffic."""
        return {"host": self.host, "virtualServices": [{"name": "app"}], "destinationRule": "app"}

    def phase(self) -> str:
        """Where the rollout stands."""
        return str(self.canary().get("status", {}).get("phase", ""))

    def weight(self) -> int:
        """The canary's percentage on the mesh."""
        return int(self.service()["spec"]["http"][0]["route"][1].get("weight", 0))

    def edit(self, spec: dict[str, Any]) -> None:
        """Merge into the CanaryDeployment's spec."""
        self.merge("canarydeployments", {"spec": spec})

    def spec(self) -> dict[str, Any]:
        """The CanaryDeployment's spec."""
        return dict(self.canary()["spec"])

    def respecify(self, spec: dict[str, Any]) -> None:
        """Replace the CanaryDeployment's spec. Raises ApiException where the API server refuses that."""
        self._objects().patch_namespaced_custom_object(
            *SERINUS,
            self.namespace,
            "canarydeployments",
            "app",
            [{"op": "replace", "path": "/spec", "value": spec}],
            _content_type="application/json-patch+json",
        )

    def order(self, action: str) -> None:
        """An override of the rollout under way."""
        rollout = self.canary()["status"]["rollout"]["id"]
        spec = {
            "target": "app",
            "rollout": rollout,
            "action": action,
            "reason": "checkout was looked at by hand",
            "requestedBy": "admin",
        }
        self._create(SERINUS, "CanaryOverride", spec)

    def answer(self) -> str:
        """What came of the override: Applied or Refused; empty while nothing has."""
        return str(self._get(SERINUS, "canaryoverrides").get("status", {}).get("outcome", ""))

    def weigh(self, weight: int, *others: dict[str, Any]) -> None:
        """Somebody else gives the canary this percentage, and adds other destinations."""
        self.merge(
            "virtualservices", {"spec": {"http": [{"name": "primary", "route": [*self._split(weight), *others]}]}}
        )

    def merge(self, plural: str, part: dict[str, Any]) -> None:
        """Merge into an object."""
        self._objects().patch_namespaced_custom_object(
            *_version(plural), self.namespace, plural, "app", part, _content_type="application/merge-patch+json"
        )

    def delete(self, plural: str = "canarydeployments") -> None:
        """Delete an object; the CanaryDeployment goes when its finalizer does."""
        self._objects().delete_namespaced_custom_object(*_version(plural), self.namespace, plural, "app")

    def replace_service(self, weight: int) -> None:
        """Delete the VirtualService and create it again."""
        self.delete("virtualservices")
        self.create_service(weight)

    def recreate(self, spec: dict[str, Any]) -> None:
        """Delete the CanaryDeployment by force, as if it had no finalizer, and create it again."""
        self.delete()
        self.merge("canarydeployments", {"metadata": {"finalizers": []}})
        self._create(SERINUS, "CanaryDeployment", self._spec() | spec)

    def _spec(self) -> dict[str, Any]:
        return {
            "stable": {"subset": "stable", "labels": {"version": "v1"}},
            "canary": {"subset": "canary", "labels": {"version": "v2"}},
            "traffic": self.traffic(),
            "ladder": [{"weight": 50, "window": "1s"}, {"weight": 100, "window": "0s"}],
            "interval": "1s",
            "reportEvery": "1s",
        }

    def _split(self, weight: int) -> list[dict[str, Any]]:
        return [
            {"destination": {"host": self.host, "subset": arm}, "weight": percent}
            for arm, percent in (("stable", 100 - weight), ("canary", weight))
        ]

    def _create(self, version: tuple[str, str], kind: str, spec: dict[str, Any]) -> None:
        body = {"apiVersion": "/".join(version), "kind": kind, "metadata": {"name": "app"}, "spec": spec}
        self._objects().create_namespaced_custom_object(*version, self.namespace, f"{kind.lower()}s", body)

    def _get(self, version: tuple[str, str], plural: str) -> dict[str, Any]:
        try:
            found = self._objects().get_namespaced_custom_object(*version, self.namespace, plural, "app")
        except client.ApiException as error:
            if error.status == 404:
                return {}
            raise
        return dict(found)

    def _objects(self) -> client.CustomObjectsApi:
        return client.CustomObjectsApi(self.api)


def _version(plural: str) -> tuple[str, str]:
    return SERINUS if plural == "canarydeployments" else ISTIO


def administrator(kubeconfig: Path) -> client.ApiClient:
    """A client of the API server that may do everything."""
    return config.new_client_from_config(str(kubeconfig))


def behind(kubeconfig: Path, proxy: str, path: Path) -> Path:
    """The kubeconfig of one who reaches the same API server through a proxy."""
    told = yaml.safe_load(kubeconfig.read_text())
    for cluster in told["clusters"]:
        cluster["cluster"] = {"server": proxy}
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(told))
    return path


def records(log: Path) -> list[dict[str, Any]]:
    """The records that operators printed, in their order."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    parsed = [json.loads(line) for line in lines if line.startswith('{"') and line.endswith("}")]
    return [line for line in parsed if line.get("serinus") == "record"]


def agree(release: Release, log: Path) -> None:
    """I4: weights, status and history agree, no step was skipped, none was taken twice, and the log tells the same."""
    status, service = release.canary()["status"], release.service()
    rollout, history = status["rollout"], status["history"]
    assert release.weight() == status["weight"]
    assert service["metadata"]["annotations"][DECISION_ANNOTATION] == rollout["decision"] == rollout["observed"]
    assert rollout["lastHash"] == history[-1]["hash"]
    assert len({entry["id"] for entry in history}) == len(history)
    for before, after in pairwise(history):
        assert before["weightAfter"] == after["weightBefore"], history
    by_hash = {entry["hash"]: entry for entry in history}
    printed = records(log)
    for record in printed:
        assert record["hash"] in by_hash, f"a record was printed that never was: {record['id']} {record['verdict']}"
    decided = [
        (entry["id"].rpartition("/")[0], entry["verdict"])
        for entry in history
        if entry["verdict"] in ("start", "promote", "promoted", "rollback")
    ]
    assert len(set(decided)) == len(decided), f"taken twice: {decided}"


def steps(release: Release) -> list[tuple[str, int]]:
    """The decisions on record, with the weight that each asked for; holds say nothing."""
    history = release.canary()["status"]["history"]
    return [(entry["verdict"], entry["weightAfter"]) for entry in history if entry["verdict"] != "hold"]
