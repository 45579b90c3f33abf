"""What tools wait for, asked as they ask: `kubectl wait`, and the rules of kstatus, on the real API server."""

from typing import Any

import pytest

from lab.stack import Lab
from tests.crash.cluster import Release
from tests.crash.conftest import Stage
from tests.crash.operators import await_true
from tests.lifecycle.conftest import Starts

pytestmark = pytest.mark.api_server


def conditions(release: Release) -> dict[str, Any]:
    """By type; each speaks of the newest spec, or there are none of it yet."""
    canary = release.canary()
    status, generation = canary.get("status", {}), canary["metadata"]["generation"]
    if status.get("observedGeneration") != generation:
        return {}
    found = {each["type"]: each for each in status["conditions"]}
    assert {each["observedGeneration"] for each in found.values()} == {generation}
    return found


def kstatus(release: Release) -> str:
    """The verdict of kstatus' generic rules: not observed, InProgress, Failed or Current."""
    found = {kind: each["status"] for kind, each in conditions(release).items()}
    if not found or found.get("Reconciling") == "True":
        return "InProgress"
    if found.get("Stalled") == "True":
        return "Failed"
    return "Current" if found.get("Ready") == "True" else "InProgress"


def test_kubectl_waits_for_the_promotion_and_kstatus_calls_it_current_R31(
    istio: Lab, stage: Stage, start: Starts
) -> None:
    release = stage.release()
    release.create()
    start(release)
    waited = istio.kubectl(
        "wait", "--for=condition=Promoted", "cdep/app", f"--namespace={release.namespace}", "--timeout=50s"
    )
    assert "condition met" in waited
    assert kstatus(release) == "Current"


def test_what_stands_in_the_way_is_failed_by_kstatus_and_a_new_spec_is_observed_I9(stage: Stage, start: Starts) -> None:
    release = stage.release()
    release.create(policyRef={"name": "absent"})
    start(release)
    await_true(lambda: kstatus(release) == "Failed", "it to be stalled")
    assert conditions(release)["Stalled"]["reason"] == "PolicyNotFound"
    release.edit({"policyRef": {"name": "absent-too"}})
    await_true(lambda: "absent-too" in conditions(release).get("Stalled", {}).get("message", ""), "the new spec")
    release.edit({"policyRef": None, "ladder": [{"weight": 50, "window": "10m"}, {"weight": 100, "window": "0s"}]})
    await_true(lambda: kstatus(release) == "InProgress" and conditions(release), "it to go on")
    assert conditions(release)["Stalled"]["status"] == "False"


def test_what_goes_wrong_becomes_one_event_by_its_reason(istio: Lab, stage: Stage, start: Starts) -> None:
    release = stage.release()
    release.create(policyRef={"name": "absent"})
    start(release)

    def told() -> list[str]:
        shown = "{range .items[*]}{.type} {.reason}{'\\n'}{end}".replace("'", '"')
        listed = istio.kubectl(
            "get", "events.events.k8s.io", f"--namespace={release.namespace}", f"--output=jsonpath={shown}"
        )
        return listed.splitlines()

    await_true(told, "an Event")
    assert told() == ["Warning PolicyNotFound"]
