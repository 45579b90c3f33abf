"""CanaryOverrides in the cluster: read as orders, answered once, and cleared away when they are long over.

An answer can be read for a week, and as long as the rollout that it is about is under way; the record stays for ever.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from pydantic import ValidationError

from serinus.api import CanaryOverride
from serinus.api.override import OverrideStatus
from serinus.api.status import AnswerStatus
from serinus.controller.cache import Cache, Key, Object, key_of
from serinus.controller.errands import Errands
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import WriteConflict, WriteFailed
from serinus.rollout import Order

KEPT = timedelta(days=7)
"""How long an answered override stays at least."""

_AFTER_FAILURE = 5.0  # seconds until what could not be written is tried again

logger = logging.getLogger(__name__)


class Orders:
    """The overrides of all CanaryDeployments; a key is that of the CanaryDeployment they are meant for."""

    def __init__(self, kube: Kube, cache: Cache, wake: Callable[[Key], None]) -> None:
        self._kube = kube
        self._cache = cache
        self._errands: Errands[None] = Errands(wake)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._errands.close()

    def waiting(self, key: Key) -> tuple[Order, ...]:
        """Those without an answer in their own status."""
        orders = (_order(each) for each in self._of(key) if not each.get("status"))
        return tuple(order for order in orders if order is not None)

    def answer(self, key: Key, answers: Sequence[AnswerStatus]) -> None:
        """Write answers into the overrides that wait for them."""
        self._errands.results(key)
        waiting = {order.uid for order in self.waiting(key)}
        for answer in answers:
            if answer.uid in waiting:
                self._errands.start(key, answer.uid, partial(self._answer, key[0], answer))

    def refuse(self, key: Key, now: datetime) -> None:
        """Answer those that are meant for a CanaryDeployment that is not there."""
        told = f"there is no CanaryDeployment {key[1]!r} in namespace {key[0]}"
        self.answer(
            key,
            [
                AnswerStatus(uid=order.uid, name=order.name, outcome="Refused", message=told, time=now)
                for order in self.waiting(key)
            ],
        )

    def clear(self, key: Key, under_way: str | None, now: datetime) -> datetime | None:
        """Delete those that are over; when the next will be. `under_way`: id of the rollout whose overrides stay."""
        times = []
        for override in self._of(key):
            over_at = _over_at(override, under_way)
            if over_at is not None and over_at <= now:
                self._errands.start(key, override["metadata"]["uid"], partial(self._delete, override))
            elif over_at is not None:
                times.append(over_at)
        return min(times, default=None)

    def _of(self, key: Key) -> Iterator[Object]:
        found = self._cache.of_namespace("canaryoverrides", key[0])
        return (each for each in found if each["spec"].get("target") == key[1])

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

    async def _delete(self, override: Object) -> None:
        try:
            await self._kube.delete_override(override)
            self._cache.drop("canaryoverrides", key_of(override))
        except (WriteFailed, WriteConflict) as error:
            logger.warning("CanaryOverride %s/%s: it was not deleted: %s", *key_of(override), error)
            await asyncio.sleep(_AFTER_FAILURE)


def targets(cache: Cache) -> set[Key]:
    """The CanaryDeployments, there or not, that overrides are meant for."""
    found = (cache.get("canaryoverrides", key) for key in cache.keys("canaryoverrides"))
    return {(key_of(each)[0], each["spec"]["target"]) for each in found if each and "target" in each["spec"]}


def _over_at(override: Object, under_way: str | None) -> datetime | None:
    """When the override may go; None while it has no answer, or its rollout is under way."""
    answered = (override.get("status") or {}).get("time")
    if answered is None or override["spec"].get("rollout") == under_way:
        return None
    return datetime.fromisoformat(answered) + KEPT


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
