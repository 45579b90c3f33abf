"""What a test puts before a server, to decide what becomes of each request."""

import asyncio
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy
from yarl import URL


class Relay(ABC):
    """Listens on 127.0.0.1 in a thread of its own while the `with` lasts; what comes in is for `_handle` to pass on."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(30)

    @abstractmethod
    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; called in the relay's thread."""

    def _ask(self, request: web.Request, body: bytes, path: str) -> "aiohttp.client._RequestContextManager":
        """Ask the server what was asked here, at `path` (with its query)."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        url = URL(f"{self._target}{path}", encoded=True)
        timeout = aiohttp.ClientTimeout(total=None)
        return self._session.request(request.method, url, headers=headers, data=body or None, timeout=timeout)

    async def _answer(
        self, request: web.Request, answer: aiohttp.ClientResponse, parts: AsyncIterator[bytes]
    ) -> web.StreamResponse:
        """Answer with the head of `answer` and with `parts`."""
        back = web.StreamResponse(status=answer.status, headers=_plain(answer.headers))
        with suppress(ConnectionError, aiohttp.ClientError):  # either side may have gone
            await back.prepare(request)
            async for part in parts:
                await back.write(part)
        return back

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        # The lab's own certificate, on this machine; who asks is told by the token that passes through.
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        connector = aiohttp.TCPConnector(ssl=trust, limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as self._session:
            application = web.Application(client_max_size=16 * 2**20)
            application.router.add_route("*", "/{path:.*}", self._handle)
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._started.set()
            await self._stopped.wait()
            await runner.cleanup()


def abort(request: web.Request) -> web.Response:
    """Break the connection that a request came by; the answer that is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _plain(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """The headers of an answer, but for those that speak of its transport."""
    drop = ("transfer-encoding", "connection", "content-length")
    return {name: value for name, value in headers.items() if name.lower() not in drop}
