"""A slow API server: few statuses are on their way at a time, and what moves traffic waits for none of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio import client

from serinus.api import CanaryDeploymentStatus
from serinus.controller.kube import Kube
from serinus.controller.tenure import Tenure, under

STATUSES = 8
OBJECT = {"metadata": {"namespace": "ml", "name": "predictor", "resourceVersion": "1"}}


class SlowServer:
    """Answers nothing about a status before it may."""

    def __init__(self) -> None:
        self.may_answer, self.is_full = asyncio.Event(), asyncio.Event()
        self.waiting = 0
        self.most = 0

    async def answer(self, request: web.Request) -> web.Response:
        if request.path.endswith("/status"):
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            if self.waiting == STATUSES:
                self.is_full.set()
            await self.may_answer.wait()
            self.waiting -= 1
        return web.json_response(OBJECT)


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
    assert slow.most == STATUSES
