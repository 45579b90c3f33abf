"""A receiver on this machine that answers as it is told, and remembers what it got."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from serinus.notify import Guard


@dataclass
class Receiver:
    """`answers` are given one after another, the last again and again."""

    origin: str = ""
    answers: list[web.Response] = field(default_factory=lambda: [web.Response(text="ok")])
    delay: float = 0.0
    requests: list[tuple[dict[str, str], Any]] = field(default_factory=list)

    @property
    def guard(self) -> Guard:
        """Lets through this receiver, and no other of this machine."""
        return Guard([self.origin])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.requests.append((dict(request.headers), text))
        if self.delay:
            await asyncio.sleep(self.delay)
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=told.status, body=told.body, headers=dict(told.headers))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield receiver
    await runner.cleanup()
