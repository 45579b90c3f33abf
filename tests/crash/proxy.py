"""A proxy before the API server that the tests control: it sees every write, and decides what becomes of it."""

from collections.abc import Callable
from enum import Enum

from aiohttp import web

from tests.crash.relay import Relay, abort

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


class Proxy(Relay):
    """Passes everything on to the API server, and of each write asks `fate` what becomes of it, in their order.

    `kill` ends the operator. Both are called in the proxy's thread.
    """

    def __init__(self, api_url: str, fate: Callable[[str, str], Fate], kill: Callable[[], object]) -> None:
        super().__init__(api_url)
        self._fate = fate
        self._kill = kill

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        fate = self._fate(request.method, request.path) if request.method in WRITES else Fate.PASSES
        if fate is Fate.KILLED_BEFORE:
            self._kill()
            return web.Response(status=500)
        async with self._ask(request, await request.read(), request.raw_path) as answer:
            if fate is Fate.PASSES:
                return await self._answer(request, answer, answer.content.iter_any())
            await answer.read()
            if fate is Fate.KILLED_AFTER:
                self._kill()
            return abort(request)
