"""All checks in their order: what cannot be read ends those that need it, and no others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from serinus.controller.cache import Cache, Kind, Object
from serinus.controller.endpoints import slim_pod
from serinus.controller.gather import Manifest, read_arms, read_manifest
from serinus.controller.workloads import slim_workload
from serinus.doctor.endpoints import check_endpoints, check_workloads
from serinus.doctor.evidence import Look, check_answers, check_guard, check_histograms, check_traffic
from serinus.doctor.finding import Finding
from serinus.doctor.mesh import check_mesh, read_mesh, written_by
from serinus.doctor.obstacles import attempt
from serinus.doctor.owners import check_owners
from serinus.doctor.policy import check_policy
from serinus.doctor.rights import Right, check_rights
from serinus.doctor.served import Served, check_served
from serinus.metrics import Arms
from serinus.rollout import Plan

_SLIM = {"pods": slim_pod, "deployments": slim_workload, "statefulsets": slim_workload}
_AS_NEW = {"uid": "", "generation": 0, "resourceVersion": "0", "creationTimestamp": "9999-12-31T23:59:59Z"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read of the cluster.

    `owner`: the CanaryDeployment as the file has it, with what the API server knows of one of its name. `objects`: by
    kind, as the API server has them. `account`: the operator's; `refused`: see check_rights.
    """

    owner: Object
    objects: Mapping[Kind, Sequence[Object]]
    served: Served
    account: str
    refused: Sequence[Right] | None
    autoscalers: Sequence[Object] = ()
    applications: Sequence[Object] = ()

    @property
    def namespace(self) -> str:
        """The CanaryDeployment's."""
        return str(self.owner["metadata"]["namespace"])

    def world(self) -> Cache:
        """The objects as the operator keeps them."""
        world = Cache()
        for kind, found in self.objects.items():
            for each in found:
                world.put(kind, _SLIM.get(kind, dict)(each))
        return world


def as_in_cluster(owner: Object, known: Object | None) -> Object:
    """The CanaryDeployment of a file as the operator would see it; one that is not there yet is the youngest."""
    metadata = {**_AS_NEW, **(known or {}).get("metadata", {}), **owner["metadata"]}
    return {**owner, "metadata": metadata, "status": (known or {}).get("status") or {}}


def read_plan(facts: Facts) -> Manifest | Finding:
    """What the manifest asks for, with its policy; or why its policy cannot be had."""
    return attempt(lambda: read_manifest(facts.owner, facts.world(), None))


def arms_of(facts: Facts, plan: Plan, reporter: str, fence: str | None) -> Arms | Finding:
    """Whose series are whose; or why that cannot be told."""
    mesh = read_mesh(plan, facts.namespace, facts.world())
    if isinstance(mesh, Finding):
        return mesh
    return attempt(lambda: read_arms(plan, facts.namespace, mesh.live, reporter, fence))


def examine_cluster(facts: Facts) -> Iterator[Finding]:
    """All but what Prometheus says."""
    yield from check_served(facts.served)
    yield from check_rights(facts.account, facts.namespace, facts.refused)
    manifest = read_plan(facts)
    if isinstance(manifest, Finding):
        yield manifest
        return
    plan, world = manifest.plan, facts.world()
    yield from check_policy(plan)
    mesh = read_mesh(plan, facts.namespace, world)
    if isinstance(mesh, Finding):
        yield mesh
        return
    yield from check_mesh(facts.owner, plan, mesh, world)
    yield from check_endpoints(plan, mesh.live, facts.namespace, world)
    yield from check_workloads(plan, mesh.live, facts.namespace, facts.autoscalers)
    yield from check_owners(written_by(plan, mesh, facts.namespace, world), facts.applications)


def examine_evidence(plan: Plan, look: Look) -> Iterator[Finding]:
    """What Prometheus says."""
    yield from check_answers(look)
    yield from check_histograms(plan, look)
    yield from check_traffic(plan, look)
    yield from check_guard(plan, look)
