"""A pipeline and a person on call, beside real rollouts: apply, look, override, wait (R27, R30)."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.demo.load import Load
from lab.demo.stage import start_version, users_of
from lab.processes import Process
from lab.stack import Lab
from lab.waiting import wait_until
from tests.cli.program import Cluster, Done
from tests.controller.test_on_the_mesh import manifest

pytestmark = pytest.mark.mesh

TIMEOUT = 180.0
"""Seconds that a rollout may take."""


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Iterator[Process]:
    process = lab.start_operator()
    yield process
    process.stop()


@pytest.fixture
def people(lab: Lab, tmp_path: Path) -> Cluster:
    return Cluster(lab, lab.namespace, tmp_path)


@pytest.fixture
def serve(lab: Lab, operator: Process, request: pytest.FixtureRequest) -> Iterator[Callable[[float], str]]:
    """Serves two versions to users; the second one fails a share of its requests."""
    name = f"svc-{zlib.crc32(request.node.name.encode())}"
    service = lab.add_service(name)
    workloads = [start_version(lab, name, "v1")]

    def serve(error_rate: float) -> str:
        workloads.append(start_version(lab, name, "v2", error_rate))
        return name

    with Load(users_of(lab, service, rate=100, seconds=240), lab.directory / f"{name}.jsonl"):
        yield serve
    lab.kubectl("delete", "canarydeployment", name, "--namespace=demo", "--ignore-not-found", "--wait=false")
    for workload in workloads:
        workload.stop()


def applied_and_waited_for(people: Cluster, name: str) -> Done:
    """What the last step of a pipeline says."""
    people.lab.apply([manifest(name)])
    process = people.start("wait", name, "--timeout=3m")
    out, err = process.communicate(timeout=TIMEOUT)
    return Done(process.returncode, out, err)


def test_a_pipeline_goes_on_after_a_good_release_R30(people: Cluster, serve: Callable[[float], str]) -> None:
    name = serve(0.01)
    done = applied_and_waited_for(people, name)
    assert (done.code, done.err) == (0, ""), done
    assert f"demo/{name}: Promoted" in done.out.splitlines()[-1]
    assert "within tolerance" in people.run("status", name).out
    assert "promoted" in people.run("report", name).out


def test_a_pipeline_stops_after_a_bad_release_R30(people: Cluster, serve: Callable[[float], str]) -> None:
    name = serve(0.5)
    done = applied_and_waited_for(people, name)
    assert (done.code, done.err) == (1, ""), done
    assert f"demo/{name}: RolledBack" in done.out.splitlines()[-1]
    assert "RolledBack" in people.run("list", name).out


def test_a_person_takes_a_rollout_in_hand_R27(people: Cluster, serve: Callable[[float], str]) -> None:
    """Held, resumed and rolled back, by commands alone; the operator answers each with its record."""
    name = serve(0.01)
    slow = [{"weight": 20, "window": "10m"}, {"weight": 100, "window": "0s"}]
    people.lab.apply([manifest(name, ladder=slow)])
    wait_until(lambda: "Progressing" in people.run("list", name).out, "the first step")
    reason = "--reason=the users call us"
    for action in ("hold", "resume", "rollback"):
        done = people.run(action, name, reason)
        assert done.code == 0, done
        assert f"demo/{name}: Applied: done: " in done.out
        assert "(record " in done.out
    late = people.run("promote", name, reason)
    assert (late.code, late.out) == (1, f"demo/{name}: Refused: the rollout has ended: RolledBack\n")
