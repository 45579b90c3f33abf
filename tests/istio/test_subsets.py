"""A subset's labels change; its trafficPolicy and all other subsets stay."""

from typing import Any

from serinus.istio import subset_labels, subset_patch


def rule(*subsets: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": "7"}, "spec": {"host": "predictor", "subsets": list(subsets)}}


V1 = {"name": "stable", "labels": {"version": "v1"}, "trafficPolicy": {"tls": {"mode": "DISABLE"}}}


def test_labels_are_read_as_they_are() -> None:
    assert subset_labels(rule(V1), "stable") == {"version": "v1"}
    assert subset_labels(rule(V1), "canary") is None
    assert subset_labels(rule({"name": "all"}), "all") == {}


def test_a_known_subset_gets_new_labels_and_keeps_the_rest() -> None:
    assert subset_patch(rule({"name": "other"}, V1), "stable", {"version": "v2"}) == [
        {"op": "test", "path": "/spec/subsets/1/name", "value": "stable"},
        {"op": "add", "path": "/spec/subsets/1/labels", "value": {"version": "v2"}},
    ]


def test_an_unknown_subset_is_added_at_the_end() -> None:
    added = {"name": "canary", "labels": {"version": "v2"}}
    assert subset_patch(rule(V1), "canary", {"version": "v2"}) == [
        {"op": "add", "path": "/spec/subsets/-", "value": added}
    ]


def test_the_first_subset_is_only_added_to_the_object_that_was_read() -> None:
    operations = subset_patch(rule(), "canary", {"version": "v2"})
    assert operations[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}
