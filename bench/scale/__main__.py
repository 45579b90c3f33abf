"""`make bench-scale`: what many canaries cost one operator, and whether a bad one among them waits for the others.

A real operator, API server, etcd and Prometheus; canaries with three metrics, a comparison and twenty summaries of
history, judged every 15 s. Rollouts under way are measured in growing numbers, then rollouts that have ended.
"""

import argparse
import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median

from bench.scale.api import Api, administrator
from bench.scale.cluster import Cluster, Operator, cluster
from bench.scale.fleet import fleet, series
from bench.scale.objects import NAMESPACES, TICK, Canary, bad_canaries, canaries
from bench.scale.standing import progressing, promoted, rolled_back
from bench.scrapes import SCRAPE, prometheus_config
from lab.demo.figures import Figure, tally
from lab.errors import LabError
from lab.stack import web
from lab.stack.alone import prometheus_alone
from lab.waiting import wait_until

SIZES = (250, 500, 1000, 2000)
PROMISED = 1000
"""Rollouts under way for which bounds are given."""
IDLE = 5000
"""Rollouts that have ended."""
BAD = 5
"""Canaries that turn bad, alone and among the others."""

LATENESS = 1.0
"""Seconds after a tick's end until its evidence is complete."""
SETTLING = 45.0
"""Seconds from the last judgement of a restart to the first that counts as steady."""
PATIENCE = 300.0

OUT = Path("bench-scale.json")


@dataclass(frozen=True)
class Cost:
    """What an operator took in a while."""

    canaries: int
    seconds: float
    cpu: float
    memory: float
    reads: Mapping[str, float]
    status_writes: float
    stored: float
    lags: Mapping[float, float]
    """How many ticks were judged at most so many seconds after they could be, by those seconds."""

    @property
    def cores(self) -> float:
        """Processor time a second."""
        return self.cpu / self.seconds

    def per_minute(self, count: float) -> float:
        """So many in the while, in a minute."""
        return 60 * count / self.seconds


