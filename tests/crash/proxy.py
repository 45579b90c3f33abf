"""A proxy before the API server that the tests control: it sees every write, and decides what becomes of it."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from enum import Enum
from types import TracebackType

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Fate(Enum):
    """What becomes of a request."""

    PASSES = "passes"
    KILLED_BEFORE = "killed before"
    """The operator is killed, and the API server never sees the request."""
    KILLED_AFTER = "killed after"
    """The API server does it, and the operator is killed before it hears."""
    ANSWER_LOST = "answer lost"
    """The API server does it, and the connection breaks: the operator lives and does not know."""


class Proxy:
    """Listens on 127.0.0.1 in a thread of its own while the `with` lasts; passes everything on to the API server.

    `fate` is asked for each write, in their order; `kill` ends the operator. Both are called in the proxy's thread.
    """

    def __init__(self, api_url: str, fate: Callable[[str, str], Fate], kill: Callable[[], object]) -> None:
        self._api_url = api_url
        self._fate = fate
        self._kill = kill
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.url = ""

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._started.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(30)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        # The lab's own certificate, on this machine; who asks is told by the token that passes through.
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        connector = aiohttp.TCPConnector(ssl=trust, limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as self._session:
            application = web.Application(client_max_size=16 * 2**20)
            application.router.add_route("*", "/{path:.*}", self._pass_on)
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._started.set()
            await self._stopped.wait()
            await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        fate = self._fate(request.method, request.path) if request.method in WRITES else Fate.PASSES
        if fate is Fate.KILLED_BEFORE:
            self._kill()
            return web.Response(status=500)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        url = f"{self._api_url}{request.raw_path}"
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.request(
            request.method, url, headers=headers, data=await request.read() or None, timeout=timeout
        ) as answer:
            if fate in (Fate.KILLED_AFTER, Fate.ANSWER_LOST):
                await answer.read()
                if fate is Fate.KILLED_AFTER:
                    self._kill()
                elif request.transport is not None:
                    request.transport.abort()
                return web.Response(status=500)
            back = web.StreamResponse(status=answer.status, headers=_plain(answer.headers))
            await back.prepare(request)
            async for part in answer.content.iter_any():
                await back.write(part)
            return back


def _plain(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """The headers of an answer, but for those that speak of its transport."""
    drop = ("transfer-encoding", "connection", "content-length")
    return {name: value for name, value in headers.items() if name.lower() not in drop}
