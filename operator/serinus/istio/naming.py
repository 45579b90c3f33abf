"""What routes of ours are called: serinus/KIND/LABEL, where LABEL is that of the route they are a copy of."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

Kind = Literal["cohort", "audience", "canary", "kept", "new-canary", "new"]
"""cohort: Envoy chooses by a hash; audience: by the weights; canary: all go there; kept: all stay on the stable;
new-canary and new: the same two for users who have no cookie yet."""

_OURS = re.compile(r"serinus/(cohort|audience|canary-\d{1,3}|kept|new-canary|new)/(.+)")


def our_name(kind: Kind, label: str, weight: int) -> str:
    """The name of a copy of route `label`; of kind canary it also says for which percentage it stands."""
    return f"serinus/{kind}-{weight}/{label}" if kind == "canary" else f"serinus/{kind}/{label}"


def cohort_variant(label: str) -> str:
    """The name of the copy of route `label` by whose destinations Envoy chooses with a hash."""
    return our_name("cohort", label, weight=0)


def owners_labels(routes: Iterable[Mapping[str, Any]], protocol: str = "http") -> Iterator[str]:
    """What the owner's routes of one list are called: by their names, else by their places among the owner's."""
    owners = (route for route in routes if not is_ours(route))
    return (route.get("name") or f"{protocol}[{place}]" for place, route in enumerate(owners))


def is_ours(route: Mapping[str, Any]) -> bool:
    """Whether Serinus put this route there."""
    return _OURS.fullmatch(route.get("name", "")) is not None


def variant_of(route: Mapping[str, Any]) -> str:
    """The label of the route that one of ours is a copy of; empty for other routes."""
    found = _OURS.fullmatch(route.get("name", ""))
    return found[2] if found else ""


def keeps_cohort(virtual_service: Mapping[str, Any]) -> bool:
    """Whether Envoy chooses by a hash on a route of the VirtualService."""
    http = virtual_service.get("spec", {}).get("http") or []
    return any(route.get("name", "").startswith(cohort_variant("")) for route in http)


def variant_weight(route: Mapping[str, Any], canary: str) -> int | None:
    """The percentage that one of ours stands for; None where it says nothing of it."""
    kind = route["name"].split("/", 2)[1]
    if kind.startswith("canary-"):
        return int(kind.removeprefix("canary-"))
    destinations = route["route"]
    if len(destinations) == 1:
        return None
    return next((each.get("weight", 0) for each in destinations if each["destination"].get("subset") == canary), 0)
