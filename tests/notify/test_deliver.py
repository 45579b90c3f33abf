"""Messages handed over: the same facts in every channel, and no address anywhere (I10)."""

import json
import logging
from datetime import UTC, datetime

import pytest
from aiohttp import web

from serinus.api.outbox import MessageStatus
from serinus.notify import ChannelError, DeliveryError, Guard, channel_of, deliver
from tests.notify.conftest import Receiver

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STARTED = MessageStatus(key="r1/1", kind="started", title="ml/p: begins", body="step 1 of 5", time=NOW)
BACK = MessageStatus(key="r1/2", kind="rolledBack", title="ml/p: rolled back", body="errors", time=NOW, urgent=True)


async def test_a_webhook_gets_every_message_with_its_key(receiver: Receiver) -> None:
    channel = channel_of({"webhook": f"{receiver.origin}/secret-path".encode(), "key": b"k"})
    await deliver(channel, [STARTED, BACK], None, receiver.guard)
    [(headers, body)] = receiver.requests
    told = json.loads(body)["messages"]
    assert [message["key"] for message in told] == ["r1/1", "r1/2"]
    assert told[1] == {
        "key": "r1/2",
        "kind": "rolledBack",
        "title": "ml/p: rolled back",
        "body": "errors",
        "time": "2026-11-21T12:00:00Z",
    }
    assert headers["Idempotency-Key"] == "r1/2"
    assert "Serinus-Signature" in headers


async def test_a_service_of_apprise_gets_the_same_facts(receiver: Receiver) -> None:
    channel = channel_of({"url": f"{receiver.origin.replace('http', 'json')}/services".encode()})
    await deliver(channel, [STARTED, BACK], None, receiver.guard)
    [(_, body)] = receiver.requests
    told = json.loads(body)
    assert told["title"] == "ml/p: rolled back"
    for fact in ("errors", "ml/p: begins", "step 1 of 5"):
        assert fact in told["message"]


async def test_the_author_is_told_of_a_rollback_and_of_nothing_else_R29(receiver: Receiver) -> None:
    origin = receiver.origin.replace("http", "json")
    channel = channel_of({"url": f"{origin}/team".encode(), "authorUrl": f"{origin}/mail/{{author}}".encode()})
    await deliver(channel, [STARTED], "jo@example.com", receiver.guard)
    assert len(receiver.requests) == 1
    await deliver(channel, [STARTED, BACK], "jo@example.com", receiver.guard)
    assert len(receiver.requests) == 3
    assert "begins" not in json.loads(receiver.requests[-1][1])["message"]


@pytest.mark.parametrize("answer", [web.Response(status=500), web.Response(status=302, headers={"Location": "/x"})])
@pytest.mark.parametrize("scheme", ["webhook", "url"])
async def test_what_was_not_taken_is_an_error_without_the_address_I10(
    receiver: Receiver, scheme: str, answer: web.Response, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answers = [answer]
    origin = receiver.origin if scheme == "webhook" else receiver.origin.replace("http", "json")
    channel = channel_of({scheme: f"{origin}/T0KEN".encode()})
    with pytest.raises(DeliveryError) as error:
        await deliver(channel, [STARTED], None, receiver.guard)
    assert "T0KEN" not in str(error.value)
    assert "T0KEN" not in repr(channel)
    assert "T0KEN" not in "".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")


@pytest.mark.parametrize(
    "address",
    ["json://127.0.0.1:1/", "json://169.254.169.254/", "syslog://", "nonsense", "nonsense://x", "json://localhost:1"],
)
async def test_what_apprise_must_not_or_cannot_reach_is_refused(address: str) -> None:
    with pytest.raises(DeliveryError):
        await deliver(channel_of({"url": address.encode()}), [STARTED], None, Guard())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "exactly one"),
        ({"url": b"slack://T0KEN", "webhook": b"https://T0KEN"}, "exactly one"),
        ({"webhook": b"T0KEN"}, "webhook: must be"),
        ({"webhook": b"\xff"}, "webhook: is not UTF-8"),
        ({"url": b"slack://x", "authorUrl": b"mailto://T0KEN"}, "authorUrl: must have"),
    ],
)
def test_a_secret_that_is_no_channel_is_told_by_its_key_alone_I10(data: dict[str, bytes], told: str) -> None:
    with pytest.raises(ChannelError, match=told) as error:
        channel_of(data)
    assert "T0KEN" not in str(error.value)
