"""What the operator answers over HTTP: whether it lives, whether it is ready, and its metrics."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Metric, generate_latest
from prometheus_client.registry import Collector

from serinus.controller.cache import Key, Object, key_of
from serinus.controller.canaries import canary_metrics
from serinus.controller.figures import REGISTRY

_WAITING = 16  # connections that may wait to be accepted


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Front:
    """What is answered.

    `trouble`: why the operator does not live, None while it does. `missing`: what it lacks to be ready, None when it
    is. `owners`: the CanaryDeployments whose metrics are told. `judged_until`: until when the rollout of one has been
    judged, None where nothing newer is known than its status says.
    """

    trouble: Callable[[], str | None]
    missing: Callable[[], str | None]
    owners: Callable[[], Sequence[Object]]
    judged_until: Callable[[Key], datetime | None]

    async def serve(self, address: Address) -> None:
        """Answer until cancelled. Raises OSError where nobody can listen."""
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, address.host, address.port, backlog=_WAITING).start()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer(self.trouble())

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(self.trouble() or self.missing())

    async def _metrics(self, _: web.Request) -> web.Response:
        # The objects are taken here, where nobody changes them; the text is made beside the loop, which goes on.
        owners = self.owners()
        known = ((key, self.judged_until(key)) for key in map(key_of, owners))
        judged_until = {key: until for key, until in known if until is not None}
        page = await asyncio.to_thread(generate_latest, _Page(owners, judged_until))
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE_LATEST})


@dataclass(frozen=True)
class _Page(Collector):
    """The metrics of the operator and of these objects."""

    owners: Sequence[Object]
    judged_until: Mapping[Key, datetime]

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        yield from REGISTRY.collect()
        yield from canary_metrics(self.owners, self.judged_until)


def _answer(problem: str | None) -> web.Response:
    """In one line; the status says the same."""
    return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)
