"""Deployments, StatefulSets and their pods' restarts: what the watch keeps of them, and what a rollout reads."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from serinus.api import Workloads
from serinus.controller.cache import Cache, Kind, Object
from serinus.controller.labels import carries
from serinus.rollout import Restart, Workload
from serinus.rollout.plan import canonical

Side = Literal["stable", "canary"]

_KINDS: dict[str, Kind] = {"Deployment": "deployments", "StatefulSet": "statefulsets"}
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"  # `kubectl rollout restart` writes it: no other version
_HASH = 12  # hexadecimal digits
_IMAGES, _IMAGE = 5, 200  # images on record, and characters of each: a status has 16 KB in all


def slim_workload(workload: Object) -> Object:
    """A Deployment or StatefulSet with what `read_workload` reads: the template as its hash and its images."""
    metadata, spec, status = workload["metadata"], workload["spec"], workload.get("status") or {}
    template = spec["template"]
    containers = template.get("spec", {}).get("containers") or []
    return {
        "metadata": {name: metadata[name] for name in ("namespace", "name", "uid", "resourceVersion")},
        "template": _template_hash(template),
        "images": tuple(str(each.get("image", ""))[:_IMAGE] for each in containers[:_IMAGES]),
        "selector": (spec.get("selector") or {}).get("matchLabels") or {},
        "wanted": spec.get("replicas", 1),
        "ready": status.get("readyReplicas", 0),
        "updated": status.get("updatedReplicas", 0),
        "replicas": status.get("replicas", 0),
        "observed": status.get("observedGeneration", 0) >= metadata.get("generation", 0),
    }


def template_of(workloads: Workloads | None, namespace: str, cache: Cache) -> str | None:
    """Hash of the pod template of the canary's workload; None where none is named or it is not there."""
    found = _find(workloads, "canary", namespace, cache)
    return None if found is None else str(found["template"])


def read_workload(workloads: Workloads | None, side: Side, namespace: str, cache: Cache) -> Workload | None:
    """An arm's workload as it is now; None where none is named or it is not there."""
    found = _find(workloads, side, namespace, cache)
    if found is None:
        return None
    wanted = found["wanted"]
    return Workload(
        template=found["template"],
        images=found["images"],
        wanted=wanted,
        ready=found["ready"],
        rolled_out=found["observed"] and found["updated"] == found["replicas"] == found["ready"] == wanted,
        restarts=tuple(_restarts(found["selector"], namespace, cache)),
    )


def last_restart(pod: Object) -> Object | None:
    """The last restart of a pod's containers, as the watch keeps it; None where there was none."""
    ended = [
        {"container": each.get("name", ""), "reason": told.get("reason", "Unknown"), "at": told["finishedAt"]}
        for each in pod.get("status", {}).get("containerStatuses") or []
        if (told := (each.get("lastState") or {}).get("terminated")) and told.get("finishedAt")
    ]
    return max(ended, key=lambda each: str(each["at"]), default=None)


def _find(workloads: Workloads | None, side: Side, namespace: str, cache: Cache) -> Object | None:
    if workloads is None:
        return None
    named = workloads.stable if side == "stable" else workloads.canary
    return cache.get(_KINDS[named.kind], (namespace, named.name))


def _restarts(selector: Mapping[str, str], namespace: str, cache: Cache) -> Iterator[Restart]:
    for pod in cache.of_namespace("pods", namespace):
        told = pod["restart"]
        if told is not None and carries(pod, selector):
            yield Restart(
                pod["metadata"]["name"], told["container"], told["reason"], datetime.fromisoformat(told["at"])
            )


def _template_hash(template: Mapping[str, Any]) -> str:
    metadata = dict(template.get("metadata") or {})
    told = metadata.pop("annotations", None) or {}
    annotations = {name: value for name, value in told.items() if name != _RESTARTED_AT}
    known = {"metadata": {**metadata, "annotations": annotations}, "spec": template.get("spec")}
    return hashlib.sha256(canonical(known)).hexdigest()[:_HASH]
