"""What the operator itself looks at when a rollout is about to meet its first user: all that needs no question."""

from collections.abc import Iterator

from serinus.controller.cache import Cache, Object
from serinus.doctor.endpoints import check_endpoints, check_workloads
from serinus.doctor.finding import Finding
from serinus.doctor.mesh import read_mesh, written_by
from serinus.doctor.owners import check_owners
from serinus.doctor.policy import check_policy
from serinus.rollout import Plan

_WAITED_FOR = frozenset({"endpoints", "workloads"})
"""Checks whose errors the rollout waits for: its verdict says so for as long as they last."""


def look_at_beginning(owner: Object, plan: Plan, world: Cache) -> tuple[str, ...]:
    """What should be known of it, a line each, by what the operator has read anyway.

    What stalls a rollout is not among it, nor what it waits for.
    """
    return tuple(f"{each.check}: {each.what}" for each in _checked(owner, plan, world) if _is_told_here(each))


def _checked(owner: Object, plan: Plan, world: Cache) -> Iterator[Finding]:
    namespace = owner["metadata"]["namespace"]
    yield from check_policy(plan)
    mesh = read_mesh(plan, namespace, world)
    if isinstance(mesh, Finding):
        return
    yield from check_endpoints(plan, mesh.live, namespace, world)
    yield from check_workloads(plan, mesh.live, namespace, ())
    yield from check_owners(written_by(plan, mesh, namespace, world), ())


def _is_told_here(finding: Finding) -> bool:
    return finding.level == "warning" or (finding.level == "error" and finding.check not in _WAITED_FOR)
