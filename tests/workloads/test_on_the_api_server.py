"""`workloads`, with the operator watching real Deployments and pods by the RBAC that deploy/ ships."""

from datetime import UTC, datetime

import pytest

from tests.crash.operators import await_true
from tests.workloads.cluster import NAMED, Cluster

pytestmark = pytest.mark.api_server

LONG = [{"weight": 50, "window": "5s"}, {"weight": 100, "window": "0s"}]


def test_a_rise_waits_for_ready_replicas_and_goes_on_when_they_are_there_R09(cluster: Cluster) -> None:
    cluster.release.create(workloads=NAMED)
    cluster.operate()
    await_true(lambda: cluster.reason == "WaitingForWorkload", "the missing Deployment to be named")
    cluster.deploy("v1", replicas=10, ready=10)
    cluster.deploy("v2", replicas=4, ready=2)
    await_true(lambda: "2 of 4 replicas" in cluster.status["verdict"]["message"], "the Deployment to be seen")
    cluster.report("v2", replicas=4, ready=4)
    await_true(lambda: cluster.release.weight() == 50, "the first step: four carry half of what ten do")
    await_true(lambda: cluster.reason == "WaitingForCapacity", "the second to wait")
    assert "need 8" in cluster.status["verdict"]["message"]
    assert cluster.release.weight() == 50
    cluster.report("v2", replicas=8, ready=8)
    await_true(lambda: cluster.release.phase() == "Promoted", "the promotion")


def test_templates_and_images_of_both_arms_are_on_record_R26(cluster: Cluster) -> None:
    cluster.release.create(workloads=NAMED, ladder=LONG)
    cluster.deploy("v1", replicas=2, ready=2)
    cluster.deploy("v2", replicas=2, ready=2)
    cluster.operate()
    await_true(lambda: cluster.release.weight() == 50, "the first step")
    rollout = cluster.status["rollout"]
    assert (rollout["stableWorkload"]["images"], rollout["canaryWorkload"]["images"]) == (["app:v1"], ["app:v2"])
    cluster.change("v2", "app:v3")
    await_true(lambda: cluster.status["rollout"]["id"] != rollout["id"], "the next rollout")
    await_true(lambda: cluster.release.weight() == 50, "its first step")
    assert cluster.status["rollout"]["canaryWorkload"]["images"] == ["app:v3"]
    decided = [(each["verdict"], each["weightAfter"]) for each in cluster.status["history"]]
    assert decided[:3] == [("start", 50), ("superseded", 0), ("start", 50)]
    cluster.change("v1", "app:v1.1")
    reasons = lambda: [each["reason"] for each in cluster.status["history"]]  # noqa: E731
    await_true(lambda: "StableChanged" in reasons(), "the stable's change to be seen")
    await_true(lambda: cluster.release.phase() == "Promoted", "the promotion")


def test_a_pod_killed_for_its_memory_blocks_the_promotion_and_stands_in_the_comparison(cluster: Cluster) -> None:
    cluster.release.create(workloads=NAMED, ladder=LONG)
    cluster.deploy("v1", replicas=2, ready=2)
    cluster.deploy("v2", replicas=2, ready=2)
    cluster.operate()
    await_true(lambda: cluster.status.get("rollout", {}).get("stepStartedAt"), "the first step on the mesh")
    cluster.restart_pod("v2", "OOMKilled", datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))
    await_true(lambda: cluster.reason == "CanaryRestarted", "the promotion to be blocked")
    assert "app-v2-a/app (OOMKilled)" in cluster.status["verdict"]["message"]
    row = cluster.status["comparison"][0]
    assert (row["metric"], row["verdict"], row["canary"]["events"]) == ("restarts", "worse", 1)
    assert cluster.release.weight() == 50
