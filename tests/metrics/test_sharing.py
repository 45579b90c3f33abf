"""One query for many: queries grow with templates, not with canaries, and a server's limits are found out."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import pytest

from serinus.judge import Missing
from serinus.metrics import Arm, Arms, Desk, Prometheus, Slot, SourceError
from serinus.metrics.answers import Row, Vector
from serinus.metrics.errors import TooMuch
from serinus.metrics.istio import NAMED, IstioQuestion

TICK = 15.0
ENDS = [1_795_000_005.0 + TICK * number for number in range(6)]


def question(number: int) -> IstioQuestion:
    stable, canary = (Arm(version, (("destination_version", version),)) for version in ("v1", "v2"))
    return IstioQuestion(
        "requests", Arms("ml", f"s{number}", "destination", stable=stable, canary=canary), "destination"
    )


@dataclass
class Server:
    """Answers for every host that it knows; refuses queries about more than it can take."""

    hosts: int
    takes: int = 10**6
    changed: frozenset[str] = frozenset()
    queries: list[str] = field(default_factory=list)

    async def query(self, promql: str, at: float) -> Vector:
        self.queries.append(promql)
        named = [f"s{number}" for number in range(self.hosts) if names(promql, f"s{number}")]
        if len(named) > self.takes:
            raise TooMuch(Missing.NO_SERIES, "query processing would load too many samples into memory")
        is_plain = '"changed"' in promql
        rows = []
        for host in named:
            owner = {"destination_service": host, "destination_version": "v1"}
            rows += [Row({**owner, "response_code": "200"}, 1.0 if is_plain else 2.0)]
            rows += [Row({**owner, "serinus_what": "changed"}, 1.0)] * (is_plain and host in self.changed)
        return Vector.of(rows)


def names(promql: str, host: str) -> bool:
    """Whether the query is about a host; one that names none is about all."""
    matchers = promql.split("{", 1)[1].split("}", 1)[0]
    if "destination_service=" not in matchers:
        return True
    return host in matchers.split("destination_service=")[1].split('"')[1].split("|")


def counts(server: Server, numbers: range, ends: list[float]) -> list[Mapping[int, float | None]]:
    """What each question is told in each tick; None for an error."""

    async def ask() -> list[Mapping[int, float | None]]:
        desk = Desk(cast(Prometheus, server))

        async def one(number: int, end: float) -> float | None:
            try:
                return (await desk.read(question(number), Slot(end - TICK, end))).of("stable", "requests").total
            except SourceError:
                return None

        told = []
        for end in ends:
            server.queries.append("tick")
            answers = await asyncio.gather(*(one(number, end) for number in numbers))
            told.append(dict(zip(numbers, answers, strict=True)))
        return told

    return asyncio.run(ask())


def per_tick(server: Server) -> list[int]:
    return [len(part.split()) for part in " ".join(q if q == "tick" else "q" for q in server.queries).split("tick")[1:]]


@pytest.mark.parametrize("canaries", [1, 40, 1000])
def test_a_tick_is_one_query_however_many_canaries(canaries: int) -> None:
    server = Server(canaries)
    told = counts(server, range(canaries), ENDS[:3])
    assert per_tick(server) == [1, 1, 1]
    assert all(set(tick.values()) == {1.0} for tick in told)


def test_those_whose_series_changed_are_asked_exactly_once_more_together() -> None:
    server = Server(40, changed=frozenset({"s3", "s4"}))
    (told,) = counts(server, range(40), ENDS[:1])
    assert per_tick(server) == [2]
    assert {number for number, total in told.items() if total == 2.0} == {3, 4}


def test_what_is_too_much_for_the_server_is_asked_singly_and_then_in_smaller_parts() -> None:
    server = Server(40, takes=12)
    told = counts(server, range(40), ENDS[:4])
    assert all(None not in tick.values() for tick in told)
    first, *_, last = per_tick(server)
    assert first == 1 + 40
    assert last == 4


def test_a_query_that_names_no_hosts_is_sent_once_and_never_again_where_it_is_too_much() -> None:
    server = Server(3 * NAMED, takes=2 * NAMED)
    told = counts(server, range(3 * NAMED), ENDS[:4])
    assert all(None not in tick.values() for tick in told)
    nobody = "no such host"
    assert sum(names(query, nobody) for query in server.queries if query != "tick") == 1


def test_who_asks_no_more_is_not_asked_for() -> None:
    server = Server(10)

    async def ask() -> None:
        desk = Desk(cast(Prometheus, server))
        for end in ENDS:
            numbers = range(10) if end == ENDS[0] else range(1)
            await asyncio.gather(*(desk.read(question(number), Slot(end - TICK, end)) for number in numbers))

    asyncio.run(ask())
    assert names(server.queries[1], "s9")
    assert not names(server.queries[-1], "s9")


def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    server = Server(2)

    async def ask() -> float:
        desk, slot = Desk(cast(Prometheus, server)), Slot(ENDS[0] - TICK, ENDS[0])
        first = asyncio.create_task(desk.read(question(0), slot))
        second = asyncio.create_task(desk.read(question(1), slot))
        await asyncio.sleep(0)
        first.cancel()
        return (await second).of("stable", "requests").total

    assert asyncio.run(ask()) == 1.0


def test_few_shared_queries_are_under_way_and_who_asks_while_one_waits_is_in_it() -> None:
    """As after a restart, when ticks of many ends are asked about: a server does not answer them faster all at once."""
    server, under_way, most = Server(hosts=2), 0, 0
    began, go = asyncio.Event(), asyncio.Event()

    class Slow:
        async def query(self, promql: str, at: float) -> Vector:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            began.set()
            await go.wait()
            under_way -= 1
            return await server.query(promql, at)

    async def ask() -> None:
        desk = Desk(cast(Prometheus, Slow()))
        first = [asyncio.create_task(desk.read(question(0), Slot(end - TICK, end))) for end in ENDS]
        await began.wait()
        second = [asyncio.create_task(desk.read(question(1), Slot(end - TICK, end))) for end in ENDS]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*first, *second)

    asyncio.run(ask())
    assert most == 3
    asked = [sum(names(query, f"s{number}") for query in server.queries) for number in range(2)]
    assert asked == [len(ENDS)] * 2
    assert len(server.queries) == len(ENDS) + 3, "those under way had left without the second"


def test_those_who_catch_up_on_an_old_tick_share_its_query_too() -> None:
    server = Server(hosts=2)
    assert counts(server, range(2), [*ENDS[1:], ENDS[0]])[-1] == {0: 1.0, 1: 1.0}
