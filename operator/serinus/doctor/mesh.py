"""Host, routes and subsets, read and judged by the operator's own functions."""

from collections.abc import Iterator
from dataclasses import dataclass

from serinus.controller.cache import Cache, Object
from serinus.controller.carriers import Carrier
from serinus.controller.claims import refuse_taken_routes
from serinus.controller.gather import read_live
from serinus.doctor.finding import Finding, fine, warning
from serinus.doctor.obstacles import attempt
from serinus.rollout import Live, Plan
from serinus.rollout.preparation import next_preparation


@dataclass(frozen=True, slots=True)
class Mesh:
    """The mesh as the operator reads it, and the VirtualServices that carry the rollout."""

    live: Live
    carriers: tuple[Carrier, ...]


def read_mesh(plan: Plan, namespace: str, world: Cache) -> Mesh | Finding:
    """The mesh, or what is missing or cannot carry the canary."""
    found = attempt(lambda: read_live(plan, namespace, "", world))
    return found if isinstance(found, Finding) else Mesh(*found)


def check_mesh(owner: Object, plan: Plan, mesh: Mesh, world: Cache) -> Iterator[Finding]:
    """Whose the routes are, and whether the version that serves is the one that the plan calls stable."""
    taken = attempt(lambda: refuse_taken_routes(owner, world))
    if isinstance(taken, Finding):
        yield taken
    routes = [f"{'/'.join(each.key)} {route.label}" for each in mesh.carriers for route in each.routes]
    yield fine("routes", f"{plan.traffic.host} is split on: {', '.join(routes)}")
    prepared = attempt(lambda: next_preparation(plan, mesh.live, "doctor"))
    if isinstance(prepared, Finding):
        yield prepared
        return
    yield fine("subsets", f"{plan.stable.subset} serves, {plan.canary.subset} is the canary's")
    if not mesh.live.stable_serves and not mesh.live.canary_serves:
        yield warning(
            "subsets",
            f"the canary has {mesh.live.weight} % of the traffic now",
            why="A rollout begins with all traffic on stable: Serinus would take the canary's away first.",
            do="wait for what is under way, or know that it will be undone",
        )


def written_by(plan: Plan, mesh: Mesh, namespace: str, world: Cache) -> list[Object]:
    """What the rollout changes: VirtualServices that carry the weights; the DestinationRule if it keeps a subset."""
    services = [{**each.service, "kind": "VirtualService"} for each in mesh.carriers]
    if plan.stable.labels is None and plan.canary.labels is None:
        return services
    rule = world.get("destinationrules", (namespace, plan.traffic.destination_rule))
    return services + ([{**rule, "kind": "DestinationRule"}] if rule else [])
