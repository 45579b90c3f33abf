"""Hooks: a web address that is asked before or told after something happens, and may say no."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Literal

from serinus.notify.guard import Guard
from serinus.notify.post import PostError, post
from serinus.notify.signature import signature

_FIRST_PAUSE = 0.2  # seconds between tries, doubled each time
_REASON = 200  # characters of a receiver's reason that are kept


@dataclass(frozen=True, slots=True)
class HookCall:
    """One question. `key`: the same for every try, also after a restart. `timeout`: seconds for all tries together."""

    key: str
    url: str
    timeout: float
    body: bytes


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What came of it: consent, a veto with the receiver's reason, or why there was no answer."""

    word: Literal["consent", "veto", "failed"]
    reason: str = ""


async def call_hook(call: HookCall, secret: bytes | None, guard: Guard) -> HookAnswer:
    """Ask, and ask again with the same key while there is time; never longer than the call's timeout."""
    deadline = time.monotonic() + call.timeout
    pause = _FIRST_PAUSE
    while True:
        headers = {"Idempotency-Key": call.key}
        if secret is not None:
            headers["Serinus-Signature"] = signature(secret, call.body, int(time.time()))
        try:
            left = deadline - time.monotonic()
            return read_answer(await post(call.url, call.body, headers, seconds=left, guard=guard))
        except PostError as error:
            if not error.again or time.monotonic() + pause >= deadline:
                return HookAnswer("failed", str(error))
        await asyncio.sleep(pause)
        pause *= 2


def read_answer(body: bytes) -> HookAnswer:
    """What a 2xx answer says: `{"veto": true, "reason": "..."}` is a no, whatever does not speak of a veto a yes."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return HookAnswer("consent")
    if not isinstance(said, dict) or said.get("veto", False) is False:
        return HookAnswer("consent")
    if said["veto"] is not True:
        return HookAnswer("failed", "answered neither yes nor no: veto must be true or false")
    reason = "".join(char if char.isprintable() else " " for char in str(said.get("reason", "")))
    return HookAnswer("veto", reason[:_REASON].strip())
