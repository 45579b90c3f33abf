"""A patch moves weights and names the decision; everything else stays, and is as it was when the rollout is over."""

import copy
from typing import Any

import pytest

from serinus.api.traffic import AudienceMatch, Cohort
from serinus.istio import ADDED_ANNOTATION, DECISION_ANNOTATION, Split, decision_on, weights_patch
from tests.istio.objects import apply, destination, find, primary, virtual_service

SPLIT = primary(destination("stable", 90), destination("canary", 10))
INTERNAL = (AudienceMatch(header="x-internal", exact="true"), AudienceMatch(header="x-team", prefix="ml-"))
BY_HASH = Cohort(header="x-user-id")


def patched(service: dict[str, Any], split: Split, decision: str = "r1/2-promote") -> dict[str, Any]:
    return apply(service, weights_patch(service, find(service), split, decision=decision))


def weights(service: dict[str, Any], index: int = 0, protocol: str = "http") -> list[int]:
    return [entry["weight"] for entry in service["spec"][protocol][index]["route"]]


def test_only_weights_and_our_annotation_change_I5() -> None:
    service = virtual_service(
        {"name": "other", "route": [destination("stable", 100, host="elsewhere")]},
        primary(
            destination("stable", 90, headers={"request": {"set": {"x": "1"}}}),
            destination("canary", 10),
            match=[{"uri": {"prefix": "/predict"}}],
            retries={"attempts": 3},
            timeout="2s",
            mirror={"host": "shadow"},
        ),
        annotations={"owner": "team-ml"},
    )
    expected = copy.deepcopy(service)
    expected["spec"]["http"][1]["route"][0]["weight"] = 75
    expected["spec"]["http"][1]["route"][1]["weight"] = 25
    expected["metadata"]["annotations"][DECISION_ANNOTATION] = "r1/2-promote"
    assert patched(service, Split("canary", 25)) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda routes: routes.insert(0, {"name": "new", "route": []}),
        lambda routes: routes[0].update(name="renamed"),
        lambda routes: routes[0]["route"].reverse(),
        lambda routes: routes[0]["route"][0].update(weight=50),
        lambda routes: routes[0]["route"][1]["destination"].update(subset="v3"),
        lambda routes: routes[0]["route"][1]["destination"].update(host="elsewhere"),
        lambda routes: routes[0]["route"].append(destination("v9", 0)),
    ],
)
def test_a_virtual_service_that_has_changed_refuses_the_patch(change: Any) -> None:
    service = virtual_service(copy.deepcopy(SPLIT), annotations={"a": "b"})
    operations = copy.deepcopy(weights_patch(service, find(service), Split("canary", 25), decision="r1/2-promote"))
    change(service["spec"]["http"])
    with pytest.raises((AssertionError, KeyError, IndexError)):
        apply(service, operations)


def test_copies_are_only_put_into_the_object_that_was_read() -> None:
    service = virtual_service(copy.deepcopy(SPLIT), annotations={"a": "b"})
    operations = weights_patch(service, find(service), Split("canary", 25, INTERNAL), decision="r1/2-promote")
    service["metadata"]["resourceVersion"] = "8"
    with pytest.raises(AssertionError, match="resourceVersion"):
        apply(service, operations)


def test_the_first_annotation_is_only_added_to_the_object_that_was_read() -> None:
    service = virtual_service(SPLIT)
    operations = weights_patch(service, find(service), Split("canary", 25), decision="r1/1-start")
    assert apply(service, operations)["metadata"]["annotations"] == {DECISION_ANNOTATION: "r1/1-start"}
    service["metadata"] |= {"resourceVersion": "8", "annotations": {"somebody": "else"}}
    with pytest.raises(AssertionError):
        apply(service, operations)


def test_no_decision_is_carried_out_over_one_that_came_after_the_object_was_read_I4() -> None:
    """The weights may be the same again, as those of a later rollout's step."""
    service = virtual_service(SPLIT, annotations={DECISION_ANNOTATION: "r1/1-start"})
    operations = weights_patch(service, find(service), Split("canary", 0), decision="r1/2-rollback")
    service["metadata"]["annotations"][DECISION_ANNOTATION] = "r2/1-start"
    with pytest.raises(AssertionError):
        apply(service, operations)


