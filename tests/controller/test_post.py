"""Messages on their way to a receiver that is away, fails or is slow: none is lost, and there is no storm.

The receiver is a real one; the clock is the test's, so that five minutes pass at once.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from aiohttp import web

from serinus.api import CanaryDeploymentStatus
from serinus.api.canarydeployment import Hook
from serinus.controller.cache import Cache
from serinus.controller.correspondence import Correspondence
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import NotThere
from serinus.notify import Guard, deliver
from serinus.rollout import Ask, Record
from serinus.rollout.people import HookFacts
from tests.rollout.records import Book

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)
OWNER = {
    "metadata": {"namespace": "ml", "name": "predictor", "uid": "u1"},
    "spec": {"notify": [{"secretRef": {"name": "team"}}]},
}


class Receiver:
    """A webhook on this machine, which may go away and come back at the same address."""

    def __init__(self) -> None:
        self.status = 200
        self.held: asyncio.Event | None = None
        self.came = asyncio.Event()
        self.tries = 0
        self.taken: list[dict[str, str]] = []
        """What it took, one after another."""
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def begin(self) -> None:
        app = web.Application()
        app.router.add_post("/", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def go_away(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.tries += 1
        self.came.set()
        if self.held is not None:
            await self.held.wait()
        if self.status == 200:
            self.taken += told["messages"]
        return web.Response(status=self.status)


class Post:
    """An operator's post office with one rollout: `status` is what the cluster has, `now` the time."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.status = CanaryDeploymentStatus()
        self.now = START
        self.deliveries: list[datetime] = []
        """When the receiver took something."""
        self.secrets = {"team": {"webhook": receiver.origin.encode()}}
        self.book = Book("predictor", start=START)
        self.open()

    def open(self) -> None:
        """An operator starts: it knows what the cluster has, and nothing else."""
        self.woken: asyncio.Queue[Any] = asyncio.Queue()
        kube = cast(Kube, self)  # of the API server only Secrets are wanted
        self.office = Correspondence(kube, Cache(), Guard([self.receiver.origin]), self.woken.put_nowait)

    async def kill(self) -> None:
        await self.office.close()
        self.open()

    async def read_secret(self, _: str, name: str) -> dict[str, bytes]:
        if name not in self.secrets:
            raise NotThere(f'secrets "{name}" not found')
        return self.secrets[name]

    def decide(self, verdict: str, weight: int | None = None) -> Record:
        return self.book.take(verdict, weight=weight).model_copy(update={"time": self.now})

    def turn(self, *records: Record) -> None:
        """A reconcile: what became of deliveries and what is decided goes into the status, and what is due goes out."""
        self.status = self.office.with_news(OWNER, self.status, self.status, records, self.now)
        self.office.send(OWNER, self.status, (), self.now)

    async def back(self) -> None:
        """Wait until a delivery has come to its end, and note it."""
        before = len(self.receiver.taken)
        await asyncio.wait_for(self.woken.get(), 30)
        if len(self.receiver.taken) > before:
            self.deliveries.append(self.now)
        self.turn()

    async def go_on(self, until: datetime) -> None:
        """Let time pass: whenever something is due it is tried."""
        while (due := self.office.next_send(OWNER, self.status)) is not None and due <= until:
            self.now = max(self.now, due)
            self.turn()
            await self.back()
            assert self.office.next_send(OWNER, self.status) != due, "what was tried is due at once again"
        self.now = until

    @property
    def told(self) -> str:
        """All that the receiver has read."""
        return "\n".join(f"{message['title']}\n{message['body']}" for message in self.receiver.taken)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.begin()
    yield receiver
    await receiver.go_away()


@pytest.fixture
async def post(receiver: Receiver) -> AsyncIterator[Post]:
    post = Post(receiver)
    yield post
    await post.office.close()


TITLES = ("begins with 10 %", "rises from 10 % to 50 %", "rolled back from 50 %")


async def in_trouble(post: Post) -> None:
    """Five minutes of a rollout: it begins, rises, and is rolled back."""
    post.turn(post.decide("start", 10))
    await post.go_on(START + timedelta(minutes=2))
    post.turn(post.decide("promote", 50))
    await post.go_on(START + timedelta(minutes=3))
    post.turn(post.decide("rollback", 0))
    await post.go_on(START + FIVE_MINUTES)
    assert post.receiver.taken == []
    assert len(post.status.outbox.messages) == 3


async def recovered(post: Post) -> None:
    """The receiver is well again: within a minute it has everything, once."""
    await post.go_on(START + FIVE_MINUTES + timedelta(minutes=1))
    assert all(title in post.told for title in TITLES)
    assert len({message["key"] for message in post.receiver.taken}) == len(post.receiver.taken) == 3
    assert post.status.outbox.messages == ()


