"""What stands behind a host: pods behind a Service, or workload entries behind a service entry."""

from collections.abc import Mapping
from dataclasses import dataclass

from serinus.controller.cache import Cache, Kind, Object
from serinus.istio import canonical_host

_LOCAL = ".svc.cluster.local"


@dataclass(frozen=True, slots=True)
class Backend:
    """The kind of a host's endpoints, their namespace and labels, and the host's ports as its object has them."""

    kind: Kind
    namespace: str
    selector: Mapping[str, str]
    ports: tuple[Object, ...]

    def ready(self, labels: Mapping[str, str], cache: Cache) -> list[Object]:
        """Its ready endpoints with these labels besides."""
        found = cache.selected(self.kind, self.namespace, {**self.selector, **labels})
        return [each for each in found if _is_ready(each)]


def backend_of(host: str, namespace: str, cache: Cache) -> Backend | None:
    """What stands behind `host`, which a short name is read as in `namespace`; None where nobody can tell."""
    host = canonical_host(host, namespace)
    if host.endswith(_LOCAL):
        name, _, namespace = host.removesuffix(_LOCAL).partition(".")
        service = (cache.get("services", (namespace, name)) or {}).get("spec", {})
        if selector := service.get("selector"):
            return Backend("pods", namespace, selector, tuple(service.get("ports") or ()))
    for key in cache.keys("serviceentries"):
        entry = (cache.get("serviceentries", key) or {}).get("spec", {})
        if host in (entry.get("hosts") or []) and (selector := (entry.get("workloadSelector") or {}).get("labels")):
            return Backend("workloadentries", key[0], selector, tuple(entry.get("ports") or ()))
    return None


def _is_ready(endpoint: Object) -> bool:
    """Of a workload entry without a health check nobody says otherwise; a pod has to say so itself."""
    told = {str(each.get("type")): each.get("status") for each in endpoint.get("status", {}).get("conditions") or []}
    if "spec" in endpoint:
        return bool(told.get("Healthy", "True") == "True")
    return bool(told.get("Ready") == "True")
