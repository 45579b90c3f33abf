"""A warm-up's requests, sent to real processes behind the mesh before any user's (R09)."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from lab.processes import Process
from lab.stack import Lab
from lab.stack.workload import Workload
from lab.waiting import wait_until
from serinus.istio import DECISION_ANNOTATION
from tests.controller.test_on_the_mesh import canary_weight, condition, get, manifest, phase

pytestmark = pytest.mark.mesh

WARM_UP = {"duration": "0s", "requests": [{"path": "/predict", "body": '{"text": "hi"}', "count": 20}]}
VERSIONS = (("warm", "v1", 0.0), ("warm", "v2", 0.0), ("failing", "v1", 0.0), ("failing", "v2", 1.0))


@pytest.fixture(scope="module")
def canaries(lab: Lab) -> Iterator[dict[str, Workload]]:
    """The canary of each of two services that have no users: the second one fails every request."""
    for service in ("warm", "failing"):
        lab.add_service(service)
    workloads = [
        lab.run_workload(service, version, env={"ERROR_RATE": str(rate)}) for service, version, rate in VERSIONS
    ]
    yield {each.service: each for each in workloads if each.version == "v2"}
    for each in workloads:
        each.stop()


@pytest.fixture
def operator(lab: Lab, canaries: dict[str, Workload]) -> Iterator[Process]:
    """May ask both canaries."""
    process = lab.start_operator([f"--allow-hook={each.url}" for each in canaries.values()])
    yield process
    log = process.log.read_text(errors="replace")
    process.stop()
    assert "Traceback" not in log, log


def answered(workload: Workload) -> int:
    """How many requests the process has answered with a prediction, whoever sent them."""
    with urllib.request.urlopen(f"{workload.url}/stats", timeout=10) as answer:
        stats: dict[str, Any] = json.load(answer)
    return int(stats["requests"])


def test_what_this_operator_may_not_ask_is_stalled_and_gets_no_traffic_I10(
    lab: Lab, canaries: dict[str, Workload]
) -> None:
    operator = lab.start_operator()
    before = answered(canaries["warm"])
    lab.apply([manifest("warm", warmUp=WARM_UP)])
    wait_until(lambda: condition(lab, "warm", "Stalled")[1] == "WarmUpNotAllowed", "the warm-up to be refused")
    assert canaries["warm"].url in condition(lab, "warm", "Stalled")[2]
    assert (answered(canaries["warm"]), canary_weight(get(lab, "virtualservice", "warm"))) == (before, 0)
    lab.kubectl("delete", "canarydeployment", "warm", "--namespace=demo")
    operator.stop()


def test_the_canary_answers_every_request_before_any_user_meets_it_R09(
    lab: Lab, canaries: dict[str, Workload], operator: Process
) -> None:
    before = answered(canaries["warm"])
    lab.apply([manifest("warm", warmUp=WARM_UP)])
    wait_until(lambda: canary_weight(get(lab, "virtualservice", "warm")) == 50, "the first step")
    assert answered(canaries["warm"]) == before + 20
    status = get(lab, "canarydeployment", "warm")["status"]
    assert status["rollout"]["warmUp"] == {"endpoints": 1, "answered": 20, "failure": ""}


def test_a_canary_that_fails_its_warm_up_is_rolled_back_and_no_user_meets_it_R09(
    lab: Lab, canaries: dict[str, Workload], operator: Process
) -> None:
    lab.apply([manifest("failing", warmUp=WARM_UP)])
    wait_until(lambda: phase(lab, "failing") == "RolledBack", "the rollback")
    record = get(lab, "canarydeployment", "failing")["status"]["history"][-1]
    assert (record["verdict"], record["reason"], record["weightAfter"]) == ("rollback", "WarmUpFailed", 0)
    assert "status 500 (3 tries)" in get(lab, "canarydeployment", "failing")["status"]["verdict"]["message"]
    assert DECISION_ANNOTATION not in get(lab, "virtualservice", "failing")["metadata"].get("annotations", {})
