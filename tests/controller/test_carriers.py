"""What carries a rollout: every VirtualService is found and read first, and written in an order that nobody notices."""

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest

from serinus.controller.cache import Cache, Kind, Object
from serinus.controller.carriers import carried, find_carriers, split_traffic
from serinus.controller.gather import read_live
from serinus.controller.kube import Kube
from serinus.istio import ALLOW_FROM_ANNOTATION, DECISION_ANNOTATION, Operation
from serinus.rollout import Obstacle, Plan, SetWeight
from tests.istio.objects import apply, destination, primary, virtual_service
from tests.rollout.conftest import subject

OWNER = {
    "apiVersion": "serinus.io/v1alpha1",
    "kind": "CanaryDeployment",
    "metadata": {"namespace": "ml", "name": "predictor", "uid": "u"},
}
FULL = "predictor.ml.svc.cluster.local"


def cache_of(*services: Object) -> Cache:
    cache = Cache()
    for service in services:
        cache.put(
            "virtualservices", {**service, "metadata": {"uid": service["metadata"]["name"], **service["metadata"]}}
        )
    return cache


def plan_of(*names: str, arms: dict[str, Any] | None = None, **traffic: Any) -> Plan:
    references = [{"name": name} for name in names]
    given = {"host": "predictor", "virtualServices": references, "destinationRule": "predictor", **traffic}
    return subject(traffic=given, **(arms or {})).plan


def splitting(name: str, namespace: str = "ml", weight: int = 10, **annotations: str) -> Object:
    arms = [destination("stable", 100 - weight, host=FULL), destination("canary", weight, host=FULL)]
    return virtual_service(primary(*arms), name=name, namespace=namespace, annotations={"a": "b", **annotations})


@dataclass
class Written:
    """A stand-in for the API server: applies patches, and keeps what was written in order."""

    log: list[str] = field(default_factory=list)
    filters: list[Object] = field(default_factory=list)

    async def patch(self, kind: Kind, target: Object, operations: list[Operation]) -> Object:
        self.log.append(f"{kind} {target['metadata']['name']}")
        after = apply(target, operations)
        after["metadata"]["resourceVersion"] = str(int(after["metadata"]["resourceVersion"]) + 1)
        return after

    async def apply_envoy_filter(self, wanted: Object) -> None:
        self.log.append(f"filter {wanted['metadata']['name']}")
        self.filters.append(wanted)

    async def delete_envoy_filter(self, namespace: str, name: str) -> None:
        self.log.append(f"no filter {name}")


async def write(intent: SetWeight, plan: Plan, cache: Cache) -> Written:
    kube = Written()
    stand_in: Any = kube
    assert isinstance(stand_in, Written)
    assert all(hasattr(Kube, name) for name in ("patch", "apply_envoy_filter", "delete_envoy_filter"))
    await split_traffic(intent, plan, OWNER, find_carriers(plan, "ml", cache), cache, stand_in)
    return kube


async def test_every_virtual_service_gets_the_weight_and_the_decision() -> None:
    cache = cache_of(splitting("one"), splitting("two"))
    plan = plan_of("one", "two")
    written = await write(SetWeight(25, "r1/2-promote"), plan, cache)
    assert written.log == ["virtualservices one", "virtualservices two"]
    assert carried(find_carriers(plan, "ml", cache), "r1") == ((25, 25), "r1/2-promote")


def test_while_one_carries_another_decision_there_is_none_but_a_rollback_is_everybodys_I4() -> None:
    plan = plan_of("one", "two")
    for first, told in (("r1/2-promote", ""), ("r1/2-rollback", "r1/2-rollback")):
        one, two = splitting("one", **{DECISION_ANNOTATION: first}), splitting("two", weight=25)
        cache = cache_of(one, two)
        assert carried(find_carriers(plan, "ml", cache), "r1") == ((10, 25), told)


