"""`make bench-evidence`: what a tick of 1 000 canaries costs, and whether one hung Prometheus delays the others.

One real Prometheus scrapes a fleet that a few web servers play: two pods an arm, 20 buckets, 4 status codes.
"""

import argparse
import asyncio
import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from bench.scrapes import SCRAPE, Page, address_of, prometheus_config, target
from lab.demo.figures import Figure, tally
from lab.stack import web
from lab.stack.alone import Alone, prometheus_alone
from lab.waiting import wait_until
from serinus.api import CanaryPolicySpec
from serinus.controller.cache import Key
from serinus.controller.garbage import collect_seldom
from serinus.controller.scheduler import Scheduler
from serinus.judge import Counts
from serinus.judge.evidence import Events, Histogram
from serinus.metrics import Arm, Arms, Collected, Connection, Desk, Grid, Prometheus, Slot, collect, inquiries
from serinus.metrics.answers import Vector

PODS, BUCKETS, CODES = 2, 20, ("200", "404", "500", "503")
SERVERS = 8
"""Web servers that play the pods between them."""

TICK = 15.0
LATENESS = 2.0
"""Seconds that a tick's samples may take to arrive."""

RUNS = 5
QUERIES, WALL, CPU = 10, 2.0, 0.7
"""What must be reached, in a tick of all canaries: queries, seconds, and seconds of this process."""

HUNG, HEALTHY = 1000, 50
"""Canaries on the server that never answers, and on the one that does."""

OUT = Path("bench-evidence.json")

POLICY = CanaryPolicySpec.model_validate(
    {
        "metrics": [
            {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}},
            {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}},
            {"name": "share", "template": "istio-throughput", "tolerance": {"relative": 0.1}},
        ]
    }
)


class Counting(Prometheus):
    """Counts the queries that it sends."""

    queries = 0

    async def query(self, promql: str, at: float) -> Vector:
        """As Prometheus does."""
        self.queries += 1
        return await super().query(promql, at)


def main() -> int:
    """Measure, print, and say whether all bounds are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--canaries", type=int, default=1000)
    canaries = parser.parse_args().canaries
    collect_seldom()  # as the operator does
    with prometheus_alone() as servers:
        figures = [*fleet_figures(servers, canaries), *asyncio.run(hung_figures(servers))]
    for figure in figures:
        print(figure.line)
    OUT.write_text(json.dumps([figure.summary for figure in figures], indent=1))
    ending, code = tally(figures)
    print(ending)
    return code


def fleet_figures(servers: Alone, canaries: int) -> Iterator[Figure]:
    """Queries, wall time and CPU of a tick of the whole fleet: the median of some ticks."""
    with fleet(canaries) as addresses:
        address = servers.start("fleet", prometheus_config(addresses))
        expected = canaries * (2 * PODS * (len(CODES) + BUCKETS) + 2 * len(CODES))
        print(f"{canaries} canaries, {expected} series; waiting for two scrapes of all of them", flush=True)
        began = time.time()
        wait_until(lambda: series(address) >= expected, "a scrape of the whole fleet", 180)
        time.sleep(max(0.0, 3 * SCRAPE - (time.time() - began)))
        runs, incomplete = asyncio.run(ticks(address, canaries))
    taken = [sorted(values)[len(values) // 2] for values in zip(*runs, strict=True)]
    yield Figure(f"a tick of {canaries} canaries x 3 metrics", taken[0], "queries", at_most=QUERIES)
    yield Figure("wall time of that tick", taken[1], "s", at_most=WALL)
    yield Figure("CPU time of this process in that tick", taken[2], "s", at_most=CPU)
    yield Figure("canaries without their evidence in those ticks", incomplete, "canaries", at_most=0)


async def ticks(address: str, canaries: int) -> tuple[list[tuple[float, float, float]], int]:
    """Queries, seconds and CPU seconds of some ticks as they come, and how often evidence was not complete.

    The figures of the first tick, in which nobody is known yet, do not count.
    """
    server = Counting(Connection(address))
    desk = Desk(server)
    asked = [inquiries(POLICY, arms_of(number)) for number in range(canaries)]
    grid = Grid(TICK, LATENESS)
    found, incomplete = [], 0
    for run in range(RUNS + 1):
        end = grid.next_end(time.time(), elevated=False)
        slot = Slot(end - TICK, end)
        await asyncio.sleep(grid.complete_at(end) - time.time())
        queries, wall, cpu = server.queries, time.perf_counter(), time.process_time()
        collected = await asyncio.gather(
            *(collect(desk, each, slot, weight=50, silence=desk.silence) for each in asked)
        )
        found.append((float(server.queries - queries), time.perf_counter() - wall, time.process_time() - cpu))
        incomplete += sum(not is_complete(each) for each in collected)
        print(f"  tick {run}: {found[-1][0]:g} queries, {found[-1][1]:.2f} s, CPU {found[-1][2]:.2f} s", flush=True)
    await server.close()
    return found[1:], incomplete


def is_complete(collected: Collected) -> bool:
    """Whether a canary has its evidence, and it adds up."""
    errors, latency, share = (collected.evidence[name].canary for name in ("error-rate", "latency", "share"))
    return bool(
        not collected.doubts
        and (isinstance(errors, Counts) and errors.n > 0 and errors.x > 0)
        and (isinstance(latency, Histogram) and latency.n > 0 and len(latency.bounds) == BUCKETS)
        and (isinstance(share, Events) and share.x > 0)
    )


async def hung_figures(servers: Alone) -> list[Figure]:
    """How late canaries on a healthy server are, while a thousand ask one that accepts and never answers."""
    healthy = servers.start("healthy", "global: {}")
    with hung_server() as hung:
        desks = {address: Desk(Prometheus(Connection(address))) for address in (hung, healthy)}
        where = {("bench", f"hung-{number}"): hung for number in range(HUNG)}
        where |= {("bench", f"healthy-{number}"): healthy for number in range(HEALTHY)}
        asked = {key: inquiries(POLICY, arms_of(number)) for number, key in enumerate(where)}
        late: list[float] = []
        due = dict.fromkeys(where, time.time())

        async def reconcile(key: Key) -> float:
            desk, end = desks[where[key]], due[key]
            await collect(desk, asked[key], Slot(end - TICK, end), weight=50, silence=desk.silence)
            if where[key] == healthy:
                late.append(time.time() - end)
            due[key] = end + TICK
            return due[key]

        scheduler = Scheduler(reconcile)
        for key in where:
            scheduler.wake(key)
        work = asyncio.create_task(scheduler.run())
        await asyncio.sleep(3.5 * TICK)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        for desk in desks.values():
            await desk.prometheus.close()
    return [
        Figure("ticks of healthy canaries beside a hung server", len(late) / HEALTHY, "each", at_least=4),
        Figure("the latest of them", max(late), "s", at_most=TICK),
    ]


@contextmanager
def hung_server() -> Iterator[str]:
    """Accepts connections and never answers; its address."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def arms_of(number: int) -> Arms:
    """The arms of one canary of the fleet."""
    stable, canary = (Arm(version, (("destination_version", version),)) for version in ("v1", "v2"))
    return Arms("bench", host_of(number), "destination", stable=stable, canary=canary)