def test_a_weight_that_is_left_out_is_zero() -> None:
    service = virtual_service(primary(destination("stable", 100), destination("canary")), annotations={"a": "b"})
    assert weights(patched(service, Split("canary", 10))) == [90, 10]


@pytest.mark.parametrize("protocol", ["http", "tls", "tcp"])
def test_a_canary_destination_is_added_and_after_a_rollback_removed(protocol: str) -> None:
    stable = (
        destination("stable", headers={"request": {"remove": ["x"]}}) if protocol == "http" else destination("stable")
    )
    stable["destination"]["port"] = {"number": 8080}
    service = virtual_service(annotations={"owner": "team-ml"})
    service["spec"] = {protocol: [{"route": [stable]}]}
    started = patched(service, Split("canary", 10))
    assert weights(started, 0, protocol) == [90, 10]
    assert started["spec"][protocol][0]["route"][1] == {
        **stable,
        "destination": {**stable["destination"], "subset": "canary"},
        "weight": 10,
    }
    assert started["metadata"]["annotations"][ADDED_ANNOTATION] == f'["{protocol}[0]"]'
    risen = patched(started, Split("canary", 60))
    assert weights(risen, 0, protocol) == [40, 60]
    rolled_back = patched(risen, Split("canary", 0), decision="r1/3-rollback")
    service["spec"][protocol][0]["route"][0]["weight"] = 100
    service["metadata"]["annotations"][DECISION_ANNOTATION] = "r1/3-rollback"
    assert rolled_back == service


def test_a_canary_destination_that_its_owner_wrote_stays_after_a_rollback() -> None:
    service = virtual_service(SPLIT, annotations={"a": "b"})
    assert weights(patched(service, Split("canary", 0))) == [100, 0]


def test_after_a_promotion_an_added_destination_has_everything_and_the_next_rollout_can_remove_it() -> None:
    service = virtual_service(primary(destination("stable")), annotations={"a": "b"})
    promoted = patched(patched(service, Split("canary", 50)), Split("canary", 100))
    assert weights(promoted) == [0, 100]
    assert weights(patched(promoted, Split("canary", 0))) == [100]


def test_the_audience_has_routes_of_its_own_before_the_others_and_at_the_end_none_R16() -> None:
    first = {"name": "health", "match": [{"uri": {"exact": "/healthz"}}], "route": [destination("stable", host="h")]}
    split = {
        **SPLIT,
        "match": [{"name": "v1", "uri": {"prefix": "/v1"}}, {"uri": {"prefix": "/v2"}}],
        "timeout": "2s",
        "futureField": {"kept": True},
    }
    service = virtual_service(first, split, annotations={"a": "b"})
    started = patched(service, Split("canary", 25, INTERNAL))
    names = [route["name"] for route in started["spec"]["http"]]
    assert names == ["health", "serinus/audience/primary", "primary"]
    copied = started["spec"]["http"][1]
    internal, team = {"x-internal": {"exact": "true"}}, {"x-team": {"prefix": "ml-"}}
    assert copied["match"] == [
        {"uri": {"prefix": "/v1"}, "headers": internal},
        {"uri": {"prefix": "/v1"}, "headers": team},
        {"uri": {"prefix": "/v2"}, "headers": internal},
        {"uri": {"prefix": "/v2"}, "headers": team},
    ]
    assert [(entry["destination"]["subset"], entry["weight"]) for entry in copied["route"]] == [
        ("canary", 25),
        ("stable", 75),
    ]
    assert {name: copied[name] for name in ("timeout", "futureField")} == {
        "timeout": "2s",
        "futureField": {"kept": True},
    }
    assert weights(started, 2) == [100, 0]
    assert [route.weights for route in find(started)] == [(25,)]

    risen = patched(started, Split("canary", 50, INTERNAL))
    assert [route["name"] for route in risen["spec"]["http"]] == names
    assert weights(risen, 1) == [50, 50]

    rolled_back = patched(risen, Split("canary", 0))
    assert rolled_back["spec"]["http"][0] == first
    assert rolled_back["spec"]["http"][1] == {**split, "route": [destination("stable", 100), destination("canary", 0)]}
    assert weights(patched(risen, Split("canary", 100)), 1) == [0, 100]