async def test_a_receiver_that_is_away_for_five_minutes_misses_nothing_R28(post: Post, receiver: Receiver) -> None:
    await receiver.go_away()
    await in_trouble(post)
    assert "no answer" in post.status.outbox.channels[0].problem
    await receiver.begin()
    await recovered(post)


async def test_a_receiver_that_answers_500_for_five_minutes_misses_nothing_and_is_not_stormed_R28(
    post: Post, receiver: Receiver
) -> None:
    receiver.status = 500
    await in_trouble(post)
    assert post.status.outbox.channels[0].problem == "answered 500"
    assert receiver.tries <= 10, "2, 4, 8, 16, 32 and then every 60 s"
    receiver.status = 200
    await recovered(post)


async def test_a_receiver_that_is_slow_delays_no_decision_and_misses_nothing_R28(
    post: Post, receiver: Receiver
) -> None:
    receiver.held = asyncio.Event()
    post.turn(post.decide("start", 10))
    await asyncio.wait_for(receiver.came.wait(), 30)
    post.turn(post.decide("rollback", 0))  # while the first message is on its way
    assert [message.kind for message in post.status.outbox.messages] == ["started", "rolledBack"]
    assert post.woken.empty(), "the first message is on its way still"
    receiver.held.set()
    await post.back()
    await post.back()
    assert [message["kind"] for message in receiver.taken] == ["started", "rolledBack"]


async def test_a_receiver_that_never_answers_is_given_up_and_tried_again(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[deliver.__module__], "_PATIENCE", 0.2)
    receiver.held = asyncio.Event()
    post.turn(post.decide("start", 10))
    await post.back()
    assert "no answer within" in post.status.outbox.channels[0].problem
    monkeypatch.undo()
    receiver.held = None
    await post.go_on(START + timedelta(minutes=1))
    assert [message["kind"] for message in receiver.taken] == ["started"]


async def test_an_operator_that_is_killed_between_decision_and_message_tells_it_after_its_restart_I4(
    post: Post, receiver: Receiver
) -> None:
    receiver.held = asyncio.Event()
    post.turn(post.decide("rollback", 0))
    await post.kill()
    receiver.held = None
    post.turn()
    await post.back()
    assert [message["kind"] for message in receiver.taken] == ["rolledBack"]
    assert post.status.outbox.messages == ()


async def test_an_operator_that_is_killed_after_a_message_may_tell_it_again_with_the_same_key_I4(
    post: Post, receiver: Receiver
) -> None:
    post.turn(post.decide("rollback", 0))
    await asyncio.wait_for(post.woken.get(), 30)
    await post.kill()  # before any status says that it was delivered
    post.turn()
    await post.back()
    first, again = receiver.taken
    assert first == again


async def test_many_decisions_are_one_delivery_a_minute_and_the_end_waits_for_none_R28(
    post: Post, receiver: Receiver
) -> None:
    for minute in range(1, 11):
        for verdict, weight in (("start", 10), ("hold", None), ("promote", 50)):
            post.turn(post.decide(verdict, weight))
        await post.go_on(START + timedelta(minutes=minute))
    assert all(after - before >= timedelta(minutes=1) for before, after in pairwise(post.deliveries))
    assert len(post.deliveries) >= 9
    post.now += timedelta(seconds=1)
    post.turn(post.decide("rollback", 0))
    await post.back()
    assert "rolled back" in receiver.taken[-1]["title"]
    assert post.status.outbox.messages == ()


async def test_a_channel_whose_secret_is_not_there_is_named_and_tried_ever_more_seldom(
    post: Post, receiver: Receiver
) -> None:
    webhook = post.secrets.pop("team")
    post.turn(post.decide("start", 10))
    await post.go_on(START + FIVE_MINUTES)
    channel = post.status.outbox.channels[0]
    assert channel.problem == 'secrets "team" not found'
    assert channel.attempts <= 10
    post.secrets["team"] = webhook
    await post.go_on(START + FIVE_MINUTES + timedelta(minutes=1))
    assert [message["kind"] for message in receiver.taken] == ["started"]
    assert json.dumps(post.status.model_dump(mode="json")).count(receiver.origin) == 0, "I10"


async def test_a_hook_whose_secret_is_not_there_fails_by_the_name_of_the_secret(post: Post) -> None:
    hook = Hook.model_validate({"when": "start", "url": post.receiver.origin, "secretRef": {"name": "absent"}})
    facts = HookFacts(
        when="start",
        rollout="r1",
        namespace="ml",
        name="predictor",
        step=1,
        weight=0,
        next_weight=10,
        reason="",
        message="",
        comparison=(),
        time=START,
    )
    post.office.send(OWNER, post.status, [Ask("r1/start/1/1", hook, facts)], START)
    await asyncio.wait_for(post.woken.get(), 30)
    [reply] = post.office.people(OWNER).replies
    assert reply.word == "failed"
    assert reply.reason == 'Secret absent: secrets "absent" not found'