def host_of(number: int) -> str:
    """The host of one canary of the fleet."""
    return f"service-{number}.namespace-{number % 20}.svc.cluster.local"


@contextmanager
def fleet(canaries: int) -> Iterator[list[str]]:
    """Web servers that play the fleet's pods; their addresses, host:port."""
    # In a process of its own, for what it costs to play them is no matter of this one's.
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    player = spawn.Process(target=play, args=(canaries, theirs), daemon=True)
    player.start()
    try:
        yield mine.recv()
    finally:
        player.terminate()
        player.join()


def play(canaries: int, told: Pipe) -> None:
    """Serve the fleet's pages until this process is ended; say where."""
    servers = [target(page(range(part, canaries, SERVERS))) for part in range(SERVERS)]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    told.send([address_of(server) for server in servers])
    for thread in threads:
        thread.join()


def page(numbers: Sequence[int]) -> Page:
    """What one web server shows at its n-th scrape: every counter rises by the same amount each time."""
    lines = "".join(line for number in numbers for line in series_of(number))
    ups = "".join(f'up{{job="fleet",instance="{number}-{pod}"}} 1\n' for number in numbers for pod in pods())

    return lambda scrape: f"{ups}{lines.replace('@', str(scrape))}"


def pods() -> list[str]:
    """A canary's pods, of both versions."""
    return [f"{version}-{pod}" for version in ("v1", "v2") for pod in range(PODS)]


def series_of(number: int) -> Iterator[str]:
    """The lines of one canary's pods, and of the proxy that sends to it; each @ becomes the number of the scrape."""
    for pod in pods():
        version = pod[:2]
        pod_labels = f'job="fleet",instance="{number}-{pod}",reporter="destination"'
        for code in CODES:
            labels = f'{pod_labels},{labels_of(number, version)},response_code="{code}"'
            yield f"istio_requests_total{{{labels}}} @{'0' * (code == '200')}\n"
        for bucket in range(BUCKETS):
            bound = "+Inf" if bucket == BUCKETS - 1 else f"{2**bucket / 4:g}"
            labels = f'{pod_labels},{labels_of(number, version)},response_code="200",le="{bound}"'
            yield f"istio_request_duration_milliseconds_bucket{{{labels}}} @{'0' * (bucket > BUCKETS // 2)}\n"
    for version in ("v1", "v2"):
        sent = f'job="fleet",instance="{number}-v1-0",reporter="source",{labels_of(number, version)}'
        yield from (f'istio_requests_total{{{sent},response_code="{code}"}} @0\n' for code in CODES)


def labels_of(number: int, version: str) -> str:
    """Labels as Istio has them: more than are asked for."""
    return (
        f'destination_service="{host_of(number)}",destination_version="{version}",'
        f'destination_workload="service-{number}-{version}",request_protocol="http",grpc_response_status=""'
    )


def series(address: str) -> int:
    """How many series of the fleet the server has."""
    answer = web.get(f"{address}/api/v1/status/tsdb", timeout=10)
    return int(answer.json()["data"]["headStats"]["numSeries"]) if answer else 0


if __name__ == "__main__":
    raise SystemExit(main())
