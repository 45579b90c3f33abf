"""The look at the evidence of a rollout that begins: beside everything, a few at a time, and lost without harm."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from aiohttp import web

from serinus.api import Metric, RolloutStatus
from serinus.api import Prometheus as PrometheusSpec
from serinus.controller.beginning import EvidenceLook
from serinus.controller.cache import Key
from serinus.controller.first_evidence import FirstEvidence
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import WriteFailed
from serinus.controller.settings import Settings
from serinus.doctor import AT_BEGINNING
from serinus.metrics import Inquiry, Prometheus, source
from serinus.rollout import Live, Plan, Timing
from tests.rollout.conftest import subject

KEY: Key = ("ml", "predictor")
PLAN = subject().plan
LIVE = Live((0,), "", {"version": "v1"}, {"version": "v2"})
NOW = 1_795_000_005.0
TIMING = Timing(timedelta(0), timedelta(0))
BOUND = 30.0  # seconds in which what must happen has happened, even on a busy machine


def rollout(name: str = "r") -> RolloutStatus:
    return RolloutStatus(
        id=name, started_at=datetime.fromtimestamp(NOW, tz=UTC), release="x", policy_hash="x", snapshot=""
    )


class Woken:
    """Objects that were woken, in their order."""

    def __init__(self) -> None:
        self._keys: asyncio.Queue[Key] = asyncio.Queue()

    def __call__(self, key: Key) -> None:
        self._keys.put_nowait(key)

    async def next(self) -> Key:
        async with asyncio.timeout(BOUND):
            return await self._keys.get()


class NoSecret:
    """An API server that lets nobody read a Secret."""

    async def read_secret(self, _namespace: str, _name: str) -> dict[str, bytes]:
        raise WriteFailed("says no")


def first_evidence(look: EvidenceLook, woken: Woken, prometheus: str = "http://127.0.0.1:9") -> FirstEvidence:
    return FirstEvidence(Settings(prometheus, TIMING), cast(Kube, NoSecret()), look, woken)


async def test_what_was_found_wakes_the_rollout_and_is_told_once() -> None:
    async def look(plan: Plan, asked: Sequence[Inquiry], _prometheus: Prometheus, end: float) -> Sequence[str]:
        return (f"{plan.traffic.host}: {asked[0].name} before {end:.0f}",)

    woken = Woken()
    first = first_evidence(look, woken)
    first.start(KEY, rollout(), PLAN, LIVE, NOW)
    assert first.found(KEY, rollout()) == ()
    assert await woken.next() == KEY
    assert first.found(KEY, rollout()) == ("predictor: error-guard before 1795000005",)
    assert first.found(KEY, rollout()) == ()
    await first.close()


async def test_what_was_found_of_a_rollout_is_told_of_no_other() -> None:
    async def look(*_: object) -> Sequence[str]:
        return ("traffic: too little",)

    woken = Woken()
    first = first_evidence(look, woken)
    first.start(KEY, rollout("before"), PLAN, LIVE, NOW)
    await woken.next()
    assert first.found(KEY, rollout("after")) == ()
    await first.close()


async def test_few_rollouts_are_looked_at_at_a_time_and_all_in_the_end() -> None:
    running = most = 0
    may_end = asyncio.Event()
    four = asyncio.Event()

    async def look(*_: object) -> Sequence[str]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 4:
            four.set()
        await may_end.wait()
        running -= 1
        return ()

    woken = Woken()
    first = first_evidence(look, woken)
    for number in range(100):
        first.start(("ml", f"predictor-{number}"), rollout(), PLAN, LIVE, NOW)
    async with asyncio.timeout(BOUND):
        await four.wait()
    may_end.set()
    assert {await woken.next() for _ in range(100)} == {("ml", f"predictor-{number}") for number in range(100)}
    assert most == 4
    await first.close()


SALES = {"name": "sales", "kind": "rate", "query": {"events": "(", "total": "("}, "tolerance": {"relative": 0.1}}
UNREADABLE = PLAN.policy.model_copy(update={"metrics": (Metric.model_validate(SALES),)})
REFUSED = PrometheusSpec.model_validate({"secretRef": {"name": "prom"}})


async def test_what_stalls_the_rollout_is_told_by_that_condition_and_not_asked() -> None:
    looked = []

    async def look(plan: Plan, *_: object) -> Sequence[str]:
        looked.append(plan)
        return ()

    woken = Woken()
    first = first_evidence(look, woken)
    unlabelled = Live((0,), "", {"app": "one"}, {"app": "two"})
    by_users = {side: getattr(PLAN, side).model_copy(update={"labels": None}) for side in ("stable", "canary")}
    first.start(KEY, rollout("told apart by nothing"), PLAN.model_copy(update=by_users), unlabelled, NOW)
    first.start(KEY, rollout("unreadable"), PLAN.model_copy(update={"policy": UNREADABLE}), LIVE, NOW)
    first.start(KEY, rollout("refused"), PLAN.model_copy(update={"prometheus": REFUSED}), LIVE, NOW)
    await woken.next()
    assert looked == []
    await first.close()


@pytest.fixture
async def hung() -> AsyncIterator[tuple[str, asyncio.Queue[str]]]:
    """A Prometheus that answers nothing; its address, and what it was asked."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    never = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        heard.put_nowait(str((await request.post())["query"]))
        await never.wait()
        return web.Response()

    app = web.Application()
    app.router.add_post("/api/v1/query", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", heard
    never.set()
    await runner.cleanup()


async def test_looks_at_a_server_that_hangs_come_to_an_end_and_say_so(
    hung: tuple[str, asyncio.Queue[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_TOTAL", 0.5)
    address, _ = hung
    woken = Woken()
    first = first_evidence(AT_BEGINNING.at_evidence, woken, address)
    first.start(KEY, rollout(), PLAN, LIVE, NOW)
    await woken.next()
    expected = f"evidence: Prometheus cannot be asked: {address}: no answer within 0.5 s"
    assert first.found(KEY, rollout()) == (expected,)
    await first.close()


async def test_what_is_under_way_when_the_operator_ends_is_given_up(hung: tuple[str, asyncio.Queue[str]]) -> None:
    address, heard = hung
    first = first_evidence(AT_BEGINNING.at_evidence, Woken(), address)
    first.start(KEY, rollout(), PLAN, LIVE, NOW)
    async with asyncio.timeout(BOUND):
        await heard.get()
        await first.close()
