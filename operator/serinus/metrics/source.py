"""The seam to Prometheus: a query in, rows out, every failure as one kind of error."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import aiohttp

from serinus.judge.evidence import Missing
from serinus.metrics.answers import Row, Vector, matrix, vector
from serinus.metrics.breaker import Breaker
from serinus.metrics.connection import Connection
from serinus.metrics.errors import SourceError, TooMuch
from serinus.metrics.server_time import ServerTime

_CONNECT, _TOTAL = 2.0, 5.0  # seconds for a connection, and for everything from the request to the answer's last byte
_AT_ONCE = 8  # queries under way on one server; more wait, within the same time limit
_LARGEST = 32 * 2**20  # bytes of an answer
_CHUNK = 2**16
_BUFFER = 2**20  # bytes of an answer that may come in one pass of the event loop: it may have much else to do in each

Answer = TypeVar("Answer", Vector, Mapping[float, list[Row]])


class Prometheus:
    """A Prometheus server, or what answers like one.

    A query takes no longer than the time limits, follows no redirect and is never repeated: the next tick comes anyway.
    A server that repeatedly does not answer is left alone for a while (see Breaker). Raises CredentialsError where the
    connection's certificates are none.
    """

    def __init__(self, connection: Connection) -> None:
        self.address = connection.address.rstrip("/")
        self._connection = connection
        self._tls = connection.credentials.tls()
        self._session: aiohttp.ClientSession | None = None
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._breaker = Breaker(time.monotonic)
        self._server_time = ServerTime()

    @property
    def behind(self) -> float:
        """By how many seconds the server's clock is behind ours, going by its last answer; 0 where nobody knows."""
        return self._server_time.behind(time.time(), time.monotonic())

    async def query(self, promql: str, at: float) -> Vector:
        """The series that `promql` gives at Unix time `at` (seconds). Raises SourceError."""
        body, status = await self._ask("query", {"query": promql, "time": f"{at:.3f}"})
        return self._read(lambda: vector(body, status))

    async def query_range(self, promql: str, start: float, end: float, step: float) -> Mapping[float, list[Row]]:
        """The rows of `promql` at start, start + step, ... end, by Unix time. Raises SourceError."""
        times = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        body, status = await self._ask("query_range", {"query": promql, **times})
        return self._read(lambda: matrix(body, status))

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, what: str, form: Mapping[str, str]) -> tuple[bytes, int]:
        """The body and status of an answer, whatever they are. Raises SourceError where none comes in time."""
        if not self._breaker.may_ask():
            raise self._unreachable("it has not answered lately and is left alone for a moment")
        asked_at = time.monotonic()
        try:
            async with asyncio.timeout(_TOTAL), self._places:
                answer = await self._post(f"{self.address}/api/v1/{what}", {**form, "timeout": f"{_TOTAL:g}s"})
        except TimeoutError as error:
            self._breaker.failed(asked_at)
            raise self._unreachable(f"no answer within {_TOTAL:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            self._breaker.failed(asked_at)
            raise self._unreachable(f"no answer ({type(error).__name__})") from error
        self._breaker.answered()
        return answer

    async def _post(self, url: str, form: Mapping[str, str]) -> tuple[bytes, int]:
        # A redirect is not followed: credentials go to this address and no other (I10).
        async with self._connected().post(url, data=form, allow_redirects=False) as response:
            self._server_time.note(response.headers.get("Date", ""), time.monotonic())
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > _LARGEST:
                    raise TooMuch(
                        Missing.PARTIAL,
                        f"{self.address}: its answer is larger than {_LARGEST // 2**20} MB; make the query select less",
                    )
            return bytes(body), response.status

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            credentials = self._connection.credentials
            self._session = aiohttp.ClientSession(
                headers=dict(credentials.headers),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT),
                connector=aiohttp.TCPConnector(limit=_AT_ONCE, ssl=self._tls),
                read_bufsize=_BUFFER,
            )
        return self._session

    def _read(self, read: Callable[[], Answer]) -> Answer:
        try:
            return read()
        except SourceError as error:
            raise type(error)(error.missing, f"{self.address}: {error}") from error

    def _unreachable(self, why: str) -> SourceError:
        return SourceError(Missing.UNREACHABLE, f"{self.address}: {why}")
