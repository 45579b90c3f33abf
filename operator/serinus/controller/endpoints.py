"""How many ready endpoints an arm has, and which of its pods are young."""

from collections.abc import Mapping
from datetime import datetime

from serinus.controller.backends import backend_of
from serinus.controller.cache import Cache, Object
from serinus.controller.workloads import last_restart


def ready_endpoints(host: str, namespace: str, labels: Mapping[str, str] | None, cache: Cache) -> int | None:
    """Ready endpoints of `host` with the labels of an arm's subset; None where nobody can tell.

    `namespace`: where a short host is read. Only what is known to have no endpoint counts as none: a host without a
    selector, or one that is no service of this cluster, is None.
    """
    backend = backend_of(host, namespace, cache)
    return None if backend is None or labels is None else len(backend.ready(labels, cache))


def young_pods(
    host: str, namespace: str, labels: Mapping[str, str] | None, cache: Cache, since: datetime
) -> tuple[str, ...]:
    """Addresses of the arm's pods that became ready after `since`; of workload entries nobody knows when they did."""
    backend = backend_of(host, namespace, cache)
    if backend is None or labels is None or backend.kind != "pods":
        return ()
    ready = ((_ready_since(pod), pod["address"]) for pod in backend.ready(labels, cache))
    return tuple(sorted(address for at, address in ready if at is not None and at > since and address))


def slim_pod(pod: Object) -> Object:
    """A pod with no more than what is read of it: there are many, and they are large."""
    metadata = {name: pod["metadata"][name] for name in ("namespace", "name", "uid", "resourceVersion")}
    metadata["labels"] = pod["metadata"].get("labels", {})
    leaving = "deletionTimestamp" in pod["metadata"]
    status = pod.get("status", {})
    told = [each for each in status.get("conditions") or [] if each.get("type") == "Ready"]
    ports = (port for each in pod.get("spec", {}).get("containers") or [] for port in each.get("ports") or [])
    return {
        "metadata": metadata,
        "address": status.get("podIP", ""),
        "ports": {port["name"]: port["containerPort"] for port in ports if "name" in port},
        "restart": last_restart(pod),
        "status": {"conditions": [] if leaving else told},
    }


def _ready_since(pod: Object) -> datetime | None:
    told = [each.get("lastTransitionTime") for each in pod["status"]["conditions"]]
    return datetime.fromisoformat(told[0]) if told and told[0] else None
