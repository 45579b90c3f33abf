"""`make bench-routing`: how long routing takes, from a user's arm to a weight that decides real requests.

The last two parts run on the real mesh: weights go from 0 to 100 and back while requests are sent one after the other,
and subsets are re-pointed in the operator's order under load.
"""

import argparse
import asyncio
import http.client
import json
import os
import time
import timeit
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from lab.demo.figures import Figure, tally
from lab.demo.load import Load
from lab.demo.stage import start_version, users_of
from lab.errors import LabError
from lab.stack import Lab
from lab.stack.service import Service
from serinus.api.traffic import AudienceMatch, Cohort
from serinus.cohort import in_canary
from serinus.controller.kube import Kube
from serinus.istio import Split, arm_routes, subset_patch, weights_patch

ROLLOUT = "predictor-1a2b3c4d"
RATE = 200.0
"""Requests per second while subsets are re-pointed."""
SETTLE = 0.5
"""Seconds that a subset's change is given before weights use it; this mesh needs milliseconds."""
PATIENCE = 10.0
"""Seconds after which a weight that decides nothing counts as never."""

OUT = Path("bench-routing.json")

Object = dict[str, Any]


def main() -> int:
    """Measure: 0 if every figure is within its bound, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.routing", description=__doc__)
    parser.add_argument("--changes", type=int, default=100, help="how many changes of weights, and of subsets")
    changes = parser.parse_args().changes
    console = Console(markup=False, highlight=False)
    figures = [*assignment(), *patches()]
    try:
        with Lab() as lab:
            os.environ["KUBECONFIG"] = os.fspath(lab.kubeconfig)
            figures += asyncio.run(on_the_mesh(lab, changes, console))
    except LabError as error:
        console.print(f"The benchmark failed: {error}", soft_wrap=True)
        return 1
    OUT.write_text(json.dumps([figure.summary for figure in figures], indent=2, ensure_ascii=False) + "\n")
    console.print("\n".join(["", *(figure.line for figure in figures)]), soft_wrap=True)
    ending, code = tally(figures)
    console.print(ending)
    return code


def assignment() -> Iterator[Figure]:
    """How long a user's arm takes to compute (R15)."""
    for name, users in (
        ("user-123456", [f"user-{number}" for number in range(100_000, 101_000)]),
        ("UUID", [str(uuid.UUID(int=number * 2**90 + 1)) for number in range(1_000)]),
    ):

        def assign(users: list[str] = users) -> None:
            for user in users:
                in_canary(user, ROLLOUT, 25)

        seconds = best_of(assign)
        yield Figure(f"in_canary, ids like {name}", seconds / len(users) * 1e6, "µs", at_most=5)


def patches() -> Iterator[Figure]:
    """How long the patch of a VirtualService with 200 routes takes to compute."""
    audience = (AudienceMatch(header="x-internal", exact="true"), AudienceMatch(header="x-team", prefix="ml-"))
    service = large_service(200)
    for name, split in (
        ("weights", Split("canary", 25)),
        ("audience and cohort", Split("canary", 25, audience, Cohort(header="x-user-id"), ROLLOUT)),
    ):

        def patch(split: Split = split) -> None:
            (routes,) = arm_routes(service, host="predictor.ml.svc.cluster.local", stable="stable", canary="canary")
            weights_patch(service, routes, split, decision=f"{ROLLOUT}/2-promote")

        yield Figure(f"patch of 200 routes, {name}", best_of(patch) * 1e3, "ms", at_most=5)


