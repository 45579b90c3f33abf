"""A slow API server: few statuses and Events are on their way at a time, and what moves traffic waits for none."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio import client

from serinus.api import CanaryDeploymentStatus
from serinus.controller.events import News
from serinus.controller.kube import Kube
from serinus.controller.tenure import Tenure, under

AT_ONCE = 8
OBJECT = {"metadata": {"namespace": "ml", "name": "predictor", "resourceVersion": "1", "uid": "u1"}}


class SlowServer:
    """Answers no write to a CanaryDeployment, and no Event, before it may."""

    def __init__(self) -> None:
        self.may_answer, self.is_full = asyncio.Event(), asyncio.Event()
        self.waiting = 0
        self.most = 0

    async def answer(self, request: web.Request) -> web.Response:
        if request.path.endswith(("/status", "/events", "/canarydeployments/predictor")):
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            if self.waiting == AT_ONCE:
                self.is_full.set()
            await self.may_answer.wait()
            self.waiting -= 1
        return web.json_response(OBJECT, status=201 if request.method == "POST" else 200)


@pytest.fixture
async def server() -> AsyncIterator[tuple[SlowServer, Kube]]:
    slow, application = SlowServer(), web.Application()
    application.router.add_route("*", "/{path:.*}", slow.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kube = Kube(client.ApiClient(client.Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")))
    yield slow, kube
    slow.may_answer.set()
    await kube.close()
    await runner.cleanup()


async def test_a_rollback_reaches_the_mesh_while_statuses_wait_for_a_slow_server(
    server: tuple[SlowServer, Kube],
) -> None:
    slow, kube = server
    with under(Tenure.endless()):
        writes: list[asyncio.Task[Any]] = [
            asyncio.create_task(kube.write_status(OBJECT, CanaryDeploymentStatus())) for _ in range(64)
        ]
        await slow.is_full.wait()
        await kube.patch("virtualservices", OBJECT, [])
        slow.may_answer.set()
        await asyncio.gather(*writes)
    assert slow.most == AT_ONCE


def an_event(kube: Kube) -> Coroutine[Any, Any, Any]:
    news = News(OBJECT, reason="Held", note="told", action="hold", warning=False, time=datetime.now(UTC))
    return kube.post_event(news)


def a_finalizer(kube: Kube) -> Coroutine[Any, Any, Any]:
    return kube.patch("canarydeployments", OBJECT, [])


@pytest.mark.parametrize("write", [an_event, a_finalizer])
async def test_what_many_canaries_write_at_a_time_shares_few_connections(
    server: tuple[SlowServer, Kube], write: Callable[[Kube], Coroutine[Any, Any, Any]]
) -> None:
    slow, kube = server
    with under(Tenure.endless()):
        writes: list[asyncio.Task[Any]] = [asyncio.create_task(write(kube)) for _ in range(300)]
        await slow.is_full.wait()
        slow.may_answer.set()
        await asyncio.gather(*writes)
    assert slow.most == AT_ONCE
