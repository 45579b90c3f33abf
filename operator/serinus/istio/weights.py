"""The patch that makes a VirtualService split its requests as it should."""

from bisect import bisect
from collections.abc import Iterator, Sequence, Set
from typing import Any

from serinus.istio.annotations import added_to, annotate
from serinus.istio.errors import LayoutError
from serinus.istio.hosts import key_of
from serinus.istio.matches import Contradiction
from serinus.istio.naming import owners_labels, variant_of
from serinus.istio.patches import Operation, expect, pointer
from serinus.istio.routes import ArmRoute
from serinus.istio.split import Split
from serinus.istio.variants import Arms, Route, Template, templates, variants

_WHOLE = 100


def weights_patch(
    virtual_service: dict[str, Any],
    routes: Sequence[ArmRoute],
    split: Split,
    *,
    decision: str,
    beside: Set[str] = frozenset(),
) -> list[Operation]:
    """The patch that makes the routes split as told, and names the decision in an annotation.

    `beside`: ids of the rollouts that move other routes of the object; their decisions stay named.
    Guarded by tests on each route's name and destinations, old weights included: a VirtualService in which they have
    changed since it was read refuses the patch (422). Where routes of ours come or go, positions count, and it is
    refused by any change. A split without audience and cohort leaves no route of ours; a canary destination that
    Serinus added is removed when it has no weight. Raises LayoutError where a route cannot be split so.
    """
    before = copies_for(virtual_service, routes, split)
    ours = _outdated(virtual_service, {route.label for route in routes})
    operations: list[Operation] = []
    if ours or any(before):
        metadata = virtual_service["metadata"]
        operations.append(expect(pointer("metadata", "resourceVersion"), metadata["resourceVersion"]))
    operations += [{"op": "remove", "path": pointer("spec", "http", index)} for index in reversed(ours)]
    added = added_to(virtual_service)
    now_added = set(added)
    for route in routes:
        written = _written(virtual_service, route)
        operations += _own_weights(written, route, _path(route, ours), split, route.label in added)
        if split.own_weight == 0:
            now_added.discard(route.label)
        elif route.canary is None:
            now_added.add(route.label)
    operations += _insertions(routes, before, ours)
    return [*operations, *annotate(virtual_service, decision, frozenset(now_added), beside)]


def copies_for(virtual_service: dict[str, Any], routes: Sequence[ArmRoute], split: Split) -> list[list[Route]]:
    """The routes of ours that `split` puts before each of `routes`, in their order.

    Raises LayoutError for a route that cannot be limited to an audience or kept for a cohort.
    """
    try:
        wanted = templates(split)
    except Contradiction as header:
        raise LayoutError(f"the audience and the cohort say different things of header {str(header)!r}") from header
    return [_copies(virtual_service, route, split, wanted) for route in routes]


def _copies(virtual_service: dict[str, Any], route: ArmRoute, split: Split, wanted: Sequence[Template]) -> list[Route]:
    if not wanted:
        return []
    if route.protocol != "http":
        raise LayoutError(
            f"{_title(virtual_service, route)} carries connections, in which no header can be read: leave out "
            "spec.traffic.audience and spec.traffic.cohort, or list the HTTP routes alone in "
            "spec.traffic.virtualServices[].routes"
        )
    written = _written(virtual_service, route)
    try:
        return variants(route.label, written, _arms(written, route, split), wanted)
    except Contradiction as header:
        raise LayoutError(
            f"{_title(virtual_service, route)} already says something else of header {str(header)!r} than the audience "
            "or cohort has to; leave the header out of one of them"
        ) from header


def _title(virtual_service: dict[str, Any], route: ArmRoute) -> str:
    return "VirtualService {}/{}, route {}".format(*key_of(virtual_service), route.label)


def _outdated(virtual_service: dict[str, Any], labels: Set[str]) -> list[int]:
    """Where copies lie that are to go: those of the routes with these labels, and of routes that are no longer there.

    The others belong to another CanaryDeployment, which moves other routes of the same object.
    """
    http = virtual_service.get("spec", {}).get("http") or []
    copied = [(index, label) for index, route in enumerate(http) if (label := variant_of(route))]
    if not copied:
        return []
    theirs = set(owners_labels(http)) - labels
    return [index for index, label in copied if label not in theirs]


def _written(virtual_service: dict[str, Any], route: ArmRoute) -> Route:
    found: Route = virtual_service["spec"][route.protocol][route.index]
    return found


def _arms(written: Route, route: ArmRoute, split: Split) -> Arms:
    canary = None if route.canary is None else written["route"][route.canary]
    return Arms.of(written["route"][route.stable], canary, split.canary)


def _path(route: ArmRoute, ours: Sequence[int]) -> str:
    """Where the route lies once `ours` are gone: all of them lie in the list of HTTP routes."""
    gone = bisect(ours, route.index) if route.protocol == "http" else 0
    return f"/spec/{route.protocol}/{route.index - gone}"


def _own_weights(written: Route, route: ArmRoute, path: str, split: Split, is_added: bool) -> Iterator[Operation]:
    """The owner's own destinations: both arms' weights, the canary's own destination added or removed."""
    if "name" in written:
        yield expect(f"{path}/name", written["name"])
    yield expect(f"{path}/route", written["route"])
    weight = split.own_weight
    if route.canary is None:
        if weight:
            yield _weigh(path, route.stable, _WHOLE - weight)
            arms = _arms(written, route, split)
            yield {"op": "add", "path": f"{path}/route/-", "value": {**arms.canary, "weight": weight}}
        return
    yield _weigh(path, route.stable, _WHOLE - weight)
    if is_added and not weight:
        yield {"op": "remove", "path": f"{path}/route/{route.canary}"}
    else:
        yield _weigh(path, route.canary, weight)


def _weigh(path: str, place: int, weight: int) -> Operation:
    return {"op": "add", "path": f"{path}/route/{place}/weight", "value": weight}


def _insertions(routes: Sequence[ArmRoute], before: Sequence[list[Route]], ours: Sequence[int]) -> Iterator[Operation]:
    """Each route's copies directly before it; from the last route to the first, so that no position moves."""
    copied = [(route, copies) for route, copies in zip(routes, before, strict=True) if copies]
    for route, copies in sorted(copied, key=lambda each: each[0].index, reverse=True):
        path = _path(route, ours)
        for copy in reversed(copies):
            yield {"op": "add", "path": path, "value": copy}