def best_of(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of a hundred runs: the others were disturbed."""
    return min(timeit.repeat(work, timer=time.process_time, number=1, repeat=100))


def large_service(routes: int) -> Object:
    """A VirtualService of so many routes, each of which carries both arms."""
    arms = [
        {"destination": {"host": "predictor", "subset": subset}, "weight": weight}
        for subset, weight in (("stable", 90), ("canary", 10))
    ]
    http_routes = [
        {"name": f"r{number}", "match": [{"uri": {"prefix": f"/{number}/"}}], "timeout": "2s", "route": arms}
        for number in range(routes)
    ]
    metadata = {"namespace": "ml", "name": "predictor", "resourceVersion": "7", "annotations": {"a": "b"}}
    return {"metadata": metadata, "spec": {"hosts": ["predictor"], "http": http_routes}}


async def on_the_mesh(lab: Lab, changes: int, console: Console) -> list[Figure]:
    """What takes a mesh to see."""
    kube = await Kube.connect()
    try:
        return [
            *await weights_to_traffic(lab, kube, changes, console),
            *await subsets_under_load(lab, kube, changes, console),
        ]
    finally:
        await kube.close()


async def weights_to_traffic(lab: Lab, kube: Kube, changes: int, console: Console) -> list[Figure]:
    """From the patch's being sent to the first request that it decides."""
    service = lab.add_service("weights")
    workloads = [start_version(lab, service.name, version, 0.0) for version in ("v1", "v2")]
    virtual_service = read(lab, "virtualservice", service)
    took: list[float | None] = []
    for number in range(changes):
        weight, version = (100, "v2") if number % 2 == 0 else (0, "v1")
        sent = time.monotonic()
        virtual_service = await give(kube, virtual_service, service, weight)
        took.append(await asyncio.to_thread(first_answer, lab, service, version, sent))
    for workload in workloads:
        workload.stop()
    known = sorted(seconds for seconds in took if seconds is not None)
    console.print(f"{changes} changes of weights are done", soft_wrap=True)
    slow = known[-1 - len(known) // 100] if known and len(known) == changes else None
    return [
        Figure("weight patch to traffic, median", known[len(known) // 2] if known else None, "s"),
        Figure(f"weight patch to traffic, p99 of {changes}", slow, "s", at_most=1),
    ]


async def subsets_under_load(lab: Lab, kube: Kube, changes: int, console: Console) -> list[Figure]:
    """A subset is re-pointed without traffic, given time to settle, then used; nobody may notice."""
    service = lab.add_service("subsets")
    workloads = [start_version(lab, service.name, version, 0.0) for version in ("v1", "v2")]
    virtual_service, rule = read(lab, "virtualservice", service), read(lab, "destinationrule", service)
    rule = await kube.patch("destinationrules", rule, [{"op": "remove", "path": "/spec/subsets/1"}])
    with Load(users_of(lab, service, RATE, seconds=changes * 5 + 60), lab.directory / "subsets.jsonl") as load:
        for number in range(changes):
            labels = {"version": ("v2", "v1")[number % 2]}
            rule = await kube.patch("destinationrules", rule, subset_patch(rule, "canary", labels))
            await asyncio.sleep(SETTLE)
            virtual_service = await give(kube, virtual_service, service, 50)
            await asyncio.sleep(SETTLE / 2)
            virtual_service = await give(kube, virtual_service, service, 0)
            await asyncio.sleep(SETTLE)
        snapshot = load.snapshot()
    for workload in workloads:
        workload.stop()
    console.print(f"{changes} changes of subsets under load are done", soft_wrap=True)
    answered = snapshot.of("v2")
    return [
        Figure(
            f"requests during {changes} changes of subsets", snapshot.answered, "", at_least=changes * RATE * SETTLE
        ),
        Figure("of them by the canary", answered.ok if answered else 0, "", at_least=1),
        Figure("of them failed", snapshot.failed, "", at_most=0),
    ]


def read(lab: Lab, kind: str, service: Service) -> Object:
    """An object of the service's as it is now."""
    found: Object = json.loads(lab.kubectl("get", kind, service.name, f"--namespace={lab.namespace}", "--output=json"))
    return found


async def give(kube: Kube, virtual_service: Object, service: Service, weight: int) -> Object:
    """Give the canary `weight` percent; the VirtualService as it is then."""
    (routes,) = arm_routes(virtual_service, host=service.mesh_host, stable="stable", canary="canary")
    operations = weights_patch(virtual_service, routes, Split("canary", weight), decision=f"{ROLLOUT}/1-start")
    return await kube.patch("virtualservices", virtual_service, operations)


def first_answer(lab: Lab, service: Service, version: str, since: float) -> float | None:
    """Seconds from `since` (monotonic) until `version` answers; None if it does not."""
    connection = http.client.HTTPConnection(urlsplit(lab.gateway_url).netloc, timeout=5)
    headers = {"Host": service.host, "Content-Type": "application/json"}
    try:
        while time.monotonic() - since < PATIENCE:
            connection.request("POST", "/predict", body=b'{"text": "what a great day"}', headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.headers["x-version"] == version:
                return time.monotonic() - since
        return None
    finally:
        connection.close()


if __name__ == "__main__":
    raise SystemExit(main())
