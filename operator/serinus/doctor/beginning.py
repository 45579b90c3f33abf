"""What the operator itself says of a rollout that is about to meet its first user."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from serinus.controller.beginning import Looks
from serinus.controller.cache import Cache, Object
from serinus.doctor.asking import look_at
from serinus.doctor.endpoints import check_endpoints, check_workloads
from serinus.doctor.evidence import Answer, Look
from serinus.doctor.examination import examine_evidence
from serinus.doctor.finding import Finding
from serinus.doctor.mesh import read_mesh, written_by
from serinus.doctor.owners import check_owners
from serinus.doctor.policy import check_policy
from serinus.judge import Missing
from serinus.metrics import Inquiry, Prometheus
from serinus.rollout import Plan

_WAITED_FOR = frozenset({"endpoints", "workloads"})
"""Checks whose errors the rollout waits for: its verdict says so for as long as they last."""

_MOMENTARY = frozenset({Missing.RESET, Missing.PARTIAL})
"""What ten minutes have wherever a pod came or restarted, and what lasts a tick: the rollout's ticks tell it."""


def look_at_cluster(owner: Object, plan: Plan, world: Cache) -> tuple[str, ...]:
    """What should be known of it, a line each, by what the operator has read anyway.

    What stalls a rollout is not among it, nor what it waits for.
    """
    return tuple(map(_line, filter(_is_told_here, _checked(owner, plan, world))))


async def look_at_evidence(plan: Plan, asked: Sequence[Inquiry], prometheus: Prometheus, end: float) -> tuple[str, ...]:
    """What should be known of the stable in the ten minutes before Unix time `end`, a line each.

    The canary has met nobody by then: whether its series are there is for the rollout's own ticks to say.
    """
    look = _as_it_begins(await look_at(prometheus, asked, end))
    return tuple(_line(each) for each in examine_evidence(plan, look) if each.level != "fine")


AT_BEGINNING = Looks(look_at_cluster, look_at_evidence)
"""What `operate` is to look with."""


def _as_it_begins(look: Look) -> Look:
    """Without what it is too early to say; a doubt that several share is a metric's of the policy, not the guard's."""
    doubts = [each.doubt for each in look.answers if each.doubt and each.doubt.missing not in _MOMENTARY]
    lasting = {doubt.query: doubt for doubt in doubts}.values()

    def told(answer: Answer) -> Answer:
        return replace(answer, doubt=answer.doubt if answer.doubt in lasting else None, canary=None)

    return replace(look, answers=tuple(map(told, look.answers)))


def _line(finding: Finding) -> str:
    return f"{finding.check}: {finding.what}"


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
