"""CanaryDeployments and their overrides at the API server: found, listed, followed, created."""

import math
import time
from collections.abc import Iterator
from typing import Any

from serinus.cli.cluster import Cluster, Expired, NotFound, Unreachable
from serinus.cli.cluster.connection import Object
from serinus.cli.inputs import InputError
from serinus.cli.nearest import did_you_mean

_GROUP = "/apis/serinus.io/v1alpha1"
_PAGE = "500"  # objects in one answer, as kubectl asks for them
_WATCH = 30.0  # seconds until a watch is begun anew: one that fell silent is noticed
_AWAY, _PAUSE = 60.0, 1.0  # seconds: how long an API server may be away while it is watched, and between two tries


def find_canary(cluster: Cluster, namespace: str, name: str) -> Object:
    """The CanaryDeployment. Raises InputError with the nearest names where there is none."""
    try:
        return cluster.get(f"{_place(namespace, 'canarydeployments')}/{name}")
    except NotFound as error:
        names = [each["metadata"]["name"] for each in list_canaries(cluster, namespace)]
        told = f"there is no CanaryDeployment {name!r} in the namespace {namespace}"
        raise InputError(told + did_you_mean(name, names)) from error


def list_canaries(cluster: Cluster, namespace: str | None) -> list[Object]:
    """Those of a namespace, by name; of all namespaces where it is None, by namespace and name."""
    found: list[Object] = []
    more: dict[str, str] = {}
    while True:
        page = cluster.get(_place(namespace, "canarydeployments"), limit=_PAGE, **more)
        found += page["items"]
        if not (token := page["metadata"].get("continue")):
            return found
        more = {"continue": token}


def follow_canary(cluster: Cluster, namespace: str, name: str, deadline: float = math.inf) -> Iterator[Object | None]:
    """The CanaryDeployment now, then after each change, and None when it has been deleted.

    At least every half minute, and at the deadline (by the monotonic clock), the latest comes again, so that whoever
    waits can look at the clock. An API server that is away for a minute ends it with Unreachable.
    """
    yield find_canary(cluster, namespace, name)
    yield from _follow(cluster, _place(namespace, "canarydeployments"), name, deadline)


def create_override(cluster: Cluster, namespace: str, spec: dict[str, Any]) -> Object:
    """Create a CanaryOverride with a name of its own; the object as it is then."""
    manifest = {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryOverride",
        "metadata": {"generateName": f"{spec['target'][:200]}-"},
        "spec": spec,
    }
    return cluster.create(_place(namespace, "canaryoverrides"), manifest)


def follow_override(cluster: Cluster, namespace: str, name: str, deadline: float) -> Iterator[Object | None]:
    """The CanaryOverride, as follow_canary has it."""
    return _follow(cluster, _place(namespace, "canaryoverrides"), name, deadline)


def who_am_i(cluster: Cluster) -> str:
    """The user as the API server knows him: the only name with which an override is accepted."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = cluster.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
    return str(answer["status"]["userInfo"]["username"])


def _place(namespace: str | None, plural: str) -> str:
    return f"{_GROUP}/{plural}" if namespace is None else f"{_GROUP}/namespaces/{namespace}/{plural}"


def _follow(cluster: Cluster, path: str, name: str, deadline: float) -> Iterator[Object | None]:
    """List and watch in turns: what a watch has missed, the next list shows."""
    last_seen = time.monotonic()
    while True:
        try:
            listed = cluster.get(path, fieldSelector=f"metadata.name={name}")
            last_seen = time.monotonic()
            yield next(iter(listed["items"]), None)
            version = listed["metadata"]["resourceVersion"]
            seconds = round(max(1.0, min(_WATCH, deadline - time.monotonic())))
            for kind, changed in cluster.watch(path, version, seconds, fieldSelector=f"metadata.name={name}"):
                yield None if kind == "DELETED" else changed
            last_seen = time.monotonic()
        except Expired:
            continue
        except Unreachable:
            if time.monotonic() - last_seen > _AWAY:
                raise
            time.sleep(_PAUSE)
