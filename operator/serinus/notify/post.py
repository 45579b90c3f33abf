"""One HTTP POST: bounded in time and answer, to no address that the guard forbids, following no redirect."""

import asyncio
import socket
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from serinus.notify.guard import Forbidden, Guard

_MOST = 64 * 1024  # bytes of an answer


class PostError(Exception):
    """No usable answer; the message says why, without the address. `again`: another try may do better."""

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


class _Guarded(AbstractResolver):
    """Looks names up and refuses what they lead to, so that what was checked is what is connected to."""

    def __init__(self, url: str, guard: Guard) -> None:
        self._url = url
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        for _, _, _, _, address in found:
            self._guard.check(self._url, str(address[0]))
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept."""


async def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, guard: Guard) -> bytes:
    """POST a JSON body; the body of the answer, if that is 2xx within so many `seconds` in all. Raises PostError."""
    try:
        _check_literal(url, guard)
        async with (
            asyncio.timeout(seconds),
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=_Guarded(url, guard), use_dns_cache=False),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            session.post(
                url, data=body, headers={"Content-Type": "application/json", **headers}, allow_redirects=False
            ) as response,
        ):
            _check_status(response.status)
            return await _bounded(response)
    except Forbidden as error:
        raise PostError(str(error), again=False) from error
    except TimeoutError as error:
        raise PostError(f"no answer within {seconds:g} s", again=True) from error
    except (aiohttp.ClientError, OSError) as error:
        forbidden = _cause(error)
        if forbidden is not None:
            raise PostError(str(forbidden), again=False) from error
        raise PostError(f"no answer: {type(error).__name__}", again=True) from error
    except ValueError as error:
        raise PostError("its address cannot be used", again=False) from error


def _check_literal(url: str, guard: Guard) -> None:
    """A host that is an address is never looked up."""
    host = urlsplit(url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return
    guard.check(url, host)


def _check_status(status: int) -> None:
    if 300 <= status < 400:
        raise PostError(f"answered {status}: redirects are not followed", again=False)
    if status >= 400:
        raise PostError(f"answered {status}", again=status >= 500 or status in (408, 425, 429))


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in response.content.iter_chunked(_MOST):
        body += chunk
        if len(body) > _MOST:
            raise PostError(f"answered more than {_MOST // 1024} KB", again=False)
    return body


def _cause(error: BaseException | None) -> Forbidden | None:
    while error is not None:
        if isinstance(error, Forbidden):
            return error
        error = error.__cause__ or error.__context__
    return None