def main() -> int:
    """Measure: 0 if every figure is within its bound, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--canaries", type=int, nargs="*", default=SIZES, help="rollouts under way, growing numbers")
    parser.add_argument("--idle", type=int, default=IDLE, help="rollouts that have ended; 0 leaves that part out")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long each number is measured")
    chosen = parser.parse_args()
    figures: list[Figure] = []
    try:
        if chosen.canaries:
            figures += asyncio.run(under_way(sorted(chosen.canaries), chosen.seconds))
        if chosen.idle:
            figures += asyncio.run(idle(chosen.idle, chosen.seconds))
    except LabError as error:
        print(f"The benchmark failed: {error}")
        return 1
    OUT.write_text(json.dumps([figure.summary for figure in figures], indent=2, ensure_ascii=False) + "\n")
    print("\n".join(["", *(figure.line for figure in figures)]))
    ending, code = tally(figures)
    print(ending)
    return code


async def under_way(sizes: Sequence[int], seconds: float) -> list[Figure]:
    """What rollouts under way cost, in growing numbers; and rollbacks among as many as promised, or the most."""
    everyone, alone, among = canaries(sizes[-1]), bad_canaries("alone", BAD), bad_canaries("among", BAD)
    crowd = PROMISED if PROMISED in sizes else sizes[-1]
    figures: list[Figure] = []
    with fleet(everyone, (alone, among)) as metrics, prometheus_alone() as servers:
        address = servers.start("fleet", prometheus_config(metrics.targets))
        expected = series(everyone[0]) * (len(everyone) + 2 * BAD)
        await asyncio.to_thread(wait_until, lambda: has_series(address, expected), "a scrape of the whole fleet", 180)
        await asyncio.sleep(2 * SCRAPE)
        with cluster(address) as place:
            async with watching(place) as api:
                await api.create_namespaces([*(f"scale-{number}" for number in range(NAMESPACES)), "alone", "among"])
                reference = await alone_rolled_back(place, api, alone, metrics.bad[0])
                there = 0
                for size in sizes:
                    await api.create(everyone[there:size], progressing(time.time()))
                    there = size
                    if size == crowd:
                        await api.create(among, progressing(time.time()))
                    operator = await started(place, size, restart=False)
                    figures += list(
                        cost_figures(
                            size,
                            await measured(place, api, operator, size + BAD * (size >= crowd), seconds),
                            size == PROMISED,
                        )
                    )
                    if size == crowd:
                        figures += rollback_figures(
                            size, reference, await turned_bad(api, operator, among, metrics.bad[1])
                        )
                        operator.process.stop()
                        began = time.time()
                        operator = await started(place, size, restart=True)
                        bound = 30.0 if size == PROMISED else None
                        figures.append(Figure(f"{size}: caught up after a restart", time.time() - began, "s", bound))
                    operator.process.stop()
                    # As far as it has come: the largest number may be too many for this machine.
                    print("\n".join(figure.line for figure in figures), flush=True)
    return figures


async def idle(count: int, seconds: float) -> list[Figure]:
    """What rollouts cost that have ended, half of them promoted, half rolled back."""
    ended = canaries(count)
    with prometheus_alone() as servers, cluster(servers.start("empty", "global: {}")) as place:
        async with watching(place) as api:
            await api.create_namespaces(f"scale-{number}" for number in range(NAMESPACES))
            await api.create(ended[: count // 2], promoted(time.time()))
            await api.create(ended[count // 2 :], rolled_back(time.time()))
            operator = await asyncio.to_thread(place.start_operator)
            await at_rest(operator)
            cost = await measured(place, api, operator, count, seconds)
    bounds = (0.1, 500.0) if count == IDLE else (None, None)
    return [
        Figure(f"{count} idle: processor", cost.cores, "cores", at_most=bounds[0]),
        Figure(f"{count} idle: memory", cost.memory, "MB", at_most=bounds[1]),
        Figure(f"{count} idle: status writes", cost.status_writes, "", at_most=0),
        *read_figures(f"{count} idle", cost, at_most=0),
    ]


def cost_figures(size: int, cost: Cost, is_bounded: bool) -> Iterator[Figure]:
    """The figures of one number of rollouts under way."""

    def figure(name: str, value: float | None, unit: str, at_most: float) -> Figure:
        return Figure(f"{size}: {name}", value, unit, at_most if is_bounded else None)

    yield figure("processor", cost.cores, "cores", 0.5)
    yield figure("memory", cost.memory, "MB", 260)
    yield from read_figures(str(size), cost, at_most=0 if is_bounded else None)
    yield figure("status writes a canary and minute", cost.per_minute(cost.status_writes) / cost.canaries, "", 2)
    yield figure("lag of a tick, p99", percentile(cost.lags, 0.99), "s", 3)
    yield Figure(f"{size}: written to etcd a minute", cost.per_minute(cost.stored) / 2**20, "MB")


def read_figures(what: str, cost: Cost, at_most: float | None) -> Iterator[Figure]:
    """How much the operator read of the API server, and what."""
    yield Figure(f"{what}: GETs and LISTs", sum(cost.reads.values()), "", at_most)
    for request, count in sorted(cost.reads.items()):
        yield Figure(f"{what}: of them {request}", count, "")


def percentile(lags: Mapping[float, float], share: float) -> float | None:
    """Within how many seconds such a share of ticks was judged, by the buckets of a histogram; None without ticks."""
    total = lags.get(math.inf, 0.0)
    before, below = 0.0, 0.0
    for at, count in sorted(lags.items()):
        if total and count >= share * total:
            return at if at == math.inf else before + (at - before) * (share * total - below) / max(count - below, 1.0)
        before, below = at, count
    return None


@dataclass(frozen=True)
class RolledBack:
    """How long rollbacks took, in seconds: from the first bad request, and from the decision, to the VirtualService."""

    from_bad: Sequence[float]
    from_decision: Sequence[float]


def rollback_figures(size: int, alone: RolledBack, among: RolledBack) -> Iterator[Figure]:
    """What bad canaries wait for among so many good ones."""
    bound = size == PROMISED
    ratio = median(among.from_bad) / median(alone.from_bad)
    yield Figure("a bad canary alone is rolled back in", median(alone.from_bad), "s")
    yield Figure(f"{size}: among them", median(among.from_bad), "s")
    yield Figure(f"{size}: times as long", ratio, "", at_most=1.1 if bound else None)
    slowest = max(among.from_decision)
    yield Figure(f"{size}: from decision to VirtualService", slowest, "s", at_most=1 if bound else None)


async def alone_rolled_back(place: Cluster, api: Api, alone: Sequence[Canary], bad: Event) -> RolledBack:
    """How fast bad canaries are rolled back by an operator that has no others."""
    await api.create(alone, progressing(time.time()))
    operator = await asyncio.to_thread(place.start_operator, ("--namespace=alone",))
    await condition(operator.is_up_to_date, "all canaries to be judged")
    try:
        return await turned_bad(api, operator, alone, bad)
    finally:
        operator.process.stop()


async def turned_bad(api: Api, operator: Operator, turning: Sequence[Canary], bad: Event) -> RolledBack:
    """Let canaries turn bad, two seconds after a tick's end, and wait until all are rolled back."""
    await asyncio.sleep(2 * TICK - time.time() % TICK + 2)
    began = time.time()
    bad.set()
    seen = [api.feed.seen[canary.key] for canary in turning]
    await condition(lambda: all(each.back_at is not None for each in seen), "the bad canaries to be rolled back")
    back = {canary.key: each.back_at or 0.0 for canary, each in zip(turning, seen, strict=True)}
    # Records are printed after the weights are written.
    await condition(lambda: decisions(operator).keys() >= back.keys(), "the records of the rollbacks")
    decided = decisions(operator)
    return RolledBack([at - began for at in back.values()], [at - decided[key] for key, at in back.items()])


