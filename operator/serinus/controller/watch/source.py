"""One kind of objects in one place, as the API server tells of it: pages of a list, and the events of a stream."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import msgspec
from kubernetes.aio import client

from serinus.controller.cache import Object

_PAGE = 250  # objects: a list of thousands would be held as text and as objects at the same time

# A watch that has silently died is the commonest complaint about long-running operators: the server ends each stream
# after this long, and one without so much as a bookmark (they come once a minute) for half a minute more is renewed.
_STREAM = 240  # whole seconds: the API server takes no others
_SILENCE = 90.0
_CONNECT, _ANSWER = 5.0, 30.0  # seconds for a connection, and for a page

_LISTED: Final = aiohttp.ClientTimeout(total=_ANSWER, sock_connect=_CONNECT)
_WATCHED: Final = aiohttp.ClientTimeout(total=_STREAM + _SILENCE, sock_connect=_CONNECT, sock_read=_SILENCE)


class Event(msgspec.Struct):
    """What happened to an object: ADDED, MODIFIED, DELETED, or BOOKMARK, which tells of its version alone."""

    type: str
    object: Object

    @property
    def version(self) -> str:
        """Where the stream goes on after it."""
        return str(self.object["metadata"]["resourceVersion"])


class _Meta(msgspec.Struct):
    resource_version: str = msgspec.field(name="resourceVersion")
    go_on: str = msgspec.field(name="continue", default="")


class Page(msgspec.Struct):
    """Some objects of a list."""

    metadata: _Meta
    items: list[Object]


_EVENTS, _PAGES = msgspec.json.Decoder(Event), msgspec.json.Decoder(Page)


class Trouble(Exception):
    """The API server does not tell; the message says why, in its own words."""


class NoSuchKind(Trouble):
    """The API server does not know the kind."""


class Expired(Trouble):
    """What was asked for is too old: it has to be listed again."""


class Source:
    """Lists and watches `path`, such as /apis/apps/v1/deployments or /api/v1/namespaces/shop/pods."""

    def __init__(self, api: client.ApiClient, path: str) -> None:
        self._api = api
        self._path = path

    async def pages(self) -> AsyncIterator[Page]:
        """All objects as they are now, page by page. Raises Trouble."""
        go_on = ""
        while True:
            asked = {"limit": str(_PAGE), **({"continue": go_on} if go_on else {})}
            answer = await self._get(asked, _LISTED)
            try:
                page = _PAGES.decode(await answer.read())
            except (msgspec.MsgspecError, aiohttp.ClientError, TimeoutError) as error:
                raise Trouble(f"no list: {type(error).__name__}") from error
            finally:
                answer.release()
            yield page
            go_on = page.metadata.go_on
            if not go_on:
                return

    async def events(self, version: str) -> AsyncIterator[Event]:
        """What happens to them after that version, until the stream ends or is silent for too long. Raises Trouble."""
        asked = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(_STREAM),
        }
        answer = await self._get(asked, _WATCHED)
        try:
            async for line in answer.content:
                event = _EVENTS.decode(line)
                if event.type == "ERROR":
                    raise _told(int(event.object.get("code", 0)), str(event.object.get("message", "")))
                yield event
        except TimeoutError:
            return  # of a kind that never changes no bookmarks come either
        except (msgspec.MsgspecError, aiohttp.ClientError, ValueError) as error:
            raise Trouble(f"no events: {type(error).__name__}") from error
        finally:
            answer.close()

    async def _get(self, query: dict[str, str], within: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        try:
            request = await self._api.param_serialize(
                "GET", self._path, query_params=list(query.items()), auth_settings=["BearerToken"]
            )
            told: Any = await self._api.call_api(*request, _request_timeout=within)
            answer: aiohttp.ClientResponse = told.response
            if answer.status == HTTPStatus.OK:
                return answer
            raise _told(answer.status, _message(await answer.read()) or str(answer.reason))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Trouble(f"no answer: {type(error).__name__}") from error


def _told(status: int, message: str) -> Trouble:
    if status == HTTPStatus.NOT_FOUND:
        return NoSuchKind(message)
    if status == HTTPStatus.GONE:
        return Expired(message)
    return Trouble(f"refused: {message}")


def _message(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["message"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return ""
