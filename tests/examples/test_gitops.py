"""The GitOps example: what Argo CD shows of a release, and manifests that are what they say."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa.lua54 import LuaRuntime

from serinus.api import CanaryDeployment, Phase
from serinus.istio import arm_routes, delegates_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "gitops"


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLE / name).read_text()))


def health(obj: dict[str, Any]) -> tuple[str, str]:
    """What Argo CD's health check answers."""
    script = documents("argocd-cm.yaml")[0]["data"]["resource.customizations.health.serinus.io_CanaryDeployment"]
    lua = LuaRuntime(unpack_returned_tuples=True)
    lua.globals().obj = lua.table_from(obj, recursive=True)
    found = lua.execute(script)
    return found["status"], found["message"]


def canary(phase: str, **status: Any) -> dict[str, Any]:
    verdict = {"verdict": "hold", "message": "9 more minutes would tell"}
    return {
        "metadata": {"generation": 2},
        "status": {"phase": phase, "observedGeneration": 2, "verdict": verdict} | status,
    }


HEALTH = {
    Phase.PENDING: "Progressing",
    Phase.WARMING_UP: "Progressing",
    Phase.PROGRESSING: "Progressing",
    Phase.HOLDING: "Progressing",
    Phase.PAUSED: "Suspended",
    Phase.PROMOTED: "Healthy",
    Phase.ROLLED_BACK: "Degraded",
    Phase.FAILED: "Degraded",
}


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_health_and_the_verdicts_words(phase: Phase) -> None:
    assert health(canary(phase.value)) == (HEALTH[phase], f"{phase.value}: 9 more minutes would tell")


def test_what_the_operator_has_not_seen_yet_is_progressing() -> None:
    assert health({"metadata": {"generation": 1}})[0] == "Progressing"
    assert health({"metadata": {"generation": 3}, "status": canary("Promoted")["status"]})[0] == "Progressing"


def test_a_stalled_release_is_degraded_and_says_why() -> None:
    stalled = {"type": "Stalled", "status": "True", "reason": "RouteUnsuitable", "message": "give it a subset"}
    assert health(canary("Pending", conditions=[stalled])) == ("Degraded", "RouteUnsuitable: give it a subset")
    calm = {**stalled, "status": "False"}
    assert health(canary("Promoted", conditions=[calm]))[0] == "Healthy"


def test_the_release_moves_the_delegate_and_leaves_the_root_to_git() -> None:
    (root,), (delegate, rule) = documents("root.yaml"), documents("delegate.yaml")
    (release,) = documents("release.yaml")
    spec = CanaryDeployment.model_validate(release).spec
    (reference,) = spec.traffic.virtual_services
    assert delegates_of(root) == (reference.key("ml"),)
    found = arm_routes(root, delegate, host="predictor.ml.svc.cluster.local", stable="stable", canary="canary")
    assert [len(routes) for routes in found] == [0, 1]
    assert rule["metadata"]["name"] == spec.traffic.destination_rule


@pytest.mark.parametrize(
    ("file", "place"), [("argocd-application.yaml", "ignoreDifferences"), ("flux-kustomization.yaml", "ignore")]
)
def test_the_objects_that_serinus_moves_are_those_that_are_ignored(file: str, place: str) -> None:
    rules = documents(file)[0]["spec"][place]
    ignored = {(rule.get("target", rule)["kind"], rule.get("target", rule)["name"]) for rule in rules}
    assert ignored == {(each["kind"], each["metadata"]["name"]) for each in documents("delegate.yaml")}
