"""Who moves a route: of several CanaryDeployments that name the same one, only one; the others wait for it."""

from dataclasses import dataclass

from serinus.api import Phase
from serinus.controller.cache import Cache, Key, Object, key_of
from serinus.controller.named import named_virtual_services
from serinus.istio import canonical_host
from serinus.rollout import Obstacle


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
    own, place = _claims(owner), _place(owner)
    rivals = {rival for claim in own for rival in cache.claimants(claim.virtual_service)} - {key_of(owner)}
    for key in sorted(rivals):
        other = cache.get("canarydeployments", key)
        if other is None or _place(other) > place:
            continue
        for claim in _claims(other):
            if any(claim.overlaps(mine) for mine in own):
                raise Obstacle(
                    "RouteTaken",
                    f"spec.traffic.virtualServices: {'/'.join(claim.virtual_service)} is moved by CanaryDeployment "
                    f"{'/'.join(key)}; name other routes, or delete that one",
                )


def _claims(owner: Object) -> list[Claim]:
    host = canonical_host(str(owner.get("spec", {}).get("traffic", {}).get("host", "")), owner["metadata"]["namespace"])
    return [Claim(service, host, routes) for service, routes in named_virtual_services(owner).items()]


def _place(owner: Object) -> tuple[bool, str, str]:
    """Who comes first: a rollout under way before all others, then the oldest object."""
    metadata, status = owner["metadata"], owner.get("status") or {}
    rollout = status.get("rollout")
    if rollout and not Phase(status.get("phase", Phase.PENDING)).is_end:
        return False, str(rollout.get("startedAt", "")), metadata["uid"]
    return True, metadata["creationTimestamp"], metadata["uid"]
