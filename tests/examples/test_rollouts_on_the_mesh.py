"""The example with a workload, applied and released as its file says: on the real mesh, with users."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from lab.demo.load import Load, Stream
from lab.demo.release import BASELINE_ERROR_RATE
from lab.processes import Process
from lab.stack import Lab
from lab.stack.workload import REPOSITORY
from lab.waiting import wait_until
from serinus.api import CanaryDeploymentStatus, Phase
from tests.cli.program import Cluster

pytestmark = pytest.mark.mesh

EXAMPLE = REPOSITORY / "examples" / "predictor.yaml"
HOST = "predictor.demo.svc.cluster.local"

VERSIONS = {
    "v1": {},
    "v2": {},
    # As good as the others by errors and latency; but pos rises from 60 % of the answers to 80 %.
    "v3": {"LABEL_SHIFT": "0.5"},
}

RATE = 100.0
"""Requests a second: few enough for one process with all of them to keep up on a busy machine too."""

PATIENCE = 600.0
"""Seconds that a rollout may take on such a machine; on a quiet one it takes about two minutes."""

Manifest = dict[str, Any]


def in_the_lab(stable: str, canary: str) -> list[Manifest]:
    """The example's objects for a release, with no more changed than what the lab's mesh and a test's time ask for.

    The lab has no sidecars, so the route is its gateway's; ticks come each 3 s, and windows last two of them.
    """
    policy, routes, subsets, release = yaml.safe_load_all(EXAMPLE.read_text())
    routes["spec"]["gateways"] = ["ingress"]
    spec = release["spec"]
    spec["stable"]["labels"], spec["canary"]["labels"] = {"version": stable}, {"version": canary}
    spec["interval"] = "3s"
    for step in spec["ladder"][:-1]:
        step["window"] = "6s"
    return [policy, routes, subsets, release]


@dataclass(frozen=True)
class Played:
    """How each of the two releases ended."""

    good: CanaryDeploymentStatus
    bad: CanaryDeploymentStatus


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Iterator[Process]:
    """Beside the service in all its versions. A gateway's metrics are the source's; and it may send warm-ups."""
    lab.add_service("predictor")
    workloads = [
        lab.run_workload("predictor", version, env={"ERROR_RATE": str(BASELINE_ERROR_RATE), **faults})
        for version, faults in VERSIONS.items()
    ]
    process = lab.start_operator(["--reporter=source", *(f"--allow-hook={each.url}" for each in workloads)])
    yield process
    lab.kubectl("delete", "canarydeployment", "predictor", "--namespace=demo", "--ignore-not-found")
    for kind in ("canarypolicy", "virtualservice", "destinationrule"):
        lab.kubectl("delete", kind, "predictor", "--namespace=demo", "--ignore-not-found")
    for workload in workloads:
        workload.stop()
    log = process.log.read_text(errors="replace")
    process.stop()
    assert "Traceback" not in log, log
    assert "refused" not in log, "the shipped RBAC lacks something: " + log


@pytest.fixture(scope="module")
def played(lab: Lab, operator: Process, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The release of v2 that the file has, and then, as it says, that of v3: its last object alone."""
    people = Cluster(lab, lab.namespace, tmp_path_factory.mktemp("people"))
    first = in_the_lab("v1", "v2")
    lab.apply(first[:-1])
    wait_until(lambda: HOST in lab.mesh.routed_hosts(), "the gateway to have the example's route")
    users = Stream(f"{lab.gateway_url}/predict", HOST, RATE, seconds=2 * PATIENCE)
    with Load(users, lab.directory / "example.jsonl") as load:
        wait_until(lambda: load.snapshot().of("v1"), "a first answer through the gateway")
        good = ended(people, first)
        bad = ended(people, in_the_lab("v2", "v3")[-1:])
    return Played(good, bad)


def ended(people: Cluster, objects: list[Manifest]) -> CanaryDeploymentStatus:
    """Apply objects, a release among them, and wait for its end as a pipeline does; how it stands then."""
    people.lab.apply(objects)
    people.start("wait", "predictor", f"--timeout={PATIENCE:.0f}s").communicate(timeout=PATIENCE + 60)
    return CanaryDeploymentStatus.model_validate(people.get("canarydeployment", "predictor")["status"])


def test_r03_the_good_version_climbs_every_step_of_the_examples_ladder(played: Played) -> None:
    assert played.good.phase is Phase.PROMOTED, played.good
    weights = [(each.weight_before, each.weight_after) for each in played.good.history]
    assert [after for before, after in weights if before < after] == [10, 25, 50, 75, 100]


def test_r09_each_canary_answered_the_examples_warm_up(played: Played) -> None:
    for each in (played.good, played.bad):
        assert each.rollout
        assert each.rollout.warm_up
        assert (each.rollout.warm_up.answered, each.rollout.warm_up.failure) == (20, "")


def test_r21_every_metric_of_the_examples_policy_was_compared(played: Played) -> None:
    policy = in_the_lab("v2", "v3")[0]
    compared = {row.metric.partition(" ")[0] for row in played.bad.comparison if row.canary.total and row.stable.total}
    assert {metric["name"] for metric in policy["spec"]["metrics"]} <= compared


def test_r20_the_version_that_predicts_otherwise_is_rolled_back_by_its_predictions_alone(played: Played) -> None:
    assert played.bad.phase is Phase.ROLLED_BACK, played.bad
    assert (played.bad.weight, played.bad.printed.canary) == (0, "version=v3")
    assert played.bad.verdict
    assert played.bad.verdict.reason == "Regression"
    assert [row.metric for row in played.bad.comparison if row.verdict == "worse" and row.gating] == ["prediction"]


def test_the_rolled_back_version_never_had_more_than_the_first_step(played: Played) -> None:
    assert played.bad.rollout
    own = [each for each in played.bad.history if each.id.startswith(played.bad.rollout.id)]
    assert max(each.weight_after for each in own) == 10
