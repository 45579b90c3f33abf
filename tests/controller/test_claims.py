"""Of several CanaryDeployments that name the same route, one moves it; the others are told its name (I4)."""

from typing import Any

import pytest

from serinus.controller.cache import Cache
from serinus.controller.claims import refuse_taken_routes
from serinus.rollout import Obstacle


def owner(
    name: str, created: str, *, routes: list[str] | None = None, phase: str = "", **traffic: Any
) -> dict[str, Any]:
    reference = {"name": "predictor"} | ({"routes": routes} if routes else {})
    rollout = {"rollout": {"startedAt": "2026-11-21T12:00:00Z"}, "phase": phase} if phase else {}
    return {
        "metadata": {
            "namespace": "ml",
            "name": name,
            "uid": name,
            "resourceVersion": "1",
            "creationTimestamp": f"2026-11-21T{created}:00Z",
        },
        "spec": {"traffic": {"host": "predictor", "virtualServices": [reference]} | traffic},
        "status": rollout,
    }


def refusals(*owners: dict[str, Any]) -> dict[str, str]:
    """Who is refused, and why."""
    cache = Cache()
    for each in owners:
        cache.put("canarydeployments", each)
    found = {}
    for key in cache.keys("canarydeployments"):
        each = cache.get("canarydeployments", key)
        assert each is not None
        try:
            refuse_taken_routes(each, cache)
        except Obstacle as obstacle:
            found[each["metadata"]["name"]] = obstacle.message
    return found


def test_the_second_waits_and_is_told_the_name_of_the_first() -> None:
    told = refusals(owner("first", "10:00"), owner("second", "11:00"))
    assert list(told) == ["second"]
    assert "CanaryDeployment ml/first" in told["second"]


def test_a_rollout_under_way_comes_before_an_older_object() -> None:
    assert list(refusals(owner("older", "10:00"), owner("running", "11:00", phase="Progressing"))) == ["older"]


def test_one_that_has_ended_still_looks_after_its_traffic_I6() -> None:
    assert list(refusals(owner("older", "10:00"), owner("done", "11:00", phase="Promoted"))) == ["older"]


def test_one_that_cannot_begin_stops_no_other_I9() -> None:
    wrong = owner("wrong", "10:00")
    wrong["status"] = {"conditions": [{"type": "Stalled", "status": "True", "reason": "PolicyNotFound"}]}
    assert list(refusals(wrong, owner("right", "11:00"))) == ["wrong"]


@pytest.mark.parametrize(
    "other",
    [
        owner("other", "11:00", routes=["other"]),
        owner("other", "11:00", host="elsewhere"),
        owner("other", "11:00", virtualServices=[{"name": "elsewhere"}]),
        owner("other", "11:00", virtualServices=[{"name": "shop/predictor"}]),
    ],
)
def test_other_routes_are_nobody_elses_business(other: dict[str, Any]) -> None:
    assert refusals(owner("first", "10:00", routes=["primary"]), other) == {}


def test_all_routes_include_a_named_one() -> None:
    assert list(refusals(owner("first", "10:00"), owner("second", "11:00", routes=["primary"]))) == ["second"]


def test_the_next_one_goes_on_when_the_first_is_gone_or_names_others() -> None:
    cache = Cache()
    for each in (owner("first", "10:00"), owner("second", "11:00")):
        cache.put("canarydeployments", each)
    second = cache.get("canarydeployments", ("ml", "second"))
    assert second is not None
    with pytest.raises(Obstacle):
        refuse_taken_routes(second, cache)
    moved = owner("first", "10:00", virtualServices=[{"name": "elsewhere"}])
    moved["metadata"]["resourceVersion"] = "2"
    cache.put("canarydeployments", moved)
    refuse_taken_routes(second, cache)
    cache.drop("canarydeployments", ("ml", "first"))
    refuse_taken_routes(second, cache)
