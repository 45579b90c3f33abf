"""A patch moves weights and names the decision; everything else stays, and what is ambiguous is refused by name."""

import copy
from typing import Any

import pytest

from serinus.istio import DECISION_ANNOTATION, LayoutError, Operation, arm_routes, canonical_host, weights_patch


def destination(subset: str, weight: int | None = None, host: str = "predictor", **more: Any) -> dict[str, Any]:
    entry = {"destination": {"host": host, "subset": subset}, **more}
    return entry if weight is None else {**entry, "weight": weight}


def virtual_service(*routes: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "ml", "name": "predictor", "resourceVersion": "7", **metadata},
        "spec": {"http": list(routes)},
    }


def primary(*destinations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "primary", "route": list(destinations), **more}


SPLIT = primary(destination("stable", 90), destination("canary", 10))


def find(service: dict[str, Any], only: tuple[str, ...] = ()) -> Any:
    return arm_routes(service, host="predictor", stable="stable", canary="canary", only=only)


def apply(target: dict[str, Any], operations: list[Operation]) -> dict[str, Any]:
    """A small reading of RFC 6902, enough for what a patch may contain here; a failed test raises."""
    result = copy.deepcopy(target)
    for operation in operations:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        node: Any = result
        for part in parts[:-1]:
            node = node[int(part)] if isinstance(node, list) else node[part]
        key: Any = int(parts[-1]) if isinstance(node, list) else parts[-1]
        if operation["op"] == "test":
            assert node[key] == operation["value"], operation
        else:
            node[key] = operation["value"]
    return result


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
    patched = apply(service, weights_patch(service, find(service), weight=25, decision="r1/2-promote"))
    expected = copy.deepcopy(service)
    expected["spec"]["http"][1]["route"][0]["weight"] = 75
    expected["spec"]["http"][1]["route"][1]["weight"] = 25
    expected["metadata"]["annotations"][DECISION_ANNOTATION] = "r1/2-promote"
    assert patched == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda routes: routes.insert(0, {"name": "new", "route": []}),
        lambda routes: routes[0].update(name="renamed"),
        lambda routes: routes[0]["route"].reverse(),
        lambda routes: routes[0]["route"][0].update(weight=50),
        lambda routes: routes[0]["route"][1]["destination"].update(subset="v3"),
        lambda routes: routes[0]["route"][1]["destination"].update(host="elsewhere"),
    ],
)
def test_a_virtual_service_that_has_changed_refuses_the_patch(change: Any) -> None:
    service = virtual_service(copy.deepcopy(SPLIT), annotations={"a": "b"})
    operations = weights_patch(service, find(service), weight=25, decision="r1/2-promote")
    change(service["spec"]["http"])
    with pytest.raises((AssertionError, KeyError, IndexError)):
        apply(service, operations)


def test_the_first_annotation_is_only_added_to_the_object_that_was_read() -> None:
    service = virtual_service(SPLIT)
    operations = weights_patch(service, find(service), weight=25, decision="r1/1-start")
    assert apply(service, operations)["metadata"]["annotations"] == {DECISION_ANNOTATION: "r1/1-start"}
    service["metadata"] |= {"resourceVersion": "8", "annotations": {"somebody": "else"}}
    with pytest.raises(AssertionError):
        apply(service, operations)


@pytest.mark.parametrize("host", ["predictor", "predictor.ml.svc.cluster.local"])
def test_a_short_host_and_its_full_form_are_the_same(host: str) -> None:
    service = virtual_service(primary(destination("stable", 100, host=host), destination("canary", 0, host=host)))
    assert find(service)[0].weight == 0
    assert canonical_host(host, "ml") == "predictor.ml.svc.cluster.local"


def test_a_weight_that_is_left_out_is_zero() -> None:
    service = virtual_service(primary(destination("stable", 100), destination("canary")), annotations={"a": "b"})
    patched = apply(service, weights_patch(service, find(service), weight=10, decision="d"))
    assert [entry["weight"] for entry in patched["spec"]["http"][0]["route"]] == [90, 10]


@pytest.mark.parametrize(
    ("service", "only", "words"),
    [
        (virtual_service(SPLIT, SPLIT), ("primary",), "more than one HTTP route named 'primary'"),
        (virtual_service(SPLIT), ("main",), "no HTTP route named 'main'; it has: primary"),
        (virtual_service({"route": [destination("stable", 100, host="b")]}), (), "no HTTP route to predictor.ml.svc"),
        (
            virtual_service(primary(destination("stable", 100))),
            (),
            "route primary has no destination for subset 'canary'",
        ),
        (
            virtual_service(primary(destination("stable", 50), destination("canary", 25), destination("canary", 25))),
            (),
            "more than one destination for subset 'canary'",
        ),
        (
            virtual_service(primary(destination("stable", 50), destination("canary", 25), destination("v9", 25))),
            (),
            "1 more destination(s) beside",
        ),
        (virtual_service(primary(destination("stable", 0), destination("canary", 0))), (), "must add up to 100"),
        (virtual_service(primary(destination("stable", 3), destination("canary", 1))), (), "weights 3 and 1"),
    ],
)
def test_what_cannot_carry_the_canary_is_refused_by_name(
    service: dict[str, Any], only: tuple[str, ...], words: str
) -> None:
    with pytest.raises(LayoutError, match="VirtualService ml/predictor") as refusal:
        find(service, only)
    assert words in str(refusal.value)
