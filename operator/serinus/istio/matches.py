"""Conditions on a request: Istio's HTTPMatchRequests, and how two of them are joined."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from serinus.api.traffic import AudienceMatch, Cohort

Headers = Mapping[str, Mapping[str, str]]
"""Conditions on headers: by the header's name, Istio's StringMatch. All of them must hold."""


ValueT = TypeVar("ValueT")


class Contradiction(Exception):
    """Two different things are said of one header, named in the message."""


def audience_headers(audience: Sequence[AudienceMatch]) -> tuple[Headers, ...]:
    """The conditions of which one must hold, for who may see the canary; without an audience everybody may."""
    return tuple(joined({each.header: each.string_match} for each in one.headers) for one in audience) or ({},)


def has_id(cohort: Cohort) -> Headers:
    """The condition that a request carries a user's id."""
    if cohort.header is not None:
        return {cohort.header: {"regex": ".+"}}
    return {"cookie": {"regex": cookie_regex(str(cohort.cookie), "[^;]+")}}


def cookie_regex(name: str, value: str) -> str:
    """A regular expression for a whole Cookie header in which cookie `name` has a value that matches `value`."""
    return rf"(.*; ?)?{escaped(name)}={value}(;.*)?"


def escaped(text: str) -> str:
    """The regular expression, in RE2's syntax, that matches `text` alone."""
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in text)


def joined(several: Iterable[Mapping[str, ValueT]]) -> dict[str, ValueT]:
    """What is said of headers by all of several. Raises Contradiction where two say different things of one."""
    together: dict[str, ValueT] = {}
    for one in several:
        for name, value in one.items():
            if together.setdefault(name, value) != value:
                raise Contradiction(name)
    return together


def narrowed(match: Mapping[str, Any], headers: Headers) -> dict[str, Any]:
    """A HTTPMatchRequest for the requests of `match` that also fulfil `headers`.

    Its name is dropped, so that Envoy's route has the name of Istio's. Raises Contradiction as joined does.
    """
    both = dict(match)
    both.pop("name", None)
    if headers:
        own = match.get("headers")
        both["headers"] = joined((own, headers)) if own else headers
    return both
