"""Whoever else writes the weights is named before the two fight."""

from typing import Any

import pytest

from tests.doctor.facts import facts, found, manifest, objects, only

IGNORED = {"group": "networking.istio.io", "kind": "VirtualService", "jsonPointers": ["/spec/http"]}
SERVICE = {"group": "networking.istio.io", "kind": "VirtualService", "namespace": "ml", "name": "predictor"}


def marked(**metadata: Any) -> dict[Any, Any]:
    given = objects()
    given["virtualservices"][0]["metadata"] |= metadata
    return given


def application(*, heals: bool = True, respects: bool = True, ignored: list[dict[str, Any]] | None = None) -> Any:
    options = ["RespectIgnoreDifferences=true"] * respects
    policy = {"automated": {"selfHeal": heals}, "syncOptions": options}
    return {
        "metadata": {"name": "ml"},
        "spec": {"syncPolicy": policy, "ignoreDifferences": ignored or []},
        "status": {"resources": [SERVICE]},
    }


def test_an_object_that_another_controller_made_is_an_error() -> None:
    owner = {"kind": "Canary", "name": "predictor", "controller": True}
    assert only(facts(objects=marked(ownerReferences=[owner]))).level == "error"


def test_an_owner_that_controls_nothing_is_none() -> None:
    owner = {"kind": "Canary", "name": "predictor"}
    assert found(facts(objects=marked(ownerReferences=[owner]))) == []


def test_argo_cd_that_heals_itself_is_an_error_and_without_that_a_warning() -> None:
    assert only(facts(applications=[application()])).level == "error"
    assert only(facts(applications=[application(heals=False)])).level == "warning"


@pytest.mark.parametrize("paths", [{"jsonPointers": ["/spec/http"]}, {"jqPathExpressions": [".spec.http[].route"]}])
def test_argo_cd_that_leaves_the_routes_alone_is_fine(paths: dict[str, Any]) -> None:
    ignored = {"group": "networking.istio.io", "kind": "VirtualService", **paths}
    assert found(facts(applications=[application(ignored=[ignored])])) == []


@pytest.mark.parametrize(
    "given",
    [
        application(ignored=[IGNORED], respects=False),
        application(ignored=[{**IGNORED, "name": "another"}]),
        application(ignored=[{**IGNORED, "kind": "DestinationRule"}]),
        application(ignored=[{**IGNORED, "jsonPointers": ["/spec/hosts"]}]),
    ],
    ids=["differences are shown, not respected", "another object", "another kind", "another field"],
)
def test_argo_cd_that_leaves_something_else_alone_is_an_error(given: Any) -> None:
    assert only(facts(applications=[given])).level == "error"


def test_an_application_that_does_not_manage_the_object_says_nothing() -> None:
    other = application()
    other["status"]["resources"] = [{**SERVICE, "namespace": "other"}]
    assert found(facts(applications=[other])) == []


def test_argo_cds_mark_without_its_application_is_a_warning() -> None:
    mark = {"argocd.argoproj.io/tracking-id": "ml:networking.istio.io/VirtualService:ml/predictor"}
    assert only(facts(objects=marked(annotations=mark))).level == "warning"
    assert only(facts(objects=marked(annotations=mark), applications=[application()])).level == "error"


def test_flux_is_a_warning_unless_it_leaves_the_object_alone() -> None:
    labels = {"kustomize.toolkit.fluxcd.io/name": "ml"}
    assert "Flux (Kustomization ml)" in only(facts(objects=marked(labels=labels))).what
    alone = {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}
    assert found(facts(objects=marked(labels=labels, annotations=alone))) == []


def test_a_destination_rule_counts_only_where_serinus_keeps_its_subsets() -> None:
    given = objects()
    rule = given["destinationrules"][0]
    rule["metadata"]["labels"] = {"kustomize.toolkit.fluxcd.io/name": "ml"}
    assert "DestinationRule ml/predictor" in only(facts(objects=given)).what
    rule["spec"]["subsets"].append({"name": "canary", "labels": {"version": "v2"}})
    kept = manifest(stable={"subset": "stable"}, canary={"subset": "canary"})
    assert found(facts(kept, objects=given)) == []
