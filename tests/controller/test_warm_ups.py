"""The requests of a warm-up, to real endpoints on this machine: all of them, in turn, as the service's users would."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from serinus.api import WarmUpRequest
from serinus.controller import warm_ups
from serinus.controller.warm_targets import Target
from serinus.controller.warm_ups import warm_up
from serinus.notify import Guard
from serinus.rollout import WarmUpCall, WarmUpReply

HOST = "predictor.ml.svc.cluster.local"
REQUESTS = (WarmUpRequest(path="/predict?cold=1", body='{"text":"hi"}', count=3), WarmUpRequest(path="/ready"))


class Endpoint:
    """Answers with `statuses`, one after another, the last again and again; and remembers what it got."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.seen: list[tuple[str, str, str, str]] = []
        self.at_once = self.most_at_once = 0
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.seen.append((request.method, request.path_qs, request.headers["Host"], await request.text()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        self.at_once -= 1
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:1/"})

    @property
    def target(self) -> Target:
        return Target(f"pod {self.port}", "127.0.0.1", {80: self.port}, usual=80)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_ups, "_PAUSE", 0.0)


@pytest.fixture
async def start() -> AsyncIterator[Callable[[], object]]:
    runners = []

    async def endpoint() -> Endpoint:
        found = Endpoint()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", found.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.port = runner.addresses[0][1]
        return found

    yield endpoint
    await asyncio.gather(*(runner.cleanup() for runner in runners))


async def sent(*endpoints: Endpoint, guard: Guard | None = None) -> WarmUpReply:
    allowed = guard or Guard([f"http://127.0.0.1:{each.port}" for each in endpoints])
    return await warm_up(WarmUpCall("r/1", REQUESTS), HOST, [each.target for each in endpoints], allowed)


async def test_each_endpoint_gets_each_request_as_often_as_it_says_R09(start: Callable[[], object]) -> None:
    one, other = await start(), await start()  # type: ignore[misc]
    assert await sent(one, other) == WarmUpReply("r/1", endpoints=2, answered=8)
    expected = [("POST", "/predict?cold=1", HOST, '{"text":"hi"}')] * 3 + [("GET", "/ready", HOST, "")]
    assert one.seen == other.seen == expected
    assert one.most_at_once == 1


async def test_a_cold_endpoint_may_fail_twice(start: Callable[[], object]) -> None:
    endpoint = await start()  # type: ignore[misc]
    endpoint.statuses = [503, 503, 200]
    reply = await sent(endpoint)
    assert (reply.answered, reply.failure) == (4, "")


async def test_what_fails_again_and_again_is_named_and_ends_the_warm_up_R09(start: Callable[[], object]) -> None:
    good, bad = await start(), await start()  # type: ignore[misc]
    bad.statuses = [200, 500]
    reply = await sent(good, bad)
    told = "the warm-up's request for /predict was not answered by pod"
    assert reply.failure == f"{told} {bad.port} (127.0.0.1): status 500 (3 tries)"
    assert len(bad.seen) == 4


async def test_a_redirect_is_an_answer_and_is_not_followed_I10(start: Callable[[], object]) -> None:
    endpoint = await start()  # type: ignore[misc]
    endpoint.statuses = [302]
    assert (await sent(endpoint)).answered == 4


async def test_nobody_there_is_named(start: Callable[[], object]) -> None:
    gone = Endpoint()
    gone.port = 1
    assert "no answer: ClientConnectorError (3 tries)" in (await sent(gone)).failure


async def test_what_may_not_be_asked_is_not_I10(start: Callable[[], object]) -> None:
    endpoint = await start()  # type: ignore[misc]
    reply = await sent(endpoint, guard=Guard())
    assert "the operator's own machine" in reply.failure
    assert endpoint.seen == []


async def test_the_whole_is_bounded_in_time(start: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_ups, "_LONGEST", 0.0)
    endpoint = await start()  # type: ignore[misc]
    assert (await sent(endpoint)).failure == "the warm-up's requests were not all answered within 0 s"
