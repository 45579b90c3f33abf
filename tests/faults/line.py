"""The line between an operator and a server: it can be cut, fall silent, show the past, and skip what happens."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import aiohttp
from aiohttp import web
from yarl import URL

from tests.crash.relay import Relay, abort

_KINDS = ("canarydeployments", "canarypolicies", "canaryoverrides", "virtualservices", "destinationrules")
_AT_ONCE = 0.5  # seconds in which what was held back comes


class Line(Relay):
    """Passes everything on until it is told otherwise; what it is told holds from then on."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._requests: dict[int, web.Request] = {}  # those under way, by id()
        self._streams: set[int] = set()
        self._deaf: set[int] = set()
        self._is_cut = False
        self._past: str | None = None
        self._flows = asyncio.Event()
        self._flows.set()

    def cut(self) -> None:
        """Break all connections, and refuse new ones, until `mend`."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(lambda: [abort(request) for request in self._requests.values()])

    def mend(self) -> None:
        """Pass everything on again."""
        self._is_cut = False

    def fall_silent(self) -> None:
        """Let the watches that are open now stay open and never tell anything again, not even that they have ended."""
        self._loop.call_soon_threadsafe(lambda: self._deaf.update(self._streams))

    def look_back(self, revision: str) -> None:
        """Show lists as they were at that revision of the store, and let watches tell nothing, until `look_up`."""
        self._past = revision
        self.hold_back()

    def look_up(self) -> None:
        """Show everything as it is, and let open watches tell what has happened since, only the last of each object."""
        self._past = None
        self._loop.call_soon_threadsafe(self._flows.set)

    def hold_back(self) -> None:
        """Let watches tell nothing until `look_up`."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self._is_cut:
            return abort(request)
        self._requests[id(request)] = request
        try:
            return await self._passed_on(request)
        except (aiohttp.ClientError, ConnectionError):
            return abort(request)
        finally:
            del self._requests[id(request)]
            self._streams.discard(id(request))

    async def _passed_on(self, request: web.Request) -> web.StreamResponse:
        watches = request.query.get("watch") == "true"
        async with self._ask(request, await request.read(), self._path(request, watches=watches)) as answer:
            if not watches:
                return await self._answer(request, answer, answer.content.iter_any())
            self._streams.add(id(request))
            async with aclosing(self._told(request, answer)) as told:
                return await self._answer(request, answer, told)

    def _path(self, request: web.Request, *, watches: bool) -> str:
        is_list = request.method == "GET" and not watches and request.path.rpartition("/")[2] in _KINDS
        if self._past is None or not is_list or "continue" in request.query:
            return request.raw_path
        past = {"resourceVersion": self._past, "resourceVersionMatch": "Exact"}
        return str(URL(request.raw_path, encoded=True).update_query(past))

    async def _told(self, request: web.Request, answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
        """The events of a watch, as far as they are let through."""
        reading = asyncio.ensure_future(answer.content.readline())
        try:
            while event := await reading:
                reading = asyncio.ensure_future(answer.content.readline())
                last = {_object(event): event}
                if not self._flows.is_set():
                    await self._flows.wait()
                    while (await asyncio.wait([reading], timeout=_AT_ONCE))[0] and (event := await reading):
                        last.pop(_object(event), None)
                        last[_object(event)] = event
                        reading = asyncio.ensure_future(answer.content.readline())
                if id(request) in self._deaf:
                    await self._stopped.wait()
                for told in last.values():
                    yield told
        finally:
            reading.cancel()


def _object(event: bytes) -> str:
    """Whose event it is; bookmarks are nobody's."""
    return str(json.loads(event)["object"]["metadata"].get("name", ""))
