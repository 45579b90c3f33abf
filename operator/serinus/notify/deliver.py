"""Messages handed over: to a plain JSON webhook, or through Apprise to the services that it knows."""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from serinus.api.outbox import MessageStatus
from serinus.notify.channel import Channel
from serinus.notify.guard import Forbidden, Guard
from serinus.notify.post import PostError, post
from serinus.notify.signature import signature

_PATIENCE = 10.0  # seconds for a delivery
# Apprise is synchronous. A service that never answers keeps a thread for its own time-outs, and others go on.
_threads = ThreadPoolExecutor(8, thread_name_prefix="apprise")
_OF_THIS_MACHINE = ("syslog", "dbus", "qt", "kde", "glib", "gnome", "macosx", "windows")


class DeliveryError(Exception):
    """A channel did not take the messages; the message says why, without its address."""


async def deliver(channel: Channel, messages: Sequence[MessageStatus], author: str | None, guard: Guard) -> None:
    """Hand messages over to a channel; those of a rollback to the author too. Raises DeliveryError."""
    try:
        async with asyncio.timeout(_PATIENCE):
            if channel.webhook is not None:
                await _post(channel.webhook, channel.key, messages, guard)
            if channel.url is not None:
                await _notify(channel.url, messages, guard)
            rollbacks = [message for message in messages if message.kind == "rolledBack"]
            if channel.author_url is not None and author is not None and rollbacks:
                await _notify(channel.author_url.replace("{author}", quote(author, safe="@")), rollbacks, guard)
    except TimeoutError as error:
        raise DeliveryError(f"no answer within {_PATIENCE:g} s") from error


def webhook_body(messages: Sequence[MessageStatus]) -> bytes:
    """What a plain webhook gets: every message with the key by which it is known again."""
    told = [message.model_dump(mode="json", exclude={"delivered", "urgent"}) for message in messages]
    return json.dumps({"messages": told}, ensure_ascii=False).encode()


def plain_text(messages: Sequence[MessageStatus]) -> tuple[str, str]:
    """Title and body of a delivery for people: of several messages the newest has the title."""
    *older, newest = messages
    parts = [f"{message.title}\n{message.body}" for message in older]
    return newest.title, "\n\n".join([newest.body, *parts])


async def _post(url: str, key: bytes | None, messages: Sequence[MessageStatus], guard: Guard) -> None:
    body = webhook_body(messages)
    headers = {"Idempotency-Key": messages[-1].key}
    if key is not None:
        headers["Serinus-Signature"] = signature(key, body, int(time.time()))
    try:
        await post(url, body, headers, seconds=_PATIENCE, guard=guard)
    except PostError as error:
        raise DeliveryError(str(error)) from error


async def _notify(url: str, messages: Sequence[MessageStatus], guard: Guard) -> None:
    title, body = plain_text(messages)
    await asyncio.get_running_loop().run_in_executor(_threads, _with_apprise, url, title, body, guard)


def _with_apprise(url: str, title: str, body: str, guard: Guard) -> None:
    try:
        import apprise  # noqa: PLC0415  # an extra: plain webhooks work without it
    except ImportError as error:
        raise DeliveryError("services other than webhooks need Apprise: install serinus[notify]") from error
    for name in ("apprise", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # they log addresses, which are credentials
    service = None if url.startswith(_OF_THIS_MACHINE) else apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if not isinstance(service, apprise.NotifyBase):
        raise DeliveryError("url: is not a service that Apprise knows")
    try:
        if "host" in type(service).template_tokens and isinstance(service.host, str):
            guard.check_host(service.host, service.port)
    except Forbidden as error:
        raise DeliveryError("its address is one that nobody may name") from error
    service.redirects = False
    if not service.notify(title=title, body=body):
        raise DeliveryError("the service did not take the message")