def test_a_cohort_has_a_route_for_requests_with_an_id_and_the_owners_is_for_those_without_R17() -> None:
    service = virtual_service(SPLIT, annotations={"a": "b"})
    started = patched(service, Split("canary", 25, cohort=BY_HASH, salt="r1"))
    kept, owners = started["spec"]["http"]
    assert kept["name"] == "serinus/cohort/primary"
    assert kept["match"] == [{"headers": {"x-user-id": {"regex": ".+"}}}]
    assert [entry["destination"]["subset"] for entry in kept["route"]] == ["canary", "stable"]
    assert owners == primary(destination("stable", 75), destination("canary", 25))


def test_a_cohort_within_an_audience_leaves_everybody_else_on_stable() -> None:
    service = virtual_service(SPLIT, annotations={"a": "b"})
    started = patched(service, Split("canary", 25, INTERNAL[:1], BY_HASH, "r1"))
    assert [route["name"] for route in started["spec"]["http"]] == [
        "serinus/cohort/primary",
        "serinus/audience/primary",
        "primary",
    ]
    assert [weights(started, index) for index in range(3)] == [[25, 75], [25, 75], [100, 0]]


def test_another_canarys_copies_in_the_same_object_are_left_and_those_of_a_route_that_is_gone_are_not() -> None:
    other = {"name": "other", "route": [destination("stable", 100, host="elsewhere")]}
    theirs = {**other, "name": "serinus/audience/other", "match": [{"headers": {"x": {"exact": "1"}}}]}
    orphan = {**SPLIT, "name": "serinus/audience/renamed"}
    service = virtual_service(theirs, other, orphan, SPLIT, annotations={"a": "b"})
    started = patched(service, Split("canary", 25, INTERNAL))
    assert [route["name"] for route in started["spec"]["http"]] == [
        "serinus/audience/other",
        "other",
        "serinus/audience/primary",
        "primary",
    ]
    assert patched(started, Split("canary", 0))["spec"]["http"][:2] == [theirs, other]


def test_an_audience_may_be_told_by_the_users_ids() -> None:
    ours = (AudienceMatch(header="x-user-id", prefix="staff-"),)
    started = patched(virtual_service(SPLIT, annotations={"a": "b"}), Split("canary", 25, ours, BY_HASH, "r1"))
    assert [route["match"] for route in started["spec"]["http"][:2]] == [
        [{"headers": {"x-user-id": {"prefix": "staff-"}}}],
        [{"headers": {"x-user-id": {"prefix": "staff-"}}}],
    ]


def test_what_its_owner_edits_in_the_middle_is_in_the_next_copies() -> None:
    started = patched(virtual_service(SPLIT, annotations={"a": "b"}), Split("canary", 25, INTERNAL))
    started["spec"]["http"][1]["timeout"] = "9s"
    assert patched(started, Split("canary", 50, INTERNAL))["spec"]["http"][0]["timeout"] == "9s"


def test_a_damaged_note_of_what_was_added_removes_nothing() -> None:
    service = virtual_service(SPLIT, annotations={ADDED_ANNOTATION: "no json"})
    assert weights(patched(service, Split("canary", 0))) == [100, 0]


def test_weights_that_somebody_else_gave_to_one_of_our_routes_are_seen_I6() -> None:
    split = Split("canary", 25, cohort=BY_HASH, salt="r1")
    started = patched(virtual_service(SPLIT, annotations={"a": "b"}), split)
    assert find(started)[0].weights == (25, 25)
    for entry, weight in zip(started["spec"]["http"][0]["route"], (90, 10), strict=True):
        entry["weight"] = weight
    assert find(started)[0].weights == (90, 25)


def test_the_decisions_of_rollouts_that_move_other_routes_stay_noted_and_all_others_go_I4() -> None:
    noted = "checkout-11111111/3-rollback gone-22222222/7-deleted predictor-00000000/5-promote"
    service = virtual_service(SPLIT, annotations={DECISION_ANNOTATION: noted})
    operations = weights_patch(
        service,
        find(service),
        Split("canary", 25),
        decision="predictor-99999999/2-promote",
        beside={"checkout-11111111", "search-33333333"},
    )
    patched = apply(service, operations)
    assert patched["metadata"]["annotations"][DECISION_ANNOTATION] == (
        "checkout-11111111/3-rollback predictor-99999999/2-promote"
    )
    assert decision_on(patched, "checkout-11111111") == "checkout-11111111/3-rollback"
    assert decision_on(patched, "predictor-99999999") == "predictor-99999999/2-promote"
    assert decision_on(patched, "predictor-00000000") == ""
