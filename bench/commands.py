"""`make bench-commands`: how long `serinus --help` takes, and `serinus list` of 1 000 canaries on a real API server."""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from kubernetes import client, config

from lab.demo.figures import Figure, tally
from lab.stack import Lab

OUT = Path("bench-commands.json")
NAMESPACE = "commands"

_PLACE = ("serinus.io", "v1alpha1", NAMESPACE, "canarydeployments")
_AT_ONCE = 8
_RUNS = 5
_STATE = 6000  # characters of a status that commands do not show: the judge's state and the plan

Object = dict[str, Any]


def main() -> int:
    """Measure: 0 if every figure is within its bound, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.commands", description=__doc__)
    parser.add_argument("--canaries", type=int, default=1000, help="how many are listed")
    count = parser.parse_args().canaries
    with Lab(mesh=False) as lab:
        lab.apply_crds()
        _fill(lab, count)
        figures = [
            Figure("serinus --help, median", _seconds(lab, "--help"), "s", at_most=0.3),
            Figure(f"serinus list of {count}, median", _seconds(lab, "list", "-n", NAMESPACE), "s", at_most=2),
            Figure("the same as JSON, median", _seconds(lab, "list", "-n", NAMESPACE, "-o", "json"), "s"),
            Figure("serinus status, median", _seconds(lab, "status", "service-0", "-n", NAMESPACE), "s"),
        ]
    OUT.write_text(json.dumps([figure.summary for figure in figures], indent=2) + "\n")
    ending, code = tally(figures)
    print("\n".join([*(figure.line for figure in figures), ending]))
    return code


def _fill(lab: Lab, count: int) -> None:
    """So many CanaryDeployments, each in the middle of its rollout."""
    lab.kubectl("create", "namespace", NAMESPACE)
    load: Any = config.new_client_from_config
    api = client.CustomObjectsApi(load(str(lab.kubeconfig)))

    def create(number: int) -> None:
        name = f"service-{number}"
        api.create_namespaced_custom_object(*_PLACE, _manifest(name))
        api.patch_namespaced_custom_object_status(*_PLACE, name, {"status": _status(name)})

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(create, range(count)))


def _manifest(name: str) -> Object:
    spec = {
        "stable": {"subset": "stable", "labels": {"version": "v1"}},
        "canary": {"subset": "canary", "labels": {"version": "v2"}},
        "traffic": {"host": name, "virtualServices": [{"name": name}], "destinationRule": name},
    }
    return {"apiVersion": "serinus.io/v1alpha1", "kind": "CanaryDeployment", "metadata": {"name": name}, "spec": spec}


def _status(name: str) -> Object:
    moment = "2026-11-21T14:10:00Z"
    rollout = {"id": f"{name}-0a1b2c3d", "startedAt": moment, "release": "r", "policyHash": "p", "snapshot": ""}
    return {
        "observedGeneration": 1,
        "phase": "Progressing",
        "rollout": {**rollout, "judge": "x" * _STATE},
        "step": 2,
        "steps": 5,
        "weight": 25,
        "verdict": {
            "verdict": "hold",
            "reason": "WaitingForRequests",
            "message": "waiting for requests: 37/100 in the canary arm at this step",
            "time": moment,
        },
        "printed": {"step": "2/5", "next": "14:25Z", "stable": "version=v1", "canary": "version=v2"},
    }


def _seconds(lab: Lab, *arguments: str) -> float:
    """How long the whole command takes, from its start to its end: the median of several."""
    environment = {**os.environ, "KUBECONFIG": str(lab.kubeconfig)}
    times = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        command = [sys.executable, "-m", "serinus.cli.main", *arguments]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        times.append(time.perf_counter() - began)
    return median(times)


if __name__ == "__main__":
    raise SystemExit(main())