def decisions(operator: Operator) -> dict[tuple[str, str], float]:
    """When the operator decided which rollback, by its own log (Unix time)."""
    lines = operator.process.log.read_text(errors="replace").splitlines(keepends=True)
    records = [json.loads(line) for line in lines if line.startswith('{"') and line.endswith("}\n")]
    return {
        (record["namespace"], record["name"]): datetime.fromisoformat(record["time"]).timestamp()
        for record in records
        if record["verdict"] == "rollback"
    }


async def started(place: Cluster, size: int, *, restart: bool) -> Operator:
    """An operator that has caught up with all that happened before it began."""
    began = time.time()
    operator = await asyncio.to_thread(place.start_operator)
    watches = time.time()
    await condition(operator.is_up_to_date, "all canaries to be judged")
    what = "restarted" if restart else "started"
    print(
        f"{size}: {what}, watching after {watches - began:.1f} s, caught up after {time.time() - began:.1f} s",
        flush=True,
    )
    return operator


async def at_rest(operator: Operator) -> None:
    """Return when the operator has nothing left to do from its start."""
    last, deadline = operator.cpu(), time.monotonic() + PATIENCE
    while True:
        await asyncio.sleep(5)
        if operator.cpu() - last < 0.5:
            return
        if time.monotonic() > deadline:
            return
        last = operator.cpu()


async def measured(place: Cluster, api: Api, operator: Operator, canaries: int, seconds: float) -> Cost:
    """What the operator takes for so many canaries in so many seconds, after it has settled."""
    await asyncio.sleep(SETTLING)
    requests, stored, lags, reads = await api.requests(), place.stored_bytes(), operator.lags(), place.reads()
    cpu, began = operator.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    took, spent, after_lags = time.monotonic() - began, operator.cpu() - cpu, operator.lags()
    after = (await api.requests()).since(requests)
    return Cost(
        canaries=canaries,
        seconds=took,
        cpu=spent,
        memory=operator.memory(),
        reads=place.reads() - reads,
        status_writes=after.status_writes(),
        stored=place.stored_bytes() - stored,
        lags={at: count - lags.get(at, 0.0) for at, count in after_lags.items()},
    )


@asynccontextmanager
async def watching(place: Cluster) -> AsyncIterator[Api]:
    """The administrator, who sees every change of a VirtualService."""
    async with administrator(place.lab.kubeconfig) as api:
        watch = asyncio.create_task(api.watch())
        try:
            yield api
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)


async def condition(holds: Callable[[], bool], what: str) -> None:
    """Return when it holds. Raises LabError naming what was waited for."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise LabError(f"waited {PATIENCE:.0f} s for {what}, in vain")
        await asyncio.sleep(0.2)


def has_series(address: str, expected: int) -> bool:
    """Whether the server has so many series."""
    answer = web.get(f"{address}/api/v1/status/tsdb", timeout=10)
    return answer is not None and int(answer.json()["data"]["headStats"]["numSeries"]) >= expected


if __name__ == "__main__":
    raise SystemExit(main())
