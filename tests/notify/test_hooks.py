"""Hooks: asked within their time, signed, with one key for all tries, and never led astray."""

import hashlib
import hmac
import json
import time

import pytest
from aiohttp import web

from serinus.notify import Guard, HookAnswer, HookCall, call_hook
from serinus.notify.hooks import read_answer
from tests.notify.conftest import Receiver


def call(receiver: Receiver, seconds: float = 5, path: str = "/hook") -> HookCall:
    return HookCall("r1/beforeStep/2", f"{receiver.origin}{path}", seconds, b'{"record":{}}')


async def test_an_answer_that_does_not_speak_of_a_veto_is_consent(receiver: Receiver) -> None:
    assert await call_hook(call(receiver), None, receiver.guard) == HookAnswer("consent")
    [(headers, body)] = receiver.requests
    assert headers["Idempotency-Key"] == "r1/beforeStep/2"
    assert "Serinus-Signature" not in headers
    assert json.loads(body) == {"record": {}}


async def test_a_veto_carries_its_reason(receiver: Receiver) -> None:
    receiver.answers = [web.json_response({"veto": True, "reason": "freeze until Monday\x1b[31m"})]
    assert await call_hook(call(receiver), None, receiver.guard) == HookAnswer("veto", "freeze until Monday [31m")


async def test_a_request_is_signed_with_the_key_that_both_have(receiver: Receiver) -> None:
    await call_hook(call(receiver), b"shared key", receiver.guard)
    [(headers, body)] = receiver.requests
    parts = dict(part.split("=") for part in headers["Serinus-Signature"].split(","))
    expected = hmac.new(b"shared key", f"{parts['t']}.{body}".encode(), hashlib.sha256).hexdigest()
    assert parts["v1"] == expected


async def test_a_failure_is_tried_again_with_the_same_key(receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=500), web.Response(status=503), web.Response(text="ok")]
    assert await call_hook(call(receiver), None, receiver.guard) == HookAnswer("consent")
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.requests}) == 1
    assert len(receiver.requests) == 3


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_refusal_is_not_tried_again(receiver: Receiver, status: int) -> None:
    receiver.answers = [web.Response(status=status)]
    assert await call_hook(call(receiver), None, receiver.guard) == HookAnswer("failed", f"answered {status}")
    assert len(receiver.requests) == 1


async def test_a_hook_never_takes_more_than_its_timeout(receiver: Receiver) -> None:
    receiver.delay = 30
    begun = time.monotonic()
    answer = await call_hook(call(receiver, seconds=0.3), None, receiver.guard)
    assert answer.word == "failed"
    assert "no answer within" in answer.reason
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:1/", "https://example.com"]
)
async def test_a_redirect_is_followed_nowhere(receiver: Receiver, target: str) -> None:
    receiver.answers = [web.Response(status=302, headers={"Location": target})]
    answer = await call_hook(call(receiver), None, receiver.guard)
    assert answer == HookAnswer("failed", "answered 302: redirects are not followed")


async def test_an_answer_of_10_MB_is_cut_off(receiver: Receiver) -> None:
    receiver.answers = [web.Response(body=b" " * 10_000_000)]
    assert await call_hook(call(receiver), None, receiver.guard) == HookAnswer("failed", "answered more than 64 KB")


async def test_an_answer_is_never_unpacked(receiver: Receiver) -> None:
    packed = web.Response(body=b"\x1f\x8b not even gzip", headers={"Content-Encoding": "gzip"})
    receiver.answers = [packed]
    assert (await call_hook(call(receiver), None, receiver.guard)).word == "consent"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0:1/",
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://100.100.100.200/",
    ],
)
async def test_addresses_of_the_machine_and_of_metadata_are_refused(url: str) -> None:
    answer = await call_hook(HookCall("k", url, 5, b"{}"), None, Guard())
    assert answer.word == "failed"
    assert "nobody may name" in answer.reason


async def test_loopback_is_allowed_by_its_origin_alone(receiver: Receiver) -> None:
    other = HookCall("k", receiver.origin.replace("127.0.0.1", "localhost"), 5, b"{}")
    assert "nobody may name" in (await call_hook(other, None, receiver.guard)).reason


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "consent"),
        (b"OK", "consent"),
        (b"[]", "consent"),
        (b'{"veto": false}', "consent"),
        (b'{"veto": true}', "veto"),
        (b'{"veto": "yes"}', "failed"),
        (b'{"veto": 0}', "failed"),
        (b'{"veto": null}', "failed"),
        (b"[" * 60_000, "consent"),
        (b"\xff\xfe", "consent"),
    ],
)
def test_only_true_is_a_veto_and_what_is_unclear_is_no_consent(body: bytes, word: str) -> None:
    assert read_answer(body).word == word
