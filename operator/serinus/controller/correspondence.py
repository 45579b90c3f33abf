"""Where the operator hears people's orders and hooks' replies, and sends answers, questions and messages.

Nothing here is waited for by a reconcile: whatever goes out is an errand, and what comes back is for a later turn.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from pydantic import ValidationError

from serinus.api import CanaryDeploymentStatus, CanaryOverride
from serinus.api.override import OverrideStatus
from serinus.api.status import AnswerStatus
from serinus.controller.cache import Cache, Key, Object, key_of
from serinus.controller.errands import Errands
from serinus.controller.kube import Kube, WriteConflict, WriteFailed
from serinus.notify import (
    ChannelError,
    Delivery,
    DeliveryError,
    Guard,
    HookCall,
    call_hook,
    channel_of,
    deliver,
    due,
    message_of,
    next_delivery,
    posted,
    refused,
    report_message,
    stalled_message,
    taken,
)
from serinus.rollout import Ask, Obstacle, Order, People, Record, Reply

_AFTER_FAILURE = 5.0  # seconds until an answer that could not be written is tried again
_HOOK_SECRET = "key"

logger = logging.getLogger(__name__)


class Correspondence:
    """One for all objects."""

    def __init__(self, kube: Kube, cache: Cache, guard: Guard, wake: Callable[[Key], None]) -> None:
        self._kube = kube
        self._cache = cache
        self._guard = guard
        self._hooks: Errands[Reply] = Errands(wake)
        self._deliveries: Errands[tuple[Delivery, str | None]] = Errands(wake)
        self._answers: Errands[None] = Errands(wake)

    async def close(self) -> None:
        """Give up what is under way; what was not delivered is in the statuses."""
        await asyncio.gather(self._hooks.close(), self._deliveries.close(), self._answers.close())

    def people(self, owner: Object) -> People:
        """Every order for the object that has no answer of its own, and the replies since the last turn."""
        return People(_orders(owner, self._cache), tuple(self._hooks.results(key_of(owner)).values()))

    def with_news(
        self,
        owner: Object,
        before: CanaryDeploymentStatus,
        status: CanaryDeploymentStatus,
        records: Sequence[Record],
        now: datetime,
    ) -> CanaryDeploymentStatus:
        """The status with what became of deliveries, and with messages of new records and of a rollout that stalls."""
        channels = channels_of(owner)
        outbox = status.outbox
        for delivery, problem in self._deliveries.results(key_of(owner)).values():
            if problem is None:
                outbox = taken(outbox, delivery, channels, now)
            else:
                logger.warning("%s/%s: Secret %s: %s", *key_of(owner), delivery.channel, problem)
                outbox = refused(outbox, delivery, channels, problem, now)
        stalled, known = _obstacle(status), _obstacle(before)
        news = [message for record in records if (message := message_of(record)) is not None]
        if stalled is not None and (known is None or known.reason != stalled.reason):
            news.append(stalled_message(*key_of(owner), stalled, now))
        if news and channels:
            outbox = posted(outbox, news)
        return status if outbox == status.outbox else status.model_copy(update={"outbox": outbox})

    def with_report(
        self, owner: Object, status: CanaryDeploymentStatus, every: timedelta, now: datetime
    ) -> CanaryDeploymentStatus:
        """The status with the comparison in its outbox, where a step is held and it is time to tell so again."""
        report = report_message(*key_of(owner), status, every, now)
        if report is None or not channels_of(owner):
            return status
        outbox = posted(status.outbox, [report]).model_copy(update={"reported_at": now})
        return status.model_copy(update={"outbox": outbox})

    def send(self, owner: Object, status: CanaryDeploymentStatus, asks: Sequence[Ask], now: datetime) -> None:
        """Start what is due: questions to hooks, answers to overrides, messages. `status` is what has been written."""
        key = key_of(owner)
        for ask in asks:
            self._hooks.start(key, ask.key, partial(self._ask, key[0], ask))
        waiting = {order.uid for order in _orders(owner, self._cache)}
        for answer in status.answers:
            if answer.uid in waiting:
                self._answers.start(key, answer.uid, partial(self._answer, key[0], answer))
        author = (owner.get("spec") or {}).get("author")
        for delivery in due(status.outbox, channels_of(owner), now):
            self._deliveries.start(key, delivery.channel, partial(self._deliver, key[0], delivery, author))

    def next_send(self, owner: Object, status: CanaryDeploymentStatus) -> datetime | None:
        """When the next message is due."""
        return next_delivery(status.outbox, channels_of(owner))

    async def _ask(self, namespace: str, ask: Ask) -> Reply:
        secret = None
        if ask.hook.secret_ref is not None:
            try:
                secret = (await self._kube.read_secret(namespace, ask.hook.secret_ref.name))[_HOOK_SECRET]
            except KeyError:
                return Reply(ask.key, "failed", f"Secret {ask.hook.secret_ref.name} has no `{_HOOK_SECRET}`")
            except WriteFailed as error:
                return Reply(ask.key, "failed", f"Secret {ask.hook.secret_ref.name}: {error}")
        body = ask.facts.model_dump_json(exclude_none=True).encode()
        call = HookCall(ask.key, ask.hook.url, ask.hook.timeout.total_seconds(), body)
        answer = await call_hook(call, secret, self._guard)
        return Reply(ask.key, answer.word, answer.reason)

    async def _deliver(self, namespace: str, delivery: Delivery, author: str | None) -> tuple[Delivery, str | None]:
        try:
            channel = channel_of(await self._kube.read_secret(namespace, delivery.channel))
            await deliver(channel, delivery.messages, author, self._guard)
        except (ChannelError, DeliveryError, WriteFailed) as error:
            return delivery, str(error)
        return delivery, None

    async def _answer(self, namespace: str, answer: AnswerStatus) -> None:
        override = self._cache.get("canaryoverrides", (namespace, answer.name))
        if override is None or override["metadata"]["uid"] != answer.uid:
            return
        told = OverrideStatus.model_validate(answer.model_dump(exclude={"uid", "name"}))
        try:
            self._cache.put("canaryoverrides", await self._kube.answer_override(override, told))
        except (WriteFailed, WriteConflict) as error:
            logger.warning("CanaryOverride %s/%s: its status was not written: %s", namespace, answer.name, error)
            await asyncio.sleep(_AFTER_FAILURE)


def channels_of(owner: Object) -> tuple[str, ...]:
    """The Secrets of the object's channels; also of one whose spec makes no sense otherwise."""
    return tuple(each["secretRef"]["name"] for each in (owner.get("spec") or {}).get("notify") or ())


def _orders(owner: Object, cache: Cache) -> tuple[Order, ...]:
    namespace, name = key_of(owner)
    found = (cache.get("canaryoverrides", key) for key in cache.keys("canaryoverrides") if key[0] == namespace)
    orders = (_order(each) for each in found if each and each["spec"].get("target") == name and not each.get("status"))
    return tuple(order for order in orders if order is not None)


def _order(override: Object) -> Order | None:
    """The order that an override is; None for one that the schema should have refused (I9)."""
    try:
        read = CanaryOverride.model_validate(override)
    except ValidationError:
        return None
    metadata = override["metadata"]
    return Order(
        uid=metadata["uid"],
        name=read.metadata.name,
        rollout=read.spec.rollout,
        action=read.spec.action,
        to=read.spec.to,
        reason=read.spec.reason,
        requested_by=read.spec.requested_by,
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
    )


def _obstacle(status: CanaryDeploymentStatus) -> Obstacle | None:
    """What the status says that the rollout is stalled by."""
    found = next((each for each in status.conditions if each.type == "Stalled" and each.status == "True"), None)
    return None if found is None else Obstacle(found.reason, found.message)