async def test_routes_that_moved_since_they_were_found_are_not_written_to_by_their_old_places_I5() -> None:
    cache = cache_of(splitting("one"))
    plan = plan_of("one")
    found = find_carriers(plan, "ml", cache)
    (known,) = [cache.get("virtualservices", carrier.key) for carrier in found]
    moved = copy.deepcopy(known)
    moved["spec"]["http"].insert(0, primary(destination("stable", 100, host="checkout"), name="checkout"))
    moved["metadata"]["resourceVersion"] = "8"
    cache.put("virtualservices", moved)

    @dataclass
    class Newest(Written):
        async def patch(self, kind: Kind, target: Object, operations: list[Operation]) -> Object:
            return await super().patch(kind, cache.get(kind, ("ml", target["metadata"]["name"])), operations)

    stand_in: Any = Newest()
    with pytest.raises(AssertionError, match="'op': 'test'"):
        await split_traffic(SetWeight(25, "r1/2-promote"), plan, OWNER, found, cache, stand_in)
    await split_traffic(SetWeight(25, "r1/2-promote"), plan, OWNER, find_carriers(plan, "ml", cache), cache, stand_in)
    written = cache.get("virtualservices", ("ml", "one"))["spec"]["http"]
    assert [[entry["weight"] for entry in route["route"]] for route in written] == [[100], [75, 25]]


async def test_a_rollback_stays_noted_while_another_canary_moves_another_route_of_the_object_I4() -> None:
    """Its operator may have stopped before the status told of it: then the next one finds it there, and finishes it."""
    one = splitting("one", **{DECISION_ANNOTATION: "checkout-22222222/3-rollback gone-33333333/4-deleted"})
    cache = cache_of(one)
    for name, rollout in (("predictor", "r1"), ("checkout", "checkout-22222222"), ("elsewhere", "gone-33333333")):
        service = "two" if name == "elsewhere" else "one"
        cache.put(
            "canarydeployments",
            {
                "metadata": {"namespace": "ml", "name": name, "uid": name, "resourceVersion": "1"},
                "spec": {"traffic": {"virtualServices": [{"name": service}]}},
                "status": {"rollout": {"id": rollout}},
            },
        )
    plan = plan_of("one")
    await write(SetWeight(25, "r1/2-promote"), plan, cache)
    noted = cache.get("virtualservices", ("ml", "one"))["metadata"]["annotations"][DECISION_ANNOTATION]
    assert noted == "checkout-22222222/3-rollback r1/2-promote"
    for rollout, decision in (("r1", "r1/2-promote"), ("checkout-22222222", "checkout-22222222/3-rollback")):
        assert carried(find_carriers(plan, "ml", cache), rollout)[1] == decision


def test_another_namespace_is_touched_only_if_it_says_so_I10() -> None:
    plan = plan_of("one", "edge/two")
    with pytest.raises(Obstacle, match=r"VirtualService edge/two does not allow.*serinus\.io/allow-from: ml"):
        find_carriers(plan, "ml", cache_of(splitting("one"), splitting("two", "edge")))
    for words in ("ml", "shop, ml", "*"):
        allowed = splitting("two", "edge", **{ALLOW_FROM_ANNOTATION: words})
        found = find_carriers(plan, "ml", cache_of(splitting("one"), allowed))
        assert [carrier.key for carrier in found] == [("ml", "one"), ("edge", "two")]
    with pytest.raises(Obstacle, match="does not allow"):
        find_carriers(
            plan, "ml", cache_of(splitting("one"), splitting("two", "edge", **{ALLOW_FROM_ANNOTATION: "mlx"}))
        )


def test_a_delegate_is_found_through_its_root_and_asks_for_the_same_leave_I10() -> None:
    root = virtual_service({"name": "all", "delegate": {"name": "arms", "namespace": "edge"}}, name="root")
    plan = plan_of("root")
    with pytest.raises(Obstacle, match="VirtualService edge/arms does not allow"):
        find_carriers(plan, "ml", cache_of(root, splitting("arms", "edge")))
    cache = cache_of(root, splitting("arms", "edge", **{ALLOW_FROM_ANNOTATION: "ml"}))
    assert [carrier.key for carrier in find_carriers(plan, "ml", cache)] == [("edge", "arms")]


