"""Routes of ours: copies of an owner's route, put before it for the audience and the cohort, gone at the end.

A copy differs from its original in name, match and destinations alone: timeouts, retries, mirrors and all the rest are
the owner's. It lies directly before its original, so that it takes no request that another route would have got.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serinus.api.traffic import Cohort
from serinus.istio.matches import (
    Headers,
    audience_headers,
    cookie_regex,
    has_id,
    joined,
    narrowed,
)
from serinus.istio.naming import Kind, our_name
from serinus.istio.share import mark_of, share_regex
from serinus.istio.split import Split

_REQUEST_ID = "x-request-id"
_MONTH = 30 * 24 * 3600

Route = dict[str, Any]


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
    """One copy of every route: its kind and weight, whose requests it takes, and where they go."""

    kind: Kind
    weight: int
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
        found.append(Template("cohort", split.weight, _identified(audience, split.cohort), by_weight))
    if split.audience:
        found.append(Template("audience", split.weight, audience, by_weight))
    return tuple(found)


def variants(label: str, route: Route, arms: Arms, wanted: Sequence[Template]) -> list[Route]:
    """The copies of `route` that the templates ask for.

    Raises Contradiction where the route says something else of a header than would have to be added.
    """
    own = route.get("match") or [{}]
    return [
        {
            **route,
            "name": our_name(template.kind, label, template.weight),
            "match": [narrowed(match, who) for match in own for who in template.who],
            "route": template.destinations(arms),
        }
        for template in wanted
    ]


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
    weight, fresh = split.weight, _within(audience, {_REQUEST_ID: {"regex": below}})
    yield Template("canary", weight, holding(below), lambda arms: [_whole(arms.canary)])
    yield Template("kept", weight, holding(anyone), lambda arms: [_whole(arms.stable)])
    yield Template("new-canary", weight, fresh, lambda arms: [_with_header(_whole(arms.canary), given)])
    yield Template("new", weight, audience, lambda arms: [_with_header(_whole(arms.stable), given)])


def _whole(destination: Mapping[str, Any]) -> Route:
    return {**destination, "weight": 100}


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
