"""Users of a service of the lab: many requests at once, and which version answered each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

_AT_A_TIME = 40
_BODY = b'{"text": "what a great day"}'

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What one request came to: the version that answered, or "" and the status of an error; and the cookie it set."""

    version: str
    status: int
    cookie: str


async def ask(url: str, host: str, requests: Sequence[Headers]) -> list[Answer]:
    """Send one request for each element, with its headers; the answers in the same order."""
    limit = asyncio.Semaphore(_AT_A_TIME)
    connector, timeout = aiohttp.TCPConnector(limit=_AT_A_TIME), aiohttp.ClientTimeout(total=20)
    fixed = {"Host": host, "Content-Type": "application/json"}
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar) as session:

        async def one(headers: Headers) -> Answer:
            async with limit, session.post(f"{url}/predict", data=_BODY, headers={**headers, **fixed}) as answer:
                await answer.read()
                cookie = answer.headers.get("set-cookie", "").partition(";")[0]
                return Answer(answer.headers.get("x-version", ""), answer.status, cookie)

        return await asyncio.gather(*(one(headers) for headers in requests))