@pytest.mark.parametrize(
    ("plan", "reason", "words"),
    [
        (plan_of("absent"), "VirtualServiceNotFound", "spec.traffic.virtualServices[0]: no VirtualService ml/absent"),
        (plan_of("one", host="elsewhere"), "RouteUnsuitable", "VirtualService ml/one has no route to elsewhere.ml.svc"),
        (
            plan_of("one", audience=[{"header": "x-internal", "exact": "true"}]),
            "RouteUnsuitable",
            "VirtualService ml/one, route primary already says something else of header 'x-internal'",
        ),
    ],
)
def test_what_cannot_carry_it_is_named_before_anything_is_written(plan: Plan, reason: str, words: str) -> None:
    one = splitting("one")
    one["spec"]["http"][0]["match"] = [{"headers": {"x-internal": {"exact": "no"}}}]
    with pytest.raises(Obstacle) as obstacle:
        find_carriers(plan, "ml", cache_of(one))
    assert obstacle.value.reason == reason
    assert obstacle.value.message.startswith(words)


def test_two_subsets_of_one_version_are_named_before_anything_is_written() -> None:
    theirs = plan_of("one", arms={"stable": {"subset": "stable"}, "canary": {"subset": "canary"}})
    cache = cache_of(splitting("one"))
    labels = {"version": "v1"}
    subsets = [{"name": "stable", "labels": labels}, {"name": "canary", "labels": labels}]
    metadata = {"namespace": "ml", "name": "predictor", "uid": "d", "resourceVersion": "7"}
    cache.put("destinationrules", {"metadata": metadata, "spec": {"host": "predictor", "subsets": subsets}})
    with pytest.raises(Obstacle, match="DestinationRule ml/predictor: the subsets 'stable' and 'canary' select"):
        read_live(theirs, "ml", "r1", cache)
    assert read_live(plan_of("one"), "ml", "r1", cache)[0].weights == (10,), "Serinus will point them elsewhere"


async def test_how_users_are_kept_is_there_before_the_routes_and_goes_after_them_R17() -> None:
    cache = cache_of(splitting("one"))
    plan = plan_of("one", cohort={"header": "x-user-id"})
    assert (await write(SetWeight(25, "r1/1-start"), plan, cache)).log == [
        "filter serinus-predictor",
        "virtualservices one",
    ]
    rolled_back = await write(SetWeight(0, "r1/2-rollback", urgent=True), plan, cache)
    assert rolled_back.log == ["virtualservices one", "no filter serinus-predictor"]


async def test_what_a_cohort_left_behind_goes_with_the_next_release_that_has_none() -> None:
    cache = cache_of(splitting("one"))
    await write(SetWeight(25, "r1/1-start"), plan_of("one", cohort={"header": "x-user-id"}), cache)
    superseded = await write(SetWeight(0, "r2/1-prepare"), plan_of("one"), cache)
    assert superseded.log == ["virtualservices one", "no filter serinus-predictor"]


async def test_a_delegates_routes_have_the_names_that_istiod_gives_them() -> None:
    root = virtual_service(
        {"name": "all", "match": [{"name": "v1"}, {}], "delegate": {"name": "arms"}},
        {"delegate": {"name": "arms"}},
        name="root",
    )
    arms = splitting("arms")
    del arms["spec"]["hosts"]
    written = await write(
        SetWeight(25, "r1/1-start"),
        plan_of("arms", cohort={"header": "x-user-id"}),
        cache_of(root, copy.deepcopy(arms)),
    )
    patches = written.filters[0]["spec"]["configPatches"]
    names = {
        patch["match"]["routeConfiguration"]["vhost"]["route"]["name"]
        for patch in patches
        if patch["applyTo"] == "HTTP_ROUTE"
    }
    assert names == {"all-serinus/cohort/primary.v1", "all-serinus/cohort/primary", "serinus/cohort/primary"}


async def test_when_it_is_promoted_audience_and_cohort_end() -> None:
    cache = cache_of(splitting("one"))
    plan = plan_of("one", cohort={"header": "x-user-id"}, audience=[{"header": "x-internal", "exact": "true"}])
    await write(SetWeight(100, "r1/4-promote"), plan, cache)
    assert len(cache.get("virtualservices", ("ml", "one"))["spec"]["http"]) == 3
    assert carried(find_carriers(plan, "ml", cache), "r1")[0] == (100, 100)
    await write(SetWeight(100, "r1/5-promoted", final=True), plan, cache)
    assert cache.get("virtualservices", ("ml", "one"))["spec"] == splitting("one", weight=100)["spec"]
