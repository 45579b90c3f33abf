"""How many ready endpoints an arm has: pods behind a Service, or workload entries behind a service entry."""

from collections.abc import Iterator, Mapping

from serinus.controller.cache import Cache, Kind, Object
from serinus.istio import canonical_host

_LOCAL = ".svc.cluster.local"


def ready_endpoints(host: str, namespace: str, labels: Mapping[str, str] | None, cache: Cache) -> int | None:
    """Ready endpoints of `host` with the labels of an arm's subset; None where nobody can tell.

    `namespace`: where a short host is read. Only what is known to have no endpoint counts as none: a host without a
    selector, or one that is no service of this cluster, is None.
    """
    if labels is None:
        return None
    found = next(_selectors(canonical_host(host, namespace), cache), None)
    if found is None:
        return None
    kind, place, selector = found
    wanted = {**selector, **labels}
    return sum(_is_ready(each) and _carries(each, wanted) for each in cache.of_namespace(kind, place))


def slim_pod(pod: Object) -> Object:
    """A pod without what `ready_endpoints` does not read: there are many, and they are large."""
    metadata = {name: pod["metadata"][name] for name in ("namespace", "name", "uid", "resourceVersion")}
    metadata["labels"] = pod["metadata"].get("labels", {})
    leaving = "deletionTimestamp" in pod["metadata"]
    told = [each for each in pod.get("status", {}).get("conditions") or [] if each.get("type") == "Ready"]
    return {"metadata": metadata, "status": {"conditions": [] if leaving else told}}


def _selectors(host: str, cache: Cache) -> Iterator[tuple[Kind, str, dict[str, str]]]:
    """What stands behind the host: the kind of its endpoints, their namespace, and the labels that they have."""
    if host.endswith(_LOCAL):
        name, _, namespace = host.removesuffix(_LOCAL).partition(".")
        service = cache.get("services", (namespace, name)) or {}
        if selector := service.get("spec", {}).get("selector"):
            yield "pods", namespace, selector
    for key in cache.keys("serviceentries"):
        entry = (cache.get("serviceentries", key) or {}).get("spec", {})
        if host in (entry.get("hosts") or []) and (selector := (entry.get("workloadSelector") or {}).get("labels")):
            yield "workloadentries", key[0], selector


def _is_ready(endpoint: Object) -> bool:
    """Of a workload entry without a health check nobody says otherwise; a pod has to say so itself."""
    told = {str(each.get("type")): each.get("status") for each in endpoint.get("status", {}).get("conditions") or []}
    if "spec" in endpoint:
        return bool(told.get("Healthy", "True") == "True")
    return bool(told.get("Ready") == "True")


def _carries(endpoint: Object, wanted: Mapping[str, str]) -> bool:
    labels = endpoint["spec"].get("labels", {}) if "spec" in endpoint else endpoint["metadata"]["labels"]
    return all(labels.get(name) == value for name, value in wanted.items())
