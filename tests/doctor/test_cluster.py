"""Before anything moves, what stands in a rollout's way is found, each thing by itself, with what to do about it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from serinus.api import CanaryDeployment
from serinus.doctor import ISTIO, Right, Served, as_in_cluster, rights_for
from serinus.doctor.examination import examine_cluster
from serinus.doctor.rights import EVERYWHERE, FOR_COHORTS, FOR_SECRETS
from tests.doctor.facts import deployment, facts, found, manifest, named, objects, only
from tests.istio.objects import destination, primary, virtual_service

DEPLOY = Path(__file__).parents[2] / "deploy"
RBAC = (DEPLOY / "base" / "rbac.yaml", DEPLOY / "cluster" / "secrets.yaml")


def test_a_cluster_that_is_as_it_should_be_has_no_errors_and_no_warnings() -> None:
    assert found(facts()) == []
    checks = {each.check for each in examine_cluster(facts())}
    assert checks == {"resources", "rights", "policy", "routes", "subsets", "endpoints", "workloads", "owners"}


@pytest.mark.parametrize("version", ["v1.28.9", "", "v0.99.0"])
def test_an_old_kubernetes_is_an_error(version: str) -> None:
    assert "Kubernetes" in only(facts(served=replace(facts().served, version=version))).what


def test_a_resource_that_is_not_served_is_named() -> None:
    served = facts().served
    without = Served(served.version, {**served.resources, ISTIO: served.resources[ISTIO] - {"workloadentries"}})
    finding = only(facts(served=without))
    assert (finding.level, finding.what) == ("error", "networking.istio.io/v1 is not served: workloadentries")


def test_a_right_that_the_operator_lacks_is_an_error_that_names_it() -> None:
    finding = only(facts(refused=[Right("networking.istio.io", "virtualservices", "patch")]))
    assert finding.level == "error"
    assert finding.what == "serinus-system/serinus may not, in ml: patch virtualservices.networking.istio.io"


def test_who_may_not_ask_for_rights_is_warned() -> None:
    assert only(facts(refused=None)).level == "warning"


def test_the_rights_that_are_looked_for_are_those_that_the_operator_is_given() -> None:
    """Leases apart: they are no matter of a rollout's namespace."""
    objects = (each for path in RBAC for each in yaml.safe_load_all(path.read_text()))
    roles = {each["metadata"]["name"]: each for each in objects if "rules" in each}
    given = {
        Right(group, resource, verb)
        for name in ("serinus", "serinus-secrets")
        for rule in roles[name]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert {*EVERYWHERE, *FOR_COHORTS, *FOR_SECRETS} == given


def test_rights_are_looked_for_only_where_the_spec_needs_them() -> None:
    def needed(**changes: Any) -> set[Right]:
        return {*rights_for(CanaryDeployment.model_validate(manifest(**changes)).spec)} - {*EVERYWHERE}

    traffic = manifest()["spec"]["traffic"]
    assert needed() == set()
    assert needed(traffic={**traffic, "cohort": {"header": "x-user"}}) == {*FOR_COHORTS}
    assert needed(traffic={**traffic, "cohort": {"cookie": "id", "by": "setCookie"}}) == set()
    assert needed(notify=[{"secretRef": {"name": "s"}}]) == {*FOR_SECRETS}
    assert needed(prometheus={"secretRef": {"name": "s"}}) == {*FOR_SECRETS}


@pytest.mark.parametrize(
    ("kind", "check", "told"),
    [
        ("virtualservices", "routes", "no VirtualService ml/predictor"),
        ("destinationrules", "subsets", "there is no DestinationRule 'predictor'"),
    ],
)
def test_an_object_that_is_not_there_is_an_error(kind: str, check: str, told: str) -> None:
    errors = [each for each in found(facts(objects=objects() | {kind: []})) if each.level == "error"]
    assert [each.check for each in errors] == [check]
    assert told in errors[0].what


def test_a_route_that_cannot_carry_the_canary_is_told_as_the_operator_tells_it() -> None:
    service = virtual_service(primary(destination("other", 100)), uid="predictor")
    finding = only(facts(objects=objects() | {"virtualservices": [service]}))
    assert (finding.level, finding.check) == ("error", "routes")
    assert "route primary has no destination for subset 'stable'" in finding.what


def test_a_policy_that_is_not_there_is_an_error_and_the_rest_of_the_manifest_waits() -> None:
    finding = only(facts(manifest(policyRef={"name": "payments"})))
    assert (finding.level, finding.what) == ("error", "spec.policyRef: no CanaryPolicy ml/payments")


def test_a_stable_that_does_not_serve_is_an_error_with_the_stanza_to_apply() -> None:
    stable = {"subset": "stable", "labels": {"version": "v3"}}
    errors = [each for each in found(facts(manifest(stable=stable))) if each.check == "subsets"]
    assert [each.level for each in errors] == ["error"]
    assert "Apply this first: stable: {subset: stable, labels: {version: v1}}" in errors[0].what


def test_a_canary_that_has_traffic_already_is_a_warning() -> None:
    service = virtual_service(primary(destination("stable", 90), destination("canary", 10)), uid="predictor")
    assert only(facts(objects=objects() | {"virtualservices": [service]})).what.startswith("the canary has 10 %")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_arm_without_ready_endpoints_is_an_error(version: str) -> None:
    pods = [each for each in objects()["pods"] if each["metadata"]["labels"]["version"] != version]
    finding = only(facts(objects=objects() | {"pods": pods}))
    assert (finding.level, finding.check) == ("error", "endpoints")
    assert f"with version={version}" in finding.what


def test_the_canarys_endpoints_are_counted_by_the_labels_that_its_subset_will_have() -> None:
    rule = objects()["destinationrules"][0]
    rule["spec"]["subsets"].append({"name": "canary", "labels": {"version": "v0"}})
    assert found(facts(objects=objects() | {"destinationrules": [rule]})) == []


def test_a_host_of_which_nobody_can_tell_the_endpoints_is_a_warning_for_each_arm() -> None:
    assert [each.level for each in found(facts(objects=objects() | {"services": []}))] == ["warning"] * 2


def test_without_workloads_it_says_what_is_not_seen() -> None:
    given = manifest()
    del given["spec"]["workloads"]
    finding = only(facts(given))
    assert finding.level == "warning"
    assert "pod templates are not seen" in finding.why


def test_a_workload_that_is_not_there_is_an_error() -> None:
    finding = only(facts(objects=objects() | {"deployments": [deployment("predictor-v1", 2)]}))
    assert finding.what == "spec.workloads.canary: there is no Deployment predictor-v2 in namespace ml"


@pytest.mark.parametrize(("least", "told"), [(1, ["too few for the step at 100 %"]), (2, [])])
def test_an_autoscaler_must_leave_the_replicas_that_each_rise_waits_for(least: int, told: list[str]) -> None:
    """A rise waits for pods, and the autoscaler for load: where both wait, nothing moves."""
    target = {"kind": "Deployment", "name": "predictor-v2"}
    scaler = named("predictor", spec={"minReplicas": least, "scaleTargetRef": target})
    findings = [each.what for each in found(facts(autoscalers=[scaler]))]
    assert [what.split(": ")[1] for what in findings] == told


def test_another_canary_deployment_on_the_same_route_is_an_error_I4() -> None:
    other = as_in_cluster(manifest(), None)
    other["metadata"] |= {"name": "other", "uid": "other", "creationTimestamp": "2026-11-21T10:00:00Z"}
    finding = only(facts(objects=objects() | {"canarydeployments": [other]}))
    assert (finding.level, finding.check) == ("error", "owners")
    assert "is moved by CanaryDeployment ml/other" in finding.what


def test_it_is_not_its_own_rival() -> None:
    own = as_in_cluster(manifest(), None)
    own["metadata"] |= {"uid": "own", "creationTimestamp": "2026-11-21T10:00:00Z"}
    assert found(facts(objects=objects() | {"canarydeployments": [own]})) == []
