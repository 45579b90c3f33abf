"""Watches what the operator does to the cluster, and notes when each change was seen."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes.config
import kubernetes.watch
from kubernetes.client import ApiClient, ApiException, Configuration, CustomObjectsApi
from urllib3.exceptions import HTTPError

from serinus.api.status import CanaryDeploymentStatus

# Both are without annotations.
_load: Any = kubernetes.config.load_kube_config
_Stream: Any = kubernetes.watch.Watch


@dataclass(frozen=True)
class WeightSeen:
    """The canary's weight in a VirtualService, from `time` (seconds since the epoch) on."""

    time: float
    canary: int


@dataclass(frozen=True)
class StateSeen:
    """A CanaryDeployment as it was at `time` (seconds since the epoch)."""

    time: float
    canary: str
    """The version that its spec calls the canary."""
    status: CanaryDeploymentStatus


@dataclass(frozen=True)
class Sightings:
    """All that was seen of one service, oldest first."""

    weights: tuple[WeightSeen, ...] = ()
    states: tuple[StateSeen, ...] = ()


def weight_of(time: float, virtual_service: Mapping[str, Any]) -> WeightSeen:
    """What a VirtualService of the lab, which has one route, gives to the subset `canary`."""
    (http,) = virtual_service["spec"]["http"]
    weights = {split["destination"]["subset"]: split.get("weight", 0) for split in http["route"]}
    return WeightSeen(time, weights.get("canary", 0))


def state_of(time: float, canary_deployment: Mapping[str, Any]) -> StateSeen:
    """What a CanaryDeployment of the lab says."""
    status = CanaryDeploymentStatus.model_validate(canary_deployment.get("status", {}))
    return StateSeen(time, canary_deployment["spec"]["canary"]["labels"]["version"], status)


class Watch:
    """Collects the sightings of every service in a namespace while it is open."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        configuration = Configuration()
        _load(str(kubeconfig), client_configuration=configuration)
        configuration.proxy = None  # whatever the environment says: the lab is on this machine
        self._api = CustomObjectsApi(ApiClient(configuration))
        self._namespace = namespace
        self._sightings: dict[str, Sightings] = {}
        self._changed = threading.Condition()
        self._streams = (_Stream(), _Stream())
        self._closed = False

    def __enter__(self) -> "Watch":
        for follow, stream in zip((self._follow_states, self._follow_weights), self._streams, strict=True):
            threading.Thread(target=self._keep_up, args=[follow, stream], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for stream in self._streams:
            stream.stop()

    def sightings(self, service: str) -> Sightings:
        """What was seen of a service so far."""
        with self._changed:
            return self._sightings.get(service, Sightings())

    def after(self, seen: Sightings, service: str, seconds: float) -> Sightings:
        """Wait until more was seen of the service than `seen`, at most for `seconds`; what was seen then."""
        with self._changed:
            self._changed.wait_for(lambda: self._sightings.get(service, Sightings()) != seen, timeout=seconds)
            return self._sightings.get(service, Sightings())

    def _keep_up(self, follow: Callable[[Any], None], stream: Any) -> None:
        while not self._closed:
            try:
                follow(stream)
            except (ApiException, HTTPError):
                # The server is away for a moment, or for good because the lab goes down.
                time.sleep(0.2)

    def _follow_states(self, stream: Any) -> None:
        for manifest in self._manifests(stream, "serinus.io", "v1alpha1", "canarydeployments"):
            self._note(manifest, states=(state_of(time.time(), manifest),))

    def _follow_weights(self, stream: Any) -> None:
        for manifest in self._manifests(stream, "networking.istio.io", "v1", "virtualservices"):
            self._note(manifest, weights=(weight_of(time.time(), manifest),))

    def _manifests(self, stream: Any, group: str, version: str, plural: str) -> Iterator[Mapping[str, Any]]:
        """Every object of a kind as it is, and again as often as it changes."""
        listing = self._api.list_namespaced_custom_object
        for event in stream.stream(listing, group, version, self._namespace, plural):
            if event["type"] != "DELETED":
                yield event["object"]

    def _note(
        self,
        manifest: Mapping[str, Any],
        weights: tuple[WeightSeen, ...] = (),
        states: tuple[StateSeen, ...] = (),
    ) -> None:
        service = manifest["metadata"]["name"]
        with self._changed:
            before = self._sightings.get(service, Sightings())
            self._sightings[service] = Sightings(before.weights + weights, before.states + states)
            self._changed.notify_all()
