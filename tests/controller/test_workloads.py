"""What is kept of Deployments, StatefulSets and pods, and what a rollout reads from that."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from serinus.api import Workloads
from serinus.controller.cache import Cache
from serinus.controller.endpoints import slim_pod
from serinus.controller.workloads import read_workload, slim_workload, template_of
from serinus.rollout import Restart, Workload

NAMED = Workloads.model_validate(
    {"stable": {"kind": "Deployment", "name": "app-v1"}, "canary": {"kind": "StatefulSet", "name": "app-v2"}}
)
READY = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3}


def workload(name: str = "app-v2", replicas: int = 3, **status: Any) -> dict[str, Any]:
    """As the API server has it, with three replicas of the newest template ready."""
    labels = {"app": "app", "version": name[-2:]}
    return {
        "metadata": {"namespace": "ml", "name": name, "uid": name, "resourceVersion": "1", "generation": 2},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"note": "a"}},
                "spec": {"containers": [{"name": "app", "image": f"app:{name[-2:]}"}]},
            },
        },
        "status": READY | status,
    }


def pod(name: str, version: str = "v2", **container: Any) -> dict[str, Any]:
    metadata = {"namespace": "ml", "name": name, "uid": name, "resourceVersion": "1"}
    metadata["labels"] = {"app": "app", "version": version}  # type: ignore[assignment]
    return slim_pod({"metadata": metadata, "status": {"containerStatuses": [{"name": "app", **container}]}})


def ended(reason: str, at: str) -> dict[str, Any]:
    return {"restartCount": 1, "lastState": {"terminated": {"reason": reason, "finishedAt": at}}}


@pytest.fixture
def cache() -> Cache:
    cache = Cache()
    cache.put("deployments", slim_workload(workload("app-v1")))
    cache.put("statefulsets", slim_workload(workload("app-v2")))
    return cache


def rolled_out(**status: Any) -> bool:
    cache = Cache()
    cache.put("statefulsets", slim_workload(workload(**status)))
    found = read_workload(NAMED, "canary", "ml", cache)
    assert found is not None
    return found.rolled_out


def test_both_kinds_are_found_by_what_the_spec_names(cache: Cache) -> None:
    stable, canary = (read_workload(NAMED, side, "ml", cache) for side in ("stable", "canary"))  # type: ignore[arg-type]
    assert stable is not None
    assert canary is not None
    assert (stable.images, canary.images, canary.wanted, canary.ready) == (("app:v1",), ("app:v2",), 3, 3)
    assert template_of(NAMED, "ml", cache) == canary.template != stable.template


def test_what_is_not_there_or_not_named_is_none(cache: Cache) -> None:
    assert read_workload(NAMED, "canary", "elsewhere", cache) is None
    assert read_workload(None, "canary", "ml", cache) is None
    assert template_of(None, "ml", cache) is None


@pytest.mark.parametrize(
    "status",
    [
        {"readyReplicas": 2},
        {"updatedReplicas": 2},
        {"replicas": 4, "readyReplicas": 4},
        {"observedGeneration": 1},
        {"replicas": 0, "updatedReplicas": 0, "readyReplicas": 0},
    ],
)
def test_rolled_out_means_all_replicas_ready_and_of_the_newest_template(status: dict[str, int]) -> None:
    assert rolled_out()
    assert not rolled_out(**status)


def test_a_workload_that_no_controller_has_seen_is_not_rolled_out() -> None:
    unseen = workload()
    del unseen["status"]
    cache = Cache()
    cache.put("statefulsets", slim_workload(unseen))
    found = read_workload(NAMED, "canary", "ml", cache)
    assert found is not None
    assert not found.rolled_out


class TestTemplate:
    @pytest.mark.parametrize("place", ["image", "env", "annotation", "label"])
    def test_every_change_of_the_pods_is_another_template(self, place: str) -> None:
        changed = deepcopy(workload())
        template = changed["spec"]["template"]
        match place:
            case "image":
                template["spec"]["containers"][0]["image"] = "app:v3"
            case "env":
                template["spec"]["containers"][0]["env"] = [{"name": "A", "value": "b"}]
            case "annotation":
                template["metadata"]["annotations"]["note"] = "b"
            case "label":
                template["metadata"]["labels"]["tier"] = "x"
        assert slim_workload(changed)["template"] != slim_workload(workload())["template"]

    def test_a_restart_or_another_number_of_replicas_is_none(self) -> None:
        restarted = workload(replicas=7)
        annotations = restarted["spec"]["template"]["metadata"]["annotations"]
        annotations["kubectl.kubernetes.io/restartedAt"] = "2026-11-21T12:00:00Z"
        assert slim_workload(restarted)["template"] == slim_workload(workload())["template"]

    def test_what_is_kept_of_a_workload_is_little(self) -> None:
        large = workload()
        large["metadata"]["annotations"] = {"long": "x" * 10_000}
        large["spec"]["template"]["spec"]["containers"] = [{"image": "i" * 1000}] * 50
        assert len(repr(slim_workload(large))) < 1500


class TestRestarts:
    def test_the_last_restart_of_each_pod_of_the_workload_counts(self, cache: Cache) -> None:
        cache.put("pods", pod("a", **ended("OOMKilled", "2026-11-21T12:03:10Z")))
        cache.put("pods", pod("b"))
        cache.put("pods", pod("other", version="v1", **ended("Error", "2026-11-21T12:03:11Z")))
        found = read_workload(NAMED, "canary", "ml", cache)
        assert found is not None
        (restart,) = found.restarts
        assert (restart.pod, restart.container, restart.reason) == ("a", "app", "OOMKilled")
        assert restart.at == datetime(2026, 11, 21, 12, 3, 10, tzinfo=UTC)
        assert found.restarts_since(datetime(2026, 11, 21, 12, 4, tzinfo=UTC)) == ()

    def test_one_in_the_second_in_which_the_step_began_counts(self) -> None:
        """Kubernetes rounds the time of a container's end down to whole seconds."""
        restart = Restart("a", "app", "OOMKilled", datetime(2026, 11, 21, 12, 3, 10, tzinfo=UTC))
        killed = Workload("t2", (), 1, 1, rolled_out=True, restarts=(restart,))
        assert killed.restarts_since(datetime(2026, 11, 21, 12, 3, 10, 900_000, tzinfo=UTC)) == (restart,)
        assert killed.restarts_since(datetime(2026, 11, 21, 12, 3, 11, tzinfo=UTC)) == ()
