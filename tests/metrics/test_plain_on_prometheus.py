"""A plain question, which costs a fraction of the exact one, is believed only where it says the same (I3)."""

import asyncio

import pytest

from lab.stack.alone import Alone
from serinus.metrics import Arm, Arms, Connection, Desk, Prometheus, Slot
from serinus.metrics.istio import IstioQuestion, shared_promql
from serinus.metrics.places import Layout
from serinus.metrics.reading import Reading
from tests.metrics.remote_write import FLAGS, Series, write

TICK = 15.0
END = 1_795_000_500.0
"""A multiple of the tick; slots of another phase end later."""
LOOK_BACK = 300.0
ARMS = Arms(
    "ml",
    "h",
    "destination",
    stable=Arm("stable", (("destination_version", "v1"),)),
    canary=Arm("canary", (("destination_version", "v2"),)),
)
QUESTION = IstioQuestion("requests", ARMS, "destination")


def requests(pod: str, samples: list[tuple[float, float]], version: str = "v1") -> Series:
    labels = {"job": "pods", "instance": pod, "reporter": "destination", "response_code": "200"}
    return Series(
        {**labels, "__name__": "istio_requests_total", "destination_service": "h", "destination_version": version},
        list(samples),
    )


STEADY = [(END - 2 * LOOK_BACK + TICK * number + 5, 7.0 * number + 3.0 * (number == 39)) for number in range(40)]
"""Ten requests in the newest tick, seven in each before."""

HISTORIES = {
    "nothing special": [requests("one", STEADY)],
    "a pod begins": [requests("one", STEADY), requests("two", [(END - 5, 7)])],
    "a pod is forgotten as another begins": [
        requests("old", [(END - LOOK_BACK - 1.4 * TICK, 1000.0)]),
        requests("new", [(END - 5, 7)]),
    ],
    "a pod is forgotten": [requests("one", STEADY), requests("old", [(END - LOOK_BACK - 1.4 * TICK, 1000.0)])],
    "a pod restarts": [requests("one", [*STEADY[:-1], (STEADY[-1][0], 3.0)])],
    "a pod restarted earlier": [requests("one", [*STEADY[:20], *((time, value - 130) for time, value in STEADY[20:])])],
}

UNCHANGED = {"nothing special", "a pod restarted earlier"}
"""Within the tick: a plain question tells of them what the exact one does."""


@pytest.mark.parametrize("what", HISTORIES)
def test_what_is_counted_is_what_the_exact_question_counts(what: str, alone: Alone) -> None:
    address = alone.start(
        f"plain-{list(HISTORIES).index(what)}", "global: {}", [*FLAGS, "--storage.tsdb.retention.time=100y"]
    )
    write(address, [*HISTORIES[what], requests("canary", STEADY, "v2")])

    async def ask(end: float) -> tuple[Reading, bool, Reading, Reading]:
        server = Prometheus(Connection(address))
        try:
            alone = QUESTION.read((await server.query(QUESTION.promql(TICK), end)).rows())
            slot = Slot(end - TICK, end)
            plain = await server.query(shared_promql([QUESTION], TICK, plain_at=slot.phase), end)
            layout = Layout(QUESTION.shape.place(row.labels) for row in plain.rows())
            is_exact = QUESTION.is_exact_in(layout, plain.values)
            return QUESTION.read(plain.rows()), is_exact, await Desk(server).read(QUESTION, slot), alone
        finally:
            await server.close()

    for end in (END, END - 4):
        plain, is_exact, shared, exact = asyncio.run(ask(end))
        assert numbers(shared) == numbers(exact)
        assert is_exact == (what in UNCHANGED)
        assert not is_exact or numbers(plain) == numbers(exact)
        assert exact.of("canary", "requests").total == 10


def numbers(reading: Reading) -> dict[str, object]:
    return {name: (part.rises, part.resets, part.baselines) for name, part in reading.parts.items() if part.is_known}
