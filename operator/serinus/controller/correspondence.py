"""Where the operator hears people's orders and hooks' replies, and sends answers, questions and messages.

Nothing here is waited for by a reconcile: whatever goes out is an errand, and what comes back is for a later turn.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from serinus.api import CanaryDeploymentStatus
from serinus.controller.cache import Cache, Key, Object, key_of
from serinus.controller.errands import Errands
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import NotThere, WriteFailed
from serinus.controller.orders import Orders
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
from serinus.rollout import Ask, Obstacle, People, Record, Reply

_HOOK_SECRET = "key"

logger = logging.getLogger(__name__)


class Correspondence:
    """One for all objects."""

    def __init__(self, kube: Kube, cache: Cache, guard: Guard, wake: Callable[[Key], None]) -> None:
        self._kube = kube
        self._guard = guard
        self._hooks: Errands[Reply] = Errands(wake)
        self._deliveries: Errands[tuple[Delivery, str | None]] = Errands(wake)
        self._orders = Orders(kube, cache, wake)

    async def close(self) -> None:
        """Give up what is under way; what was not delivered is in the statuses."""
        await asyncio.gather(self._hooks.close(), self._deliveries.close(), self._orders.close())

    def people(self, owner: Object) -> People:
        """Every order for the object that has no answer of its own, and the replies since the last turn."""
        key = key_of(owner)
        return People(self._orders.waiting(key), tuple(self._hooks.results(key).values()))

    def has_news(self, owner: Object) -> bool:
        """Whether there is anything for the next turn: orders, replies, or what became of messages."""
        key = key_of(owner)
        return bool(self._orders.waiting(key)) or self._hooks.has_results(key) or self._deliveries.has_results(key)

    def is_rollback_ordered(self, owner: Object, status: CanaryDeploymentStatus) -> bool:
        """Whether a rollback waits to be obeyed."""
        return People(self._orders.waiting(key_of(owner))).is_rollback_ordered(status)

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
        self._orders.answer(key, status.answers)
        author = (owner.get("spec") or {}).get("author")
        for delivery in due(status.outbox, channels_of(owner), now):
            self._deliveries.start(key, delivery.channel, partial(self._deliver, key[0], delivery, author))

    def next_send(self, owner: Object, status: CanaryDeploymentStatus) -> datetime | None:
        """When the next message is due."""
        return next_delivery(status.outbox, channels_of(owner))

    def clear(self, owner: Object, status: CanaryDeploymentStatus, now: datetime) -> datetime | None:
        """Have overrides deleted that are long over; when the next will be."""
        rollout = status.rollout
        return self._orders.clear(key_of(owner), None if rollout is None or status.phase.is_end else rollout.id, now)

    def without_owner(self, key: Key, now: datetime) -> datetime | None:
        """Refuse, and later delete, the overrides of a CanaryDeployment that is not there; when to look again."""
        self._orders.refuse(key, now)
        return self._orders.clear(key, None, now)

    async def _ask(self, namespace: str, ask: Ask) -> Reply:
        secret = None
        if ask.hook.secret_ref is not None:
            try:
                secret = (await self._kube.read_secret(namespace, ask.hook.secret_ref.name))[_HOOK_SECRET]
            except KeyError:
                return Reply(ask.key, "failed", f"Secret {ask.hook.secret_ref.name} has no `{_HOOK_SECRET}`")
            except (NotThere, WriteFailed) as error:
                return Reply(ask.key, "failed", f"Secret {ask.hook.secret_ref.name}: {error}")
        body = ask.facts.model_dump_json(exclude_none=True).encode()
        call = HookCall(ask.key, ask.hook.url, ask.hook.timeout.total_seconds(), body)
        answer = await call_hook(call, secret, self._guard)
        return Reply(ask.key, answer.word, answer.reason)

    async def _deliver(self, namespace: str, delivery: Delivery, author: str | None) -> tuple[Delivery, str | None]:
        try:
            channel = channel_of(await self._kube.read_secret(namespace, delivery.channel))
            await deliver(channel, delivery.messages, author, self._guard)
        except (ChannelError, DeliveryError, NotThere, WriteFailed) as error:
            return delivery, str(error)
        return delivery, None


def channels_of(owner: Object) -> tuple[str, ...]:
    """The Secrets of the object's channels; also of one whose spec makes no sense otherwise."""
    return tuple(each["secretRef"]["name"] for each in (owner.get("spec") or {}).get("notify") or ())


def _obstacle(status: CanaryDeploymentStatus) -> Obstacle | None:
    """What the status says that the rollout is stalled by."""
    found = next((each for each in status.conditions if each.type == "Stalled" and each.status == "True"), None)
    return None if found is None else Obstacle(found.reason, found.message)
