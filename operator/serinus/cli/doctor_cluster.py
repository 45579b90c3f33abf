"""What `serinus doctor` reads of the cluster: the objects that a rollout would meet, and what the operator may do."""

from collections.abc import Sequence
from typing import Any, cast

from serinus.api import CanaryDeploymentSpec
from serinus.cli.canaries import list_canaries
from serinus.cli.cluster import Cluster, ClusterError, NotFound, Unreachable
from serinus.doctor import (
    ISTIO,
    SERINUS,
    WORKED_WITH,
    Facts,
    Key,
    Kind,
    Right,
    Served,
    as_in_cluster,
    named_objects,
    rights_for,
)
from serinus.istio import canonical_host, delegates_of

Object = dict[str, Any]

_LOCAL = ".svc.cluster.local"
_ARGO = "argoproj.io/v1alpha1"
_CORE, _APPS = "v1", "apps/v1"
_VERSIONS: dict[Kind, str] = {
    "virtualservices": ISTIO,
    "destinationrules": ISTIO,
    "serviceentries": ISTIO,
    "workloadentries": ISTIO,
    "canarypolicies": SERINUS,
    "deployments": _APPS,
    "statefulsets": _APPS,
    "services": _CORE,
    "pods": _CORE,
}


def read_facts(cluster: Cluster, owner: Object, spec: CanaryDeploymentSpec, operator: Key) -> Facts:
    """What a rollout of `owner` would meet. `operator`: namespace and name of its service account.

    Raises ClusterError where the cluster cannot be asked, or whoever runs this may not read what the rollout names.
    """
    namespace, name = owner["metadata"]["namespace"], owner["metadata"]["name"]
    reader = _Reader(cluster, _served(cluster))
    canaries = reader.canaries(namespace)
    known = next((each for each in canaries if _place(each) == (namespace, name)), None)
    objects: dict[Kind, list[Object]] = {"canarydeployments": canaries}
    for kind, key in named_objects(owner):
        found = reader.named(cast("Kind", kind), key)
        objects.setdefault(cast("Kind", kind), []).extend(found)
    roots = list(objects.get("virtualservices", ()))
    for delegate in dict.fromkeys(key for root in roots for key in delegates_of(root)):
        objects["virtualservices"] += reader.named("virtualservices", delegate)
    objects |= reader.behind(canonical_host(spec.traffic.host, namespace), namespace)
    return Facts(
        owner=as_in_cluster(owner, known),
        objects=objects,
        served=reader.served,
        account="/".join(operator),
        refused=_refused(cluster, operator, namespace, rights_for(spec)),
        autoscalers=reader.if_allowed(f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"),
        applications=reader.if_allowed(f"/apis/{_ARGO}/applications")
        if reader.served.has(_ARGO, "applications")
        else (),
    )


class _Reader:
    """Reads objects of the resources that are served; of others there are none."""

    def __init__(self, cluster: Cluster, served: Served) -> None:
        self._cluster = cluster
        self.served = served

    def named(self, kind: Kind, key: Key) -> list[Object]:
        """The object, if there is one."""
        if not self._is_served(kind):
            return []
        try:
            return [dict(self._cluster.get(f"{_path(kind, key[0])}/{key[1]}"))]
        except NotFound:
            return []

    def behind(self, host: str, namespace: str) -> dict[Kind, list[Object]]:
        """The host's Service and its pods; where no Service selects any, the namespace's service entries."""
        service: list[Object] = []
        if host.endswith(_LOCAL):
            name, _, of = host.removesuffix(_LOCAL).partition(".")
            service = self.named("services", (of, name))
            if selector := service[0]["spec"].get("selector") if service else None:
                labels = ",".join(f"{name}={value}" for name, value in selector.items())
                return {"services": service, "pods": self._listed("pods", of, labelSelector=labels)}
        entries: tuple[Kind, ...] = ("serviceentries", "workloadentries")
        return {"services": service, **{kind: self._listed(kind, namespace) for kind in entries}}

    def canaries(self, namespace: str) -> list[Object]:
        """Those of all namespaces, any of which may move the same route; of this one for who may see no more."""
        if not self.served.has(SERINUS, "canarydeployments"):
            return []
        try:
            return [dict(each) for each in list_canaries(self._cluster, None)]
        except Unreachable:
            raise
        except ClusterError:
            return [dict(each) for each in list_canaries(self._cluster, namespace)]

    def if_allowed(self, path: str) -> list[Object]:
        """All objects at a path; none for who may not look there."""
        try:
            return [dict(each) for each in self._cluster.get(path)["items"]]
        except Unreachable:
            raise
        except ClusterError:
            return []

    def _listed(self, kind: Kind, namespace: str, **query: str) -> list[Object]:
        if not self._is_served(kind):
            return []
        return [dict(each) for each in self._cluster.get(_path(kind, namespace), **query)["items"]]

    def _is_served(self, kind: Kind) -> bool:
        version = _VERSIONS[kind]
        return version in (_CORE, _APPS) or self.served.has(version, kind)


def _served(cluster: Cluster) -> Served:
    """By discovery, for which everybody may ask whom the API server knows."""
    there = {version["groupVersion"] for group in cluster.get("/apis")["groups"] for version in group["versions"]}
    resources = {
        each: frozenset(one["name"] for one in cluster.get(f"/apis/{each}")["resources"])
        for each in (*WORKED_WITH, _ARGO)
        if each in there
    }
    return Served(str(cluster.get("/version").get("gitVersion", "")), resources)


def _refused(cluster: Cluster, operator: Key, namespace: str, rights: Sequence[Right]) -> Sequence[Right] | None:
    """Those of the rights that the operator lacks; None for who may not ask."""
    try:
        return [right for right in rights if not _is_allowed(cluster, operator, namespace, right)]
    except Unreachable:
        raise
    except ClusterError:
        return None


def _is_allowed(cluster: Cluster, operator: Key, namespace: str, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    asked = {"group": right.group, "resource": resource, "subresource": subresource, "verb": right.verb}
    spec = {
        "user": f"system:serviceaccount:{':'.join(operator)}",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{operator[0]}", "system:authenticated"],
        "resourceAttributes": {**asked, "namespace": namespace},
    }
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    answer = cluster.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def _path(kind: Kind, namespace: str) -> str:
    version = _VERSIONS[kind]
    return f"/{'api' if version == _CORE else 'apis'}/{version}/namespaces/{namespace}/{kind}"


def _place(found: Object) -> Key:
    return found["metadata"]["namespace"], found["metadata"]["name"]
