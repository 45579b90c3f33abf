"""Which routes of a VirtualService split traffic between the arms, and the patch that sets their weights."""

from dataclasses import dataclass
from typing import Any

from serinus.istio.hosts import canonical_host
from serinus.istio.patches import Operation, expect, pointer

DECISION_ANNOTATION = "serinus.io/decision"
"""On a VirtualService: the id of the decision that its weights carry out."""

_WHOLE = 100


class LayoutError(Exception):
    """A VirtualService that cannot carry the canary as it is; the message names the route and what to do."""


@dataclass(frozen=True, slots=True)
class ArmRoute:
    """An HTTP route with a destination for each arm: where it lies and the canary's percentage on it.

    `index`, `stable` and `canary` are positions in spec.http and in the route's list of destinations.
    """

    name: str
    index: int
    stable: int
    canary: int
    weight: int


def arm_routes(
    virtual_service: dict[str, Any],
    *,
    host: str,
    stable: str,
    canary: str,
    only: tuple[str, ...] = (),
) -> tuple[ArmRoute, ...]:
    """The HTTP routes that split `host` between the subsets `stable` and `canary`.

    `only`: names of the routes to take; without it every route that sends to the host. `host` may be short: it is
    read in the namespace of the VirtualService. Raises LayoutError when a route that should carry the canary cannot,
    when a named route does not exist or exists twice, and when no route is left.
    """
    metadata = virtual_service.get("metadata", {})
    where = f"VirtualService {metadata.get('namespace', '')}/{metadata.get('name', '')}"
    namespace = metadata.get("namespace", "default")
    routes = virtual_service.get("spec", {}).get("http") or []
    names = [route.get("name", "") for route in routes]
    for name in only:
        if names.count(name) != 1:
            found = "no HTTP route" if name not in names else "more than one HTTP route"
            raise LayoutError(f"{where} has {found} named {name!r}; it has: {', '.join(filter(None, names))}")
    wanted = canonical_host(host, namespace)
    found_routes = []
    for index, route in enumerate(routes):
        name = route.get("name", "")
        label = f"{where}, route {name or index}"
        destinations = [entry.get("destination", {}) for entry in route.get("route") or []]
        to_host = [canonical_host(entry.get("host", ""), namespace) == wanted for entry in destinations]
        if name in only if only else any(to_host):
            found_routes.append(_arm_route(label, index, name, route, to_host, stable, canary))
    if not found_routes:
        raise LayoutError(f"{where} has no HTTP route to {wanted}; give one a destination for each subset")
    return tuple(found_routes)


def _arm_route(
    label: str, index: int, name: str, route: dict[str, Any], to_host: list[bool], stable: str, canary: str
) -> ArmRoute:
    destinations = route.get("route") or []
    positions = {}
    for subset in (stable, canary):
        matching = [
            position
            for position, entry in enumerate(destinations)
            if to_host[position] and entry["destination"].get("subset") == subset
        ]
        if len(matching) != 1:
            count = "no destination" if not matching else "more than one destination"
            raise LayoutError(f"{label} has {count} for subset {subset!r}; it needs one (weight 0 is allowed)")
        positions[subset] = matching[0]
    others = len(destinations) - len(positions)
    if others:
        raise LayoutError(f"{label} has {others} more destination(s) beside {stable!r} and {canary!r}")
    # Istio reads a weight that is left out as 0.
    weights = [destinations[positions[subset]].get("weight", 0) for subset in (stable, canary)]
    if sum(weights) != _WHOLE:
        raise LayoutError(f"{label} has weights {weights[0]} and {weights[1]}; they must add up to 100")
    return ArmRoute(name, index, positions[stable], positions[canary], weights[1])


def decision_on(virtual_service: dict[str, Any]) -> str:
    """Id of the decision that the VirtualService carries, or an empty string."""
    annotations = virtual_service.get("metadata", {}).get("annotations") or {}
    return str(annotations.get(DECISION_ANNOTATION, ""))


def weights_patch(
    virtual_service: dict[str, Any], routes: tuple[ArmRoute, ...], *, weight: int, decision: str
) -> list[Operation]:
    """The patch that gives the canary `weight` percent on the routes and names the decision in an annotation.

    Guarded by tests on each destination's host, subset and old weight, and on the route's name: a VirtualService that
    has changed since it was read refuses the patch (422).
    """
    operations: list[Operation] = []
    for route in routes:
        if route.name:
            operations.append(expect(pointer("spec", "http", route.index, "name"), route.name))
        for position, new in ((route.stable, _WHOLE - weight), (route.canary, weight)):
            path = ("spec", "http", route.index, "route", position)
            written = virtual_service["spec"]["http"][route.index]["route"][position]
            for field in ("host", "subset"):
                operations.append(expect(pointer(*path, "destination", field), written["destination"][field]))
            if "weight" in written:
                operations.append(expect(pointer(*path, "weight"), written["weight"]))
            operations.append({"op": "add", "path": pointer(*path, "weight"), "value": new})
    return [*operations, *_annotate(virtual_service, decision)]


def _annotate(virtual_service: dict[str, Any], decision: str) -> list[Operation]:
    metadata = virtual_service["metadata"]
    if metadata.get("annotations"):
        return [{"op": "add", "path": pointer("metadata", "annotations", DECISION_ANNOTATION), "value": decision}]
    # Adding the whole map would wipe what somebody else has just added: only for the object as it was read.
    return [
        expect(pointer("metadata", "resourceVersion"), metadata["resourceVersion"]),
        {"op": "add", "path": pointer("metadata", "annotations"), "value": {DECISION_ANNOTATION: decision}},
    ]
