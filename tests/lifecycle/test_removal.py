"""What is removed under the operator, on the real API server: traffic ends on the version that serves (I7)."""

from typing import Any

import pytest
from kubernetes import client

from lab.stack import Lab
from tests.crash.cluster import ISTIO, Release
from tests.crash.conftest import Stage
from tests.crash.operators import await_true
from tests.lifecycle.conftest import Starts

pytestmark = pytest.mark.api_server

LONG = [{"weight": 50, "window": "10m"}, {"weight": 100, "window": "0s"}]
TOO_FEW = {
    "minRequests": 10**9,
    "metrics": [{"name": "e", "template": "istio-errors", "tolerance": {"absolute": 0.02}}],
}
PHASES: dict[str, dict[str, Any]] = {
    "Pending": {"policyRef": {"name": "absent"}},
    "WarmingUp": {"warmUp": {"duration": "10m"}},
    "Progressing": {"ladder": LONG},
    "Holding": {"policy": TOO_FEW},
    "Paused": {"ladder": LONG},
    "Promoted": {},
    "RolledBack": {},
}


@pytest.mark.parametrize("phase", PHASES)
def test_one_that_is_deleted_in_any_phase_leaves_all_traffic_on_what_serves_I7(
    stage: Stage, start: Starts, phase: str
) -> None:
    release = stage.release(good=phase != "RolledBack")
    release.create(**PHASES[phase])
    start(release)
    if phase == "Paused":
        await_true(lambda: release.phase() == "Progressing", "the first step")
        release.edit({"paused": True})
    await_true(lambda: release.phase() == phase and _is_seen(release), f"the phase {phase}")
    release.delete()
    await_true(lambda: not release.canary(), "the CanaryDeployment to be gone")
    assert release.weight() == (100 if phase == "Promoted" else 0)


@pytest.mark.parametrize("routes_first", [True, False])
def test_a_namespace_that_is_deleted_does_not_wait_for_the_operator(
    istio: Lab, stage: Stage, start: Starts, routes_first: bool
) -> None:
    """There is no controller here that empties namespaces: the test does what it does, in either order."""
    release = stage.release()
    release.create(ladder=LONG)
    start(release)
    await_true(lambda: release.weight() == 50 and _is_seen(release), "the first step")
    istio.kubectl("delete", "namespace", release.namespace, "--wait=false")
    deletions = [lambda: _delete_routes(release), release.delete]
    for deletion in deletions if routes_first else reversed(deletions):
        deletion()
    await_true(lambda: not release.canary(), "the CanaryDeployment to be gone")


def _is_seen(release: Release) -> bool:
    """Whether the last decision, if there is one, is on the mesh."""
    rollout = release.canary()["status"].get("rollout") or {}
    return rollout.get("decision") == rollout.get("observed")


def _delete_routes(release: Release) -> None:
    for plural in ("virtualservices", "destinationrules"):
        client.CustomObjectsApi(release.api).delete_namespaced_custom_object(*ISTIO, release.namespace, plural, "app")
