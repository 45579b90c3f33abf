"""Backtests and plans on a real Prometheus, in which is known what every pod has served (R11, R25)."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from serinus.cli.backtest_prometheus import Plan, read_windows
from serinus.cli.backtest_target import find_target
from serinus.cli.main import app
from serinus.cli.manifests import Manifests
from serinus.cli.prometheus_connection import Server
from serinus.judge import GUARD, Counts
from serinus.metrics import Connection, Prometheus
from tests.backtest.history import END, EVEN, SINGLE, TICK, UNEVEN, Past, time
from tests.planning.releases import ERRORS, LATENCY

POLICY = {
    "apiVersion": "serinus.io/v1alpha1",
    "kind": "CanaryPolicy",
    "metadata": {"name": "strict", "namespace": "ml"},
    "spec": {"metrics": [ERRORS, {**LATENCY, "quantiles": [0.5]}]},
}
CANARY = {
    "apiVersion": "serinus.io/v1alpha1",
    "kind": "CanaryDeployment",
    "metadata": {"name": "even", "namespace": "ml"},
    "spec": {
        "stable": {"subset": "stable", "labels": {"version": "v1"}},
        "canary": {"subset": "canary", "labels": {"version": "v2"}},
        "traffic": {"host": "even", "virtualServices": [{"name": "even"}], "destinationRule": "even"},
        "ladder": [{"weight": 50, "window": "10m"}, {"weight": 100, "window": "0s"}],
        "policyRef": {"name": "strict"},
    },
}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(POLICY))
    return path


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary.yaml"
    path.write_text(yaml.safe_dump(CANARY))
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def backtest(policy: Path, past: Past, address: str, *more: str) -> Result:
    window = ("--from", time(1.0), "--to", time(0.0), "--window", "10m")
    return run("backtest", "-f", policy, "--service", past.name, "--prometheus", address, *window, *more)


def test_pods_that_are_alike_are_quiet_and_a_smaller_tolerance_is_proposed_R25(policy: Path, address: str) -> None:
    done = backtest(policy, EVEN, address, "-o", "json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["windows"], told["arms"]) == (0, 6, ["pods"])
    assert told["rolledBack"] == {"count": 0, "of": 6, "low": 0.0, "high": pytest.approx(0.39304)}
    assert told["promoted"]["count"] == 6
    errors, latency = told["metrics"]
    assert [each["tolerance"] for each in errors["tried"] if each["policy"]] == [{"absolute": 0.02}]
    assert [each["tolerance"] for each in errors["tried"] if each["proposed"]] == [{"absolute": 0.01}]
    assert latency["name"] == "latency"


def test_where_one_half_of_the_pods_is_worse_it_would_be_rolled_back_R25(policy: Path, address: str) -> None:
    """In every second window, for the halves take turns."""
    done = backtest(policy, UNEVEN, address, "-o", "json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["rolledBack"]["count"]) == (1, 3)
    assert {each["metric"] for each in told["rollbacks"]} == {"error-rate"}
    (proposed,) = [each for each in told["metrics"][0]["tried"] if each["proposed"]]
    assert proposed["tolerance"] == {"absolute": 0.1}
    assert proposed["rolledBack"]["count"] == 0


def test_what_is_proposed_comes_as_a_patch_R25(policy: Path, address: str) -> None:
    done = backtest(policy, UNEVEN, address, "-o", "patch")
    assert done.stdout.startswith("# Review, then: kubectl patch canarypolicy strict -n ml --type=json ")
    assert yaml.safe_load(done.stdout)[:2] == [
        {"op": "test", "path": "/spec/metrics/0/name", "value": "error-rate"},
        {"op": "replace", "path": "/spec/metrics/0/tolerance", "value": {"absolute": 0.1}},
    ]


def test_of_one_pod_the_requests_are_divided_and_the_screen_says_so(policy: Path, address: str) -> None:
    done = backtest(policy, SINGLE, address)
    assert done.exit_code == 0
    assert "arms: its requests, each to either arm by chance; what differs between pods" in done.stdout


@pytest.mark.parametrize("past", [EVEN, SINGLE], ids=lambda past: past.name)
def test_every_request_of_the_stable_is_one_arms_exactly_once(past: Past, policy: Path, address: str) -> None:
    server = Server(address, None, "destination", None)
    target = find_target(Manifests.read([policy]), past.name, None, None, server)
    plan = Plan(begin=END - 40 * TICK, number=2, ticks=20, seconds=TICK)
    windows = asyncio.run(
        read_windows(Prometheus(Connection(address)), target, plan, np.random.default_rng(1), lambda _: None)
    )
    served = past.served(END - 40 * TICK, END)
    counted = Counts()
    for tick in (tick for window in windows for tick in window.ticks):
        evidence = tick[GUARD]
        assert evidence.missing is None
        assert isinstance(evidence.canary, Counts)
        assert isinstance(evidence.stable, Counts)
        counted = counted + evidence.canary + evidence.stable
    assert counted == served


def test_a_service_that_nobody_knows_is_one_line(policy: Path, address: str) -> None:
    done = backtest(policy, Past("nobody", ()), address)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "Prometheus knows nothing of nobody.ml.svc.cluster.local in these 6 windows" in done.stderr


def test_a_release_is_planned_from_what_prometheus_saw_R11(canary: Path, policy: Path, address: str) -> None:
    done = run(
        "plan", "-f", canary, "-f", policy, "--prometheus", address, "--from", time(1), "--to", time(0), "-o", "json"
    )
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.exit_code == 0, done.stderr
    assert told["traffic"] == {
        "from": time(1),
        "to": time(0),
        "known": 1.0,
        "rps": pytest.approx(80, rel=0.02),
        "errorRate": pytest.approx(0.01, rel=0.05),
        "lacking": {},
    }
    assert "unplanned" not in told or told["unplanned"] == []
    assert told["steps"][0]["canaryRequests"] == pytest.approx(24_000, rel=0.02)
    assert told["steps"][0]["promoted"] > 0.9


def test_a_time_of_which_a_part_is_unknown_tells_the_traffic_of_the_rest_I3(
    canary: Path, policy: Path, address: str
) -> None:
    begin, end = ("--from", time(EVEN.hours + 1)), ("--to", time(EVEN.hours - 1))
    done = run("plan", "-f", canary, "-f", policy, "--prometheus", address, *begin, *end, "-o", "json")
    told = json.loads(done.stdout)["traffic"]
    assert told["known"] == pytest.approx(0.58, abs=0.02)
    assert told["rps"] == pytest.approx(80, rel=0.02)


def test_a_time_in_which_it_did_not_serve_is_named_with_the_query(canary: Path, policy: Path, address: str) -> None:
    done = run("plan", "-f", canary, "-f", policy, "--prometheus", address, "--from", time(50), "--to", time(49))
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert f"no requests of {EVEN.host} with destination_version=v1 from" in done.stderr
    assert "no series" in done.stderr
    assert "istio_requests_total{" in done.stderr


def test_a_server_that_does_not_answer_is_one_line(canary: Path, policy: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    for done in (
        run("plan", "-f", canary, "-f", policy, "--prometheus", nowhere, "--from", "1h"),
        run("backtest", "-f", canary, "-f", policy, "--prometheus", nowhere, "--from", "2h"),
    ):
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert f"{nowhere}: no answer" in done.stderr
