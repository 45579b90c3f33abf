"""Who moves a route: of several CanaryDeployments that name the same one, only one; the others wait for it."""

from dataclasses import dataclass

from serinus.api import Phase
from serinus.controller.cache import Cache, Key, Object, key_of
from serinus.controller.named import named_virtual_services
from serinus.controller.statuses import status_of
from serinus.istio import canonical_host
from serinus.rollout import Obstacle

_TAKEN = "RouteTaken"


@dataclass(frozen=True, slots=True)
class Claim:
    """A VirtualService's routes to one host; `routes`: only those of these names, None for all."""

    virtual_service: Key
    host: str
    routes: frozenset[str] | None

    def overlaps(self, other: "Claim") -> bool:
        """Whether some route may be named by both."""
        same = (self.virtual_service, self.host) == (other.virtual_service, other.host)
        apart = self.routes is not None and other.routes is not None and self.routes.isdisjoint(other.routes)
        return same and not apart


def refuse_taken_routes(owner: Object, cache: Cache) -> None:
    """Raise Obstacle with the name of the CanaryDeployment that moves a route which `owner` names too (I4)."""
    own = _claims(owner)
    rivals = {rival for claim in own for rival in cache.claimants(claim.virtual_service)} - {key_of(owner)}
    if not rivals:
        return
    place = _place(owner)
    for key in sorted(rivals):
        other = cache.get("canarydeployments", key)
        if other is None or _place(other) > place:
            continue
        for claim in _claims(other):
            if any(claim.overlaps(mine) for mine in own):
                raise Obstacle(
                    _TAKEN,
                    f"spec.traffic.virtualServices: {'/'.join(claim.virtual_service)} is moved by CanaryDeployment "
                    f"{'/'.join(key)}; name other routes, or delete that one",
                )


def _claims(owner: Object) -> list[Claim]:
    host = canonical_host(str(owner.get("spec", {}).get("traffic", {}).get("host", "")), owner["metadata"]["namespace"])
    return [Claim(service, host, routes) for service, routes in named_virtual_services(owner).items()]


def _place(owner: Object) -> tuple[int, str, str]:
    """Who comes first: a rollout under way, then one that has ended and whose traffic is looked after, then the oldest.

    One that could not begin for what its spec says comes last: it stops no other (I9).
    """
    metadata, status = owner["metadata"], status_of(owner)
    rollout = status.get("rollout")
    if rollout and not Phase(status.get("phase", Phase.PENDING)).is_end:
        return 0, str(rollout.get("startedAt", "")), metadata["uid"]
    stalled = [each for each in status.get("conditions", []) if each["type"] == "Stalled" and each["status"] == "True"]
    is_wrong = any(each["reason"] != _TAKEN for each in stalled)
    rank = 1 if rollout else 3 if is_wrong else 2
    return rank, metadata["creationTimestamp"], metadata["uid"]
