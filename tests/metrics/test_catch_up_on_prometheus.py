"""A thousand ticks read again after a gap, on a real Prometheus in which pods come and go: the same as live (I4)."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from lab.stack.alone import Alone
from serinus.api import CanaryPolicySpec
from serinus.judge import Missing
from serinus.metrics import Arm, Arms, Collected, Connection, Desk, Prometheus, Slot, catch_up, collect, inquiries
from tests.metrics.remote_write import FLAGS, STALE, Series, write

TICKS = 1000
TICK = 15.0
START = 1_795_000_010.0
"""The end of a slot of canaries whose phase is 5 s."""
SCRAPES = [START - 300 + 15 * number + 2.5 for number in range(TICKS + 20)]
HOST = "busy.ml.svc.cluster.local"
ARMS = Arms(
    "ml",
    HOST,
    "destination",
    stable=Arm("stable", (("destination_version", "v1"),)),
    canary=Arm("canary", (("destination_version", "v2"),)),
)
POLICY = CanaryPolicySpec.model_validate(
    {
        "metrics": [
            {"name": "errors", "template": "istio-errors", "tolerance": {"absolute": 0.02}},
            {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}},
        ]
    }
)


def fleet(chance: random.Random) -> Iterator[Series]:
    """Pods that live for minutes to an hour; some end in a stale marker, some fall silent, some restart in place."""
    for number in range(40):
        version = "v2" if number % 4 == 0 else "v1"
        begin = chance.randrange(len(SCRAPES) - 10)
        life = SCRAPES[begin : begin + chance.randrange(5, 240)]
        yield from pod(chance, f"{version}-{number}", version, life)
    for version in ("v1", "v2"):  # one of each is always there
        yield from pod(chance, f"{version}-always", version, SCRAPES)


def pod(chance: random.Random, name: str, version: str, life: list[float]) -> Iterator[Series]:
    own = {"job": "pods", "instance": name}
    ends_marked = chance.random() < 0.5
    yield Series({**own, "__name__": "up"}, [(time, 1.0) for time in life])
    labels = {**own, "reporter": "destination", "destination_service": HOST, "destination_version": version}
    for code in ("200", "404", "503"):
        first = 0 if code == "200" else chance.randrange(len(life))
        yield counted(
            chance, {**labels, "__name__": "istio_requests_total", "response_code": code}, life[first:], ends_marked
        )
    restarts = chance.randrange(len(life)) if chance.random() < 0.3 else None
    rises = [(chance.randrange(20), chance.randrange(20)) for _ in life]
    for bucket, bound in enumerate(("50", "+Inf")):
        value, samples = 0.0, []
        for place, time in enumerate(life):
            value = 0.0 if place == restarts else value + rises[place][0] + bucket * rises[place][1]
            samples.append((time, value))
        yield Series({**labels, "__name__": "istio_request_duration_milliseconds_bucket", "le": bound}, list(samples))


def counted(chance: random.Random, labels: dict[str, str], life: list[float], ends_marked: bool) -> Series:
    value, series = 0.0, Series(labels)
    for time in life:
        value += chance.randrange(30)
        series.samples.append((time, value))
    if ends_marked and life:
        series.samples.append((life[-1] + 15, STALE))
    return series


@pytest.fixture(scope="module")
def address(alone: Alone) -> str:
    address = alone.start("catch-up", "global: {}", [*FLAGS, "--storage.tsdb.retention.time=100y"])
    write(address, fleet(random.Random(11)))
    return address


def test_a_gap_of_a_thousand_ticks_says_what_live_ticks_said(address: str) -> None:
    slots = [Slot(START + TICK * number, START + TICK * (number + 1)) for number in range(TICKS)]

    async def ask() -> tuple[list[Collected], list[Collected]]:
        desk = Desk(Prometheus(Connection(address)))
        asked = inquiries(POLICY, ARMS)
        try:
            reader = await catch_up(desk, list(dict.fromkeys(each.question for each in asked)), slots)
            assert len(reader.readings) == 2 * TICKS
            later = [await collect(reader, asked, slot, weight=10, silence=desk.silence) for slot in slots]
            live: list[Collected] = []
            for first in range(0, TICKS, 8):
                some = slots[first : first + 8]
                live += await asyncio.gather(
                    *(collect(desk, asked, slot, weight=10, silence=desk.silence) for slot in some)
                )
            return live, later
        finally:
            await desk.prometheus.close()

    live, later = asyncio.run(ask())
    assert [repr(each.evidence) for each in later] == [repr(each.evidence) for each in live]
    assert [each.reach for each in later] == [each.reach for each in live]
    kinds = {found.missing for each in live for found in each.evidence.values()}
    assert kinds >= {None, Missing.PARTIAL, Missing.RESET}, "pods came, went and restarted"
