"""Whoever applies the original manifests in the middle of a rollout: what the API server makes of it."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.errors import LabError
from lab.stack import Lab
from serinus.api.traffic import AudienceMatch
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import WriteConflict
from serinus.istio import DECISION_ANNOTATION, Split, arm_routes, weights_patch
from tests.istio.conftest import Routed

pytestmark = pytest.mark.api_server

EXAMPLE = Path(__file__).parents[2] / "examples" / "gitops"


@pytest.fixture
def git(istio: Lab, request: pytest.FixtureRequest) -> Any:
    """A manifest in Git, applied; named after the test."""
    name = request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")[:50].rstrip("-")
    delegate, _ = manifests("delegate")
    istio.kubectl("create", "namespace", name)
    return {**delegate, "metadata": {"name": "predictor-arms", "namespace": name}}


def manifests(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLE / f"{name}.yaml").read_text()))


def routed(istio: Lab, manifest: dict[str, Any]) -> Routed:
    namespace = manifest["metadata"]["namespace"]
    return Routed(istio, manifest["metadata"]["name"], namespace, f"predictor.{namespace}.svc.cluster.local")


def weights(service: dict[str, Any]) -> list[int]:
    return [entry["weight"] for entry in service["spec"]["http"][-1]["route"]]


def server_side(istio: Lab, manifest: dict[str, Any], *options: str) -> str:
    arguments = ("apply", "--server-side", "--field-manager=argocd", *options, "--filename=-")
    return istio.kubectl(*arguments, stdin=yaml.safe_dump(manifest))


def test_client_side_apply_brings_gits_weights_back_and_the_next_write_the_decided_ones_I6(
    istio: Lab, git: dict[str, Any]
) -> None:
    istio.apply([git])
    service = routed(istio, git)
    service.split(Split("canary", 25), "r/1-start")
    istio.apply([git])
    after = service.read()
    assert weights(after) == [100, 0]
    assert after["metadata"]["annotations"][DECISION_ANNOTATION] == "r/1-start"
    service.split(Split("canary", 25), "r/2-repair")
    assert weights(service.read()) == [75, 25]


def test_client_side_apply_takes_our_routes_away_and_the_next_write_brings_them_back(
    istio: Lab, git: dict[str, Any]
) -> None:
    istio.apply([git])
    service = routed(istio, git)
    split = Split("canary", 25, (AudienceMatch(header="x-internal", exact="true"),))
    service.split(split)
    started = service.read()
    istio.apply([git])
    assert [route["name"] for route in service.read()["spec"]["http"]] == ["arms"]
    service.split(split)
    assert service.read()["spec"] == started["spec"]


async def test_a_patch_made_from_what_was_there_before_the_apply_is_a_conflict_I4(
    istio: Lab, git: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    istio.apply([git])
    service = routed(istio, git)
    service.split(Split("canary", 25))
    seen = service.read()
    istio.apply([git])
    monkeypatch.setenv("KUBECONFIG", os.fspath(istio.kubeconfig))
    kube = await Kube.connect()
    (routes,) = arm_routes(seen, host=service.host, stable="stable", canary="canary")
    with pytest.raises(WriteConflict):
        await kube.patch(
            "virtualservices", seen, weights_patch(seen, routes, Split("canary", 50), decision="r/2-promote")
        )
    await kube.close()
    assert weights(service.read()) == [100, 0]


def test_another_manager_meets_a_conflict_that_names_the_routes_unless_it_forces(
    istio: Lab, git: dict[str, Any]
) -> None:
    server_side(istio, git)
    service = routed(istio, git)
    service.split(Split("canary", 25))
    with pytest.raises(LabError, match=r"conflict.*\.spec\.http"):
        server_side(istio, git)
    assert weights(service.read()) == [75, 25]
    server_side(istio, git, "--force-conflicts")
    assert weights(service.read()) == [100, 0]


def test_without_the_routes_as_flux_and_argo_cd_are_told_to_apply_it_a_rollout_goes_on(
    istio: Lab, git: dict[str, Any]
) -> None:
    server_side(istio, git)
    service = routed(istio, git)
    service.split(Split("canary", 25))
    # Both take the ignored fields out of what they apply, or fill them in from what is there.
    live = service.read()
    server_side(istio, {**git, "spec": {"http": live["spec"]["http"]}}, "--force-conflicts")
    assert weights(service.read()) == [75, 25]
    service.split(Split("canary", 50), "r/2-promote")
    assert weights(service.read()) == [50, 50]


def test_the_root_is_gits_alone_and_an_edit_of_it_meets_no_rollout(istio: Lab, git: dict[str, Any]) -> None:
    (root,) = manifests("root")
    root["metadata"]["namespace"] = git["metadata"]["namespace"]
    istio.apply([root, git])
    service = routed(istio, git)
    service.split(Split("canary", 25))
    root["spec"]["http"][0]["timeout"] = "9s"
    server_side(istio, root, "--force-conflicts")
    assert weights(service.read()) == [75, 25]
