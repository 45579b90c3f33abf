"""The VirtualServices that carry a rollout: found in the cache, read, and made to split as decided."""

from collections.abc import Iterator
from dataclasses import dataclass

from serinus.controller.cache import Cache, Key, Object, key_of
from serinus.controller.kube import Kube
from serinus.controller.statuses import status_of
from serinus.istio import (
    ArmRoute,
    LayoutError,
    Split,
    allows,
    arm_routes,
    canonical_host,
    cohort_filter,
    cohort_variant,
    copies_for,
    decision_on,
    delegates_of,
    keeps_cohort,
    names_in_envoy,
    weights_patch,
)
from serinus.rollout import Obstacle, Plan, SetWeight

_ROLLBACK = "-rollback"


@dataclass(frozen=True, slots=True)
class Carrier:
    """A VirtualService as it was read, and its routes that carry the arms: positions that hold for this version of it.

    A patch is made from it, even where a newer one is known by then: in that one other routes may lie there.
    """

    service: Object
    routes: tuple[ArmRoute, ...]

    @property
    def key(self) -> Key:
        """Its namespace and name."""
        return key_of(self.service)


def find_carriers(plan: Plan, namespace: str, cache: Cache) -> tuple[Carrier, ...]:
    """What carries the plan's traffic. Raises Obstacle naming what is missing or cannot carry the canary.

    Nothing is left for later: a route that could not be limited to the audience is refused before anything is written.
    """
    traffic = plan.traffic
    carriers: dict[Key, Carrier] = {}
    for index, reference in enumerate(traffic.virtual_services):
        family = _family(reference.key(namespace), cache, f"spec.traffic.virtualServices[{index}]")
        try:
            found = arm_routes(
                *family,
                host=canonical_host(traffic.host, namespace),
                stable=plan.stable.subset,
                canary=plan.canary.subset,
                only=reference.routes or (),
            )
            for member, routes in zip(family, found, strict=True):
                if routes:
                    key = key_of(member)
                    _refuse_if_forbidden(member, namespace)
                    copies_for(member, routes, Split.of(traffic, plan.canary.subset, 1, rollout=""))
                    known = carriers[key].routes if key in carriers else ()
                    carriers[key] = Carrier(member, tuple(dict.fromkeys((*known, *routes))))
        except LayoutError as error:
            raise Obstacle("RouteUnsuitable", str(error)) from error
    return tuple(carriers.values())


def carried(carriers: tuple[Carrier, ...], rollout: str) -> tuple[tuple[int, ...], str]:
    """The canary's percentages on the routes, and the id of the rollout's decision that the VirtualServices carry.

    While some still carry another decision there is none yet; but one that names a rollback counts for all, so that it
    is finished.
    """
    decisions = {decision_on(carrier.service, rollout) for carrier in carriers}
    weights = tuple(weight for carrier in carriers for route in carrier.routes for weight in route.weights)
    rollbacks = sorted(decision for decision in decisions if decision.endswith(_ROLLBACK))
    settled = decisions.pop() if len(decisions) == 1 else ""
    return weights, rollbacks[-1] if rollbacks else settled


async def split_traffic(
    intent: SetWeight, plan: Plan, owner: Object, carriers: tuple[Carrier, ...], cache: Cache, kube: Kube
) -> None:
    """Write the weights, and what goes with them: how users are kept is there before they are, and goes after them.

    Raises WriteConflict where a VirtualService is no longer what it was when its routes were found.
    """
    namespace = owner["metadata"]["namespace"]
    canary = plan.canary.subset
    if intent.final:
        split = Split(canary, intent.weight)
    else:
        split = Split.of(plan.traffic, canary, intent.weight, rollout=intent.rollout)
    name = f"serinus-{owner['metadata']['name']}"
    if split.cohort is not None and split.hashes:
        routes = tuple(_hashed_routes(carriers, cache))
        wanted = cohort_filter(name, namespace, split.cohort, salt=split.salt, routes=routes, owner=owner)
        await kube.apply_envoy_filter(wanted)
    has_filter = plan.traffic.cohort is not None
    for carrier in carriers:
        has_filter = has_filter or keeps_cohort(carrier.service)  # also one that an edit of the spec has ended
        beside = _rollouts_beside(owner, carrier.key, cache)
        operations = weights_patch(carrier.service, carrier.routes, split, decision=intent.decision, beside=beside)
        cache.put("virtualservices", await kube.patch("virtualservices", carrier.service, operations))
    if has_filter and split.cohort is None:
        await kube.delete_envoy_filter(namespace, name)


def _family(key: Key, cache: Cache, field: str) -> list[Object]:
    """A VirtualService and those to which it delegates."""
    root = cache.get("virtualservices", key)
    if root is None:
        raise Obstacle("VirtualServiceNotFound", f"{field}: no VirtualService {'/'.join(key)}")
    delegates = (cache.get("virtualservices", each) for each in delegates_of(root))
    return [root, *(each for each in delegates if each is not None)]


def _refuse_if_forbidden(service: Object, namespace: str) -> None:
    if not allows(service, namespace):
        raise Obstacle(
            "VirtualServiceNotAllowed",
            f"VirtualService {'/'.join(key_of(service))} does not allow CanaryDeployments of namespace {namespace} to "
            f"change it; whoever owns it can annotate it with serinus.io/allow-from: {namespace}",
        )


def _rollouts_beside(owner: Object, key: Key, cache: Cache) -> frozenset[str]:
    """The rollouts of the other CanaryDeployments that name a VirtualService, for other routes of it."""
    others = (cache.get("canarydeployments", each) for each in cache.namers("virtualservices", key) - {key_of(owner)})
    rollouts = (status_of(other).get("rollout") for other in others if other is not None)
    return frozenset(rollout["id"] for rollout in rollouts if rollout)


def _hashed_routes(carriers: tuple[Carrier, ...], cache: Cache) -> Iterator[str]:
    """What Envoy calls the routes on which it chooses by a hash."""
    services = [cache.get("virtualservices", key) or {} for key in cache.keys("virtualservices")]
    roots = [service for service in services if delegates_of(service)]
    for carrier in carriers:
        for route in carrier.routes:
            yield from names_in_envoy(carrier.service, cohort_variant(route.label), roots)
