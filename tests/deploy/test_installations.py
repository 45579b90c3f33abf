"""What each installation consists of: the rights it asks for, how its pod runs, and that Helm installs the same."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.programs.parts import HELM
from lab.stack.workload import REPOSITORY
from tests.deploy.manifests import CHART, DEPLOY, Object, helm, kustomized, of_kind, options, pod_of, ran

INSTALLATIONS = {"base": "serinus-system", "overlays/ha": "serinus-system", "overlays/namespaced": "demo"}
"""Each directory, and the namespace that the operator is in."""
VALUES: dict[str, dict[str, object]] = {
    "base": {},
    "overlays/ha": {"highAvailability": True},
    "overlays/namespaced": {"namespaced": True},
}


@pytest.fixture(params=INSTALLATIONS)
def directory(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def by_name(objects: tuple[Object, ...]) -> dict[tuple[str, str], Object]:
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


def rules(objects: tuple[Object, ...], kind: str, name: str) -> list[Any]:
    (role,) = (each for each in of_kind(objects, kind) if each["metadata"]["name"] == name)
    found: list[Any] = role["rules"]
    return found


def test_the_pod_writes_nowhere_but_into_its_own_memory(directory: str) -> None:
    pod = pod_of(kustomized(directory))
    assert all(container["securityContext"]["readOnlyRootFilesystem"] for container in pod["containers"])
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]
    assert [container["volumeMounts"] for container in pod["containers"]] == [[{"name": "tmp", "mountPath": "/tmp"}]]


def test_every_binding_is_to_the_account_that_the_pod_runs_as(directory: str) -> None:
    objects, namespace = kustomized(directory), INSTALLATIONS[directory]
    account = {"kind": "ServiceAccount", "name": pod_of(objects)["serviceAccountName"], "namespace": namespace}
    bindings = of_kind(objects, "RoleBinding") + of_kind(objects, "ClusterRoleBinding")
    assert [each["subjects"] for each in bindings] == [[account]] * 2
    assert [each["metadata"]["namespace"] for each in of_kind(objects, "ServiceAccount")] == [namespace]
    roles = {(each["kind"], each["metadata"]["name"]) for each in objects}
    assert all((each["roleRef"]["kind"], each["roleRef"]["name"]) in roles for each in bindings)


def test_selectors_find_the_operators_pods(directory: str) -> None:
    objects = kustomized(directory)
    (deployment,) = of_kind(objects, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for kind in ("NetworkPolicy", "PodDisruptionBudget"):
        for each in of_kind(objects, kind):
            selector = each["spec"].get("podSelector") or each["spec"]["selector"]
            assert selector["matchLabels"].items() <= labels.items()


def test_only_the_port_of_health_and_metrics_can_be_reached(directory: str) -> None:
    (policy,) = of_kind(kustomized(directory), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    assert [rule["ports"] for rule in policy["spec"]["ingress"]] == [[{"port": "http"}]]


def test_an_installation_for_one_namespace_needs_no_rights_in_the_cluster() -> None:
    objects = kustomized("overlays/namespaced")
    assert {each["kind"] for each in objects} == {
        "Deployment",
        "NetworkPolicy",
        "Role",
        "RoleBinding",
        "ServiceAccount",
    }
    assert {each["metadata"]["namespace"] for each in objects} == {"demo"}


def test_in_its_namespace_the_operator_may_do_what_it_may_in_a_cluster() -> None:
    everywhere = rules(kustomized("base"), "ClusterRole", "serinus")
    assert rules(kustomized("overlays/namespaced"), "Role", "serinus") == everywhere


def test_an_installation_for_one_namespace_watches_that_one() -> None:
    (container,) = pod_of(kustomized("overlays/namespaced"))["containers"]
    assert container["args"] == ["run", "--namespace=$(NAMESPACE)"]
    here = {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}
    assert here in container["env"]


def test_nothing_is_allowed_by_a_wildcard_and_secrets_are_read_only_where_somebody_binds_it() -> None:
    objects = kustomized("base")
    granted = [rule for kind in ("Role", "ClusterRole") for role in of_kind(objects, kind) for rule in role["rules"]]
    assert not [rule for rule in granted if "*" in rule["apiGroups"] + rule["resources"] + rule["verbs"]]
    secret = [rule for rule in rules(objects, "ClusterRole", "serinus") if "secrets" in rule["resources"]]
    assert secret == []
    assert rules(objects, "ClusterRole", "serinus-secrets") == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    ]
    bindings = of_kind(objects, "RoleBinding") + of_kind(objects, "ClusterRoleBinding")
    assert {each["roleRef"]["name"] for each in bindings} == {"serinus", "serinus-leases"}


def test_of_two_replicas_one_may_be_drained_and_they_are_spread() -> None:
    objects = kustomized("overlays/ha")
    (deployment,) = of_kind(objects, "Deployment")
    (budget,) = of_kind(objects, "PodDisruptionBudget")
    assert deployment["spec"]["replicas"] == 2
    assert budget["spec"]["maxUnavailable"] == 1
    spread = pod_of(objects)["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}


def test_what_is_the_clusters_comes_with_an_installation_for_the_cluster_only(directory: str) -> None:
    brought = by_name(kustomized(directory)).keys() & by_name(kustomized("cluster")).keys()
    assert brought == (set() if directory == "overlays/namespaced" else by_name(kustomized("cluster")).keys())


def test_helm_installs_the_same_but_what_is_applied_before(directory: str) -> None:
    before = {("Namespace", "serinus-system"), *by_name(kustomized("cluster"))}
    installed = {key: each for key, each in by_name(kustomized(directory)).items() if key not in before}
    assert by_name(helm(INSTALLATIONS[directory], **VALUES[directory])) == installed


def test_helm_sets_image_address_and_options() -> None:
    values = {"image": "registry:5000/serinus@sha256:00", "prometheus": "http://here:1", "args": ['--fence=a "b": c']}
    (container,) = pod_of(helm("ops", **values))["containers"]
    assert container["image"] == "registry:5000/serinus@sha256:00"
    assert {"name": "SERINUS_PROMETHEUS", "value": "http://here:1"} in container["env"]
    assert container["args"] == ["run", '--fence=a "b": c']


def test_helm_refuses_a_value_that_does_not_exist() -> None:
    told = ran(HELM, "template", "serinus", str(CHART), *options("ops", prometeus="http://here:1"), ends=1)
    assert "additional properties 'prometeus' not allowed" in told


def test_helm_has_nothing_to_say_against_the_chart() -> None:
    assert "0 chart(s) failed" in ran(HELM, "lint", "--strict", str(CHART))


def test_helm_refuses_a_kubernetes_that_is_too_old() -> None:
    told = ran(HELM, "template", "serinus", str(CHART), "--kube-version=1.28.9", ends=1)
    assert "chart requires kubeVersion: >=1.29.0" in told


def test_a_kustomization_of_ones_own_sets_what_the_documentation_says(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "installation.md").read_text()
    (shown,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    own = shown.replace("serinus/deploy", os.path.relpath(DEPLOY, tmp_path.resolve()))
    (tmp_path / "kustomization.yaml").write_text(own)
    (container,) = pod_of(kustomized(str(tmp_path)))["containers"]
    assert container["image"] == "registry.example.com/serinus:0.1.0"
    assert container["args"] == ["run", "--reporter=source"]
    assert {"name": "SERINUS_PROMETHEUS", "value": "http://prometheus.monitoring:9090"} in container["env"]


def test_an_overlay_of_ones_own_moves_everything_into_another_namespace(tmp_path: Path) -> None:
    there = os.path.relpath(DEPLOY / "overlays" / "namespaced", tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(f"namespace: shop\nresources: [{there}]\n")
    objects = kustomized(str(tmp_path))
    assert {each["metadata"]["namespace"] for each in objects} == {"shop"}
    assert {each["subjects"][0]["namespace"] for each in of_kind(objects, "RoleBinding")} == {"shop"}


def test_the_chart_is_of_the_programs_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], chart["appVersion"]) == (version, version)
    assert [each["image"] for each in pod_of(kustomized("base"))["containers"]] == [f"serinus:{version}"]
