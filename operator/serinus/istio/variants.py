"""Routes of ours: copies of an owner's route, put before it for the audience and the cohort, gone at the end.

A copy differs from its original in name, match and destinations alone: timeouts, retries, mirrors and all the rest are
the owner's. It lies directly before its original, so that it takes no request that another route would have got.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serinus.api.traffic import Cohort
from serinus.istio.errors import LayoutError
from serinus.istio.matches import (
    Contradiction,
    Headers,
    audience_headers,
    cookie_regex,
    has_id,
    joined,
    narrowed,
)
from serinus.istio.share import mark_of, share_regex
from serinus.istio.split import Split

_OURS = "serinus/"
"""What the names of our routes begin with: serinus/KIND/LABEL, where LABEL is the original's."""

COHORT = "cohort"
"""Kind of the copies by whose destinations Envoy chooses with a hash."""

_WEIGHTED = "canary-"
"""Kind of the copies that send whoever their match selects to the canary: canary-PERCENT."""

_REQUEST_ID = "x-request-id"
_MONTH = 30 * 24 * 3600

Route = dict[str, Any]


def is_ours(route: Mapping[str, Any]) -> bool:
    """Whether Serinus put this route there."""
    return str(route.get("name", "")).startswith(_OURS)


def variant_of(route: Mapping[str, Any]) -> str:
    """The label of the route that one of ours is a copy of; empty for other routes."""
    return str(route["name"]).split("/", 2)[2] if is_ours(route) else ""


def cohort_variant(label: str) -> str:
    """The name of the copy of route `label` by whose destinations Envoy chooses with a hash."""
    return f"{_OURS}{COHORT}/{label}"


def keeps_cohort(virtual_service: Mapping[str, Any]) -> bool:
    """Whether Envoy chooses by a hash on a route of the VirtualService."""
    http = virtual_service.get("spec", {}).get("http") or []
    return any(str(route.get("name", "")).startswith(cohort_variant("")) for route in http)


def variant_weight(route: Mapping[str, Any], canary: str) -> int | None:
    """The percentage that one of ours stands for; None where it says nothing of it."""
    kind = str(route["name"]).split("/", 2)[1]
    if kind.startswith(_WEIGHTED):
        return int(kind.removeprefix(_WEIGHTED))
    destinations = route["route"]
    if len(destinations) == 1:
        return None
    return next((each.get("weight", 0) for each in destinations if each["destination"].get("subset") == canary), 0)


@dataclass(frozen=True, slots=True)
class Arms:
    """The destinations of a route's arms, as its owner wrote them."""

    stable: Mapping[str, Any]
    canary: Mapping[str, Any]

    @classmethod
    def of(cls, stable: Mapping[str, Any], canary: Mapping[str, Any] | None, subset: str) -> "Arms":
        """Where the owner wrote no destination for the canary, it is the stable's with the canary's subset."""
        return cls(stable, canary or {**stable, "destination": {**stable["destination"], "subset": subset}})


@dataclass(frozen=True, slots=True)
class Template:
    """One copy of every route: its kind, whose requests it takes, and where they go."""

    kind: str
    who: tuple[Headers, ...]
    destinations: Callable[[Arms], list[Route]]


def templates(split: Split) -> tuple[Template, ...]:
    """The copies that `split` needs of every route, first to be matched first; none where weights suffice.

    Raises Contradiction where the split itself asks for two different values of one header.
    """
    audience = audience_headers(split.audience)
    if split.sets_cookie:
        return tuple(_cookie_templates(audience, split))
    by_weight = _weighted(split.weight)
    found = []
    if split.cohort is not None:
        found.append(Template(COHORT, _identified(audience, split.cohort), by_weight))
    if split.audience:
        found.append(Template("audience", audience, by_weight))
    return tuple(found)


def variants(title: str, label: str, route: Route, arms: Arms, wanted: Sequence[Template]) -> list[Route]:
    """The copies of `route` that the templates ask for.

    Raises LayoutError naming the route (`title`) where what it says contradicts what would have to be added.
    """
    own = route.get("match") or [{}]
    try:
        return [
            {
                **route,
                "name": f"{_OURS}{template.kind}/{label}",
                "match": [narrowed(match, who) for match in own for who in template.who],
                "route": template.destinations(arms),
            }
            for template in wanted
        ]
    except Contradiction as header:
        raise LayoutError(
            f"{title} already says something else of header {str(header)!r} than the audience or cohort has to; "
            "leave the header out of one of them"
        ) from header


def _cookie_templates(audience: tuple[Headers, ...], split: Split) -> Iterator[Template]:
    """A cookie holds the user's id: that of the request which had none yet, made up by Envoy and told in its answer.

    Whoever's id lies below the weight gets the canary; so nobody who has it loses it while the weight rises.
    """
    assert split.cohort is not None
    name = str(split.cohort.cookie)
    below, anyone = share_regex(split.weight), share_regex(100)
    mark = mark_of(split.salt)

    def holding(value: str) -> tuple[Headers, ...]:
        return _within(audience, {"cookie": {"regex": cookie_regex(name, f"{mark}{value}")}})

    given = {
        "Set-Cookie": f"{name}={mark}%REQ({_REQUEST_ID})%; Path=/; Max-Age={_MONTH}; HttpOnly; SameSite=Lax",
    }
    fresh = _within(audience, {_REQUEST_ID: {"regex": below}})
    yield Template(f"{_WEIGHTED}{split.weight}", holding(below), lambda arms: [{**arms.canary, "weight": 100}])
    yield Template("kept", holding(anyone), lambda arms: [{**arms.stable, "weight": 100}])
    yield Template("new-canary", fresh, lambda arms: [_with_header({**arms.canary, "weight": 100}, given)])
    yield Template("new", audience, lambda arms: [_with_header({**arms.stable, "weight": 100}, given)])


def _weighted(weight: int) -> Callable[[Arms], list[Route]]:
    """Both arms, the canary first: Envoy's hash choice counts from the first, so the cohort only grows with it."""
    return lambda arms: [{**arms.canary, "weight": weight}, {**arms.stable, "weight": 100 - weight}]


def _identified(audience: tuple[Headers, ...], cohort: Cohort) -> tuple[Headers, ...]:
    """The audience's requests that carry a user's id; where the audience is told by that very header, they all do."""
    return tuple(who if cohort.header in who else joined((who, has_id(cohort))) for who in audience)


def _within(audience: tuple[Headers, ...], headers: Headers) -> tuple[Headers, ...]:
    return tuple(joined((who, headers)) for who in audience)


def _with_header(destination: Route, given: Mapping[str, str]) -> Route:
    """The destination with a header added to its answers."""
    headers = destination.get("headers") or {}
    response = headers.get("response") or {}
    added = joined((response.get("add") or {}, given))
    return {**destination, "headers": {**headers, "response": {**response, "add": added}}}
