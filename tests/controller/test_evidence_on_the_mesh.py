"""What the mesh's own Prometheus says: a canary that nobody reaches, a query that is misspelled (I3)."""

import json
import os
import signal
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from lab.demo.load import Load
from lab.demo.stage import start_version, users_of
from lab.processes import Process
from lab.stack import Lab
from lab.stack.workload import Workload
from lab.waiting import wait_until
from serinus.log import Entry, is_record
from serinus.rollout.tick_record import TickRecord
from tests.controller.test_on_the_mesh import condition, get, manifest, operator, phase

pytestmark = pytest.mark.mesh

__all__ = ["operator"]  # a fixture of the neighbour's

INTERVAL = timedelta(seconds=2)
"""Of the manifest."""

LADDER = [{"weight": 25, "window": "300s"}, {"weight": 100, "window": "0s"}]


@pytest.fixture
def canary(lab: Lab, request: pytest.FixtureRequest) -> Iterator[tuple[str, Workload]]:
    """A service, named after the test, and its canary."""
    name = f"svc-{zlib.crc32(request.node.name.encode())}"
    service = lab.add_service(name)
    stable, canary = (start_version(lab, name, version) for version in ("v1", "v2"))
    with Load(users_of(lab, service, rate=100, seconds=180), lab.directory / f"{name}.jsonl"):
        yield name, canary
    lab.kubectl("delete", "canarydeployment", name, "--namespace=demo", "--ignore-not-found", "--wait=false")
    stable.stop()
    forget(lab, canary)
    canary.process.stop()


def forget(lab: Lab, workload: Workload) -> None:
    """Take its endpoint away, while its process runs on."""
    lab.kubectl("delete", "workloadentry", workload.process.name, "--namespace=demo", "--ignore-not-found")


def climb(lab: Lab, name: str, **changes: Any) -> None:
    """Release it, and wait until its first step has evidence."""
    lab.apply([manifest(name, ladder=LADDER, warmUp={"duration": "0s"}, **changes)])
    wait_until(lambda: phase(lab, name) == "Progressing", f"{name} to begin", 60)
    wait_until(lambda: (get(lab, "canarydeployment", name)["status"].get("observedShare") or 0) > 5, "evidence", 60)


def verdict(lab: Lab, name: str) -> tuple[str, str]:
    found = get(lab, "canarydeployment", name)["status"]["verdict"]
    return found["reason"], found["message"]


def whole_ticks_since(moment: datetime, operator: Process, name: str) -> float:
    """How many ticks' evidence from after that moment the rollback took, by its record; parts of ticks count as such.

    The tick in which the moment lies does not count: much of it may have been before.
    """
    lines = filter(is_record, operator.log.read_text().splitlines())
    records = [json.loads(entry.line) for entry in map(Entry.of_line, lines) if entry.name == name]
    (rollback,) = [record for record in records if record["verdict"] == "rollback"]
    ticks = TypeAdapter(list[TickRecord]).validate_python(rollback["evidence"]["ticks"])
    assert ticks[-1].end > moment, "the record has the tick that decided"
    return sum(tick.length for tick in ticks if tick.end - tick.length * INTERVAL >= moment)


def test_a_canary_without_endpoints_is_rolled_back_as_unreachable(
    lab: Lab, operator: Process, canary: tuple[str, Workload]
) -> None:
    """Its requests fail at the gateway and are nobody's: by its own series it only has no traffic."""
    name, workload = canary
    climb(lab, name)
    forget(lab, workload)
    wait_until(lambda: phase(lab, name) == "RolledBack", f"{name} to be rolled back", 30)
    reason, message = verdict(lab, name)
    assert reason == "CanaryUnreachable"
    assert "failed before they reached a workload" in message


def test_a_canary_whose_process_is_killed_is_rolled_back(
    lab: Lab, operator: Process, canary: tuple[str, Workload]
) -> None:
    """Its endpoint is still there, so its failures are its own."""
    name, workload = canary
    climb(lab, name)
    killed = datetime.now(UTC)
    os.kill(workload.process.pid, signal.SIGKILL)
    wait_until(lambda: phase(lab, name) == "RolledBack", f"{name} to be rolled back", 30)
    assert verdict(lab, name)[0] in ("ErrorSpike", "Regression", "CanaryUnreachable")
    assert whole_ticks_since(killed, operator, name) <= 2


def test_a_misspelled_query_is_named_with_what_was_asked(
    lab: Lab, operator: Process, canary: tuple[str, Workload]
) -> None:
    name, _ = canary
    misspelled = {"name": "memory", "kind": "gauge", "query": {"value": "process_memory{{{arm}}}"}}
    errors = {"name": "errors", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
    metrics = [errors, {**misspelled, "tolerance": {"relative": 0.5}, "onRegression": "hold"}]
    climb(lab, name, policy={"metrics": metrics})
    wait_until(lambda: condition(lab, name, "MetricsAvailable")[0] == "False", "the condition", 30)
    _, reason, message = condition(lab, name, "MetricsAvailable")
    assert reason == "NoSeries"
    assert 'process_memory{destination_version="v2"}' in message
