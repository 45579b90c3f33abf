"""The requests of a warm-up on their way to the canary's endpoints, beside the reconciles.

Each endpoint gets its requests one after another, for a cold one is slow; a few endpoints at a time. A request that is
not answered with a status below 400 is tried again, and when that does not help the warm-up has failed.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from urllib.parse import urlsplit

import aiohttp

from serinus.api import WarmUpRequest
from serinus.controller.cache import Key
from serinus.controller.errands import Errands
from serinus.controller.warm_targets import Target
from serinus.notify import Forbidden, Guard
from serinus.rollout import WarmUpCall, WarmUpReply

_TRIES = 3
_PAUSE = 1.0  # seconds between tries
_ANSWER = 30.0  # seconds that an answer may take: the first one of a model that is loaded lazily is slow
_AT_ONCE = 8  # endpoints
_LONGEST = 600.0  # seconds for all requests together
_READ = 64 * 1024  # bytes of an answer that are read: then it counts as given
_REFUSED = 400


class WarmUps:
    """One for all objects."""

    def __init__(self, guard: Guard, wake: Callable[[Key], None]) -> None:
        self._guard = guard
        self._errands: Errands[WarmUpReply] = Errands(wake)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._errands.close()

    def reply(self, key: Key) -> WarmUpReply | None:
        """What came of an object's newest warm-up since the last turn."""
        return next(reversed(self._errands.results(key).values()), None)

    def start(self, key: Key, call: WarmUpCall, host: str, targets: Sequence[Target]) -> None:
        """Send the requests, as ones for `host`, unless that is under way already or nobody is there to get them."""
        if targets:
            self._errands.start(key, call.key, partial(warm_up, call, host, targets, self._guard))


@dataclass(unsafe_hash=True)
class _NotAnswered(Exception):
    """A request that was not answered as it must be; how it was."""

    told: str


async def warm_up(call: WarmUpCall, host: str, targets: Sequence[Target], guard: Guard) -> WarmUpReply:
    """Send each target all of the requests; the reply says what failed first, if anything did."""
    places = asyncio.Semaphore(_AT_ONCE)
    answered = [0]

    async def one(target: Target, session: aiohttp.ClientSession) -> None:
        async with places:
            for request in chain.from_iterable(repeat(each, each.count) for each in call.requests):
                await _until_answered(session, target, request, host, guard)
                answered[0] += 1

    failure = ""
    try:
        async with (
            asyncio.timeout(_LONGEST),
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_AT_ONCE),
                timeout=aiohttp.ClientTimeout(total=_ANSWER),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            for target in targets:
                group.create_task(one(target, session))
    except* _NotAnswered as failed:
        failure = next(each.told for each in failed.exceptions if isinstance(each, _NotAnswered))
    except* TimeoutError:
        failure = f"the warm-up's requests were not all answered within {_LONGEST:g} s"
    return WarmUpReply(call.key, endpoints=len(targets), answered=answered[0], failure=failure)


async def _until_answered(
    session: aiohttp.ClientSession, target: Target, request: WarmUpRequest, host: str, guard: Guard
) -> None:
    path = urlsplit(request.path).path
    what = f"the warm-up's request for {path} was not answered by {target.name} ({target.address})"
    url = f"{target.origin(request.port)}{request.path}"
    try:
        guard.check(url, target.address)
    except Forbidden as error:
        raise _NotAnswered(f"{what}: {error}") from error
    told = ""
    for attempt in range(_TRIES):
        if attempt:
            await asyncio.sleep(_PAUSE)
        told = await _try(session, url, request, host)
        if not told:
            return
    raise _NotAnswered(f"{what}: {told} ({_TRIES} tries)")


async def _try(session: aiohttp.ClientSession, url: str, request: WarmUpRequest, host: str) -> str:
    """How a request was not answered as it must be; an empty string where it was."""
    method = "GET" if request.body is None else "POST"
    headers = {"Host": host, "User-Agent": "serinus-warm-up"}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    try:
        async with session.request(method, url, data=request.body, headers=headers, allow_redirects=False) as response:
            await response.content.read(_READ)
            return "" if response.status < _REFUSED else f"status {response.status}"
    except TimeoutError:
        return f"no answer within {_ANSWER:g} s"
    except (aiohttp.ClientError, OSError) as error:
        return f"no answer: {type(error).__name__}"
