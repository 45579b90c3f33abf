"""Which routes of a VirtualService carry the arms, and what they give to each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from serinus.istio.errors import LayoutError
from serinus.istio.hosts import key_of, names_of
from serinus.istio.naming import is_ours, owners_labels, variant_of, variant_weight

Protocol = Literal["http", "tls", "tcp"]
_PROTOCOLS: tuple[Protocol, ...] = ("http", "tls", "tcp")

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class ArmRoute:
    """A route that sends to the stable arm: where it lies, and the canary's percentage of those who may see it.

    `label`: how people and annotations call it: its name, or http[0], tls[0], tcp[0] by its place among its owner's
    routes. `index` is its position in the list of its protocol; `stable` and `canary` are positions in its list of
    destinations, `canary` None where the route sends to the stable alone. `weights`: the percentage by its own
    destinations and by each route that Serinus put before it; they differ only where somebody else edited one.
    """

    protocol: Protocol
    label: str
    index: int
    stable: int
    canary: int | None
    weights: tuple[int, ...]


def arm_routes(
    *family: dict[str, Any], host: str, stable: str, canary: str, only: Sequence[str] = ()
) -> tuple[tuple[ArmRoute, ...], ...]:
    """The routes to `host` that carry the subsets `stable` and `canary`, for each member of the family.

    `family`: a VirtualService, and those to which it delegates. `host`: fully qualified. `only`: labels of the routes
    to take; without it every route that sends to the host. Raises LayoutError when a route that should carry the canary
    cannot, when a route is named that does not exist, when two have the same name, and when no route is left.
    """
    candidates = [list(_candidates(member, host)) for member in family]
    everyone = [candidate for member in candidates for candidate in member]
    # By identity: two candidates are compared by all that their routes say.
    named = {id(each) for label in only for each in _named(label, family[0], everyone)}
    chosen = [[each for each in member if (id(each) in named if only else any(each.to_host))] for member in candidates]
    for some, all_of_member in zip(chosen, candidates, strict=True):
        _refuse_repeated_names(some, all_of_member)
    found = tuple(tuple(_arm_route(each, stable, canary) for each in member) for member in chosen)
    if not any(found):
        raise LayoutError(f"{_title(family[0])} has no route to {host}; give one a destination for each subset")
    return found


class _Candidate(NamedTuple):
    """A route of an owner's: `to_host` says of each destination whether it is the host's; `ours` are copies of it."""

    service: dict[str, Any]
    protocol: Protocol
    label: str
    position: int
    route: dict[str, Any]
    to_host: tuple[bool, ...]
    ours: Sequence[dict[str, Any]]

    @property
    def title(self) -> str:
        return f"{_title(self.service)}, route {self.label}"


def _candidates(service: dict[str, Any], host: str) -> Iterator[_Candidate]:
    names = names_of(host, service["metadata"]["namespace"])
    ours: dict[str, list[dict[str, Any]]] = {}  # they lie before the routes that they are copies of
    for protocol in _PROTOCOLS:
        routes = service.get("spec", {}).get(protocol) or []
        labels = owners_labels(routes, protocol)
        for index, route in enumerate(routes):
            if is_ours(route):
                ours.setdefault(variant_of(route), []).append(route)
                continue
            hosts = [(entry.get("destination") or {}).get("host", "") for entry in route.get("route") or []]
            to_host = tuple([each in names for each in hosts])
            label = next(labels)
            yield _Candidate(service, protocol, label, index, route, to_host, ours.get(label, ()))


def _named(label: str, root: dict[str, Any], candidates: Sequence[_Candidate]) -> Sequence[_Candidate]:
    """The routes of that label that send to the host; if none does, all that have it, for the error to come."""
    named = [candidate for candidate in candidates if candidate.label == label]
    if not named:
        labels = ", ".join(sorted({candidate.label for candidate in candidates}))
        raise LayoutError(f"{_title(root)} has no route named {label!r}; it has: {labels}")
    return [candidate for candidate in named if any(candidate.to_host)] or named


def _refuse_repeated_names(chosen: Sequence[_Candidate], candidates: Sequence[_Candidate]) -> None:
    """A label must mean one route of its object; a root and its delegate may both have it."""
    count = Counter(candidate.label for candidate in candidates)
    for candidate in chosen:
        if count[candidate.label] > 1:
            raise LayoutError(
                f"{_title(candidate.service)} has more than one route named {candidate.label!r}; give each its own name"
            )


def _arm_route(candidate: _Candidate, stable: str, canary: str) -> ArmRoute:
    destinations = candidate.route.get("route") or []
    subsets = [
        entry["destination"].get("subset") if is_hosts else None
        for entry, is_hosts in zip(destinations, candidate.to_host, strict=True)
    ]
    for subset in (stable, canary):
        if subsets.count(subset) > 1:
            raise LayoutError(f"{candidate.title} has more than one destination for subset {subset!r}; it needs one")
    at, to_canary = (subsets.index(subset) if subset in subsets else None for subset in (stable, canary))
    if at is None:
        raise LayoutError(
            f"{candidate.title} has no destination for subset {stable!r}; give it one, or list the routes to move in "
            "spec.traffic.virtualServices[].routes"
        )
    others = len(destinations) - (1 if to_canary is None else 2)
    if others:
        raise LayoutError(
            f"{candidate.title} has {others} more destination(s) beside {stable!r} and {canary!r}; "
            "a route can be split between two arms only"
        )
    weights = _weights(candidate, _own_weight(candidate, at, to_canary), canary)
    return ArmRoute(candidate.protocol, candidate.label, candidate.position, at, to_canary, weights)


def _own_weight(candidate: _Candidate, stable: int, canary: int | None) -> int:
    if canary is None:
        return 0
    destinations = candidate.route["route"]
    # Istio reads a weight that is left out as 0.
    to_stable: int = destinations[stable].get("weight", 0)
    to_canary: int = destinations[canary].get("weight", 0)
    if to_stable + to_canary != _WHOLE:
        raise LayoutError(f"{candidate.title} has weights {to_stable} and {to_canary}; they must add up to 100")
    return to_canary


def _weights(candidate: _Candidate, own: int, canary: str) -> tuple[int, ...]:
    """What the canary gets by each of our routes, and by the owner's own where it hands anything out."""
    if not candidate.ours:
        return (own,)
    told = [weight for route in candidate.ours if (weight := variant_weight(route, canary)) is not None]
    return (*told, own) if own or not told else tuple(told)


def _title(service: dict[str, Any]) -> str:
    return "VirtualService {}/{}".format(*key_of(service))
