"""Records on their way to the log's store: in order, each at least once, kept in the cluster while the store is away.

A record is first an immutable object of the cluster (CanaryRecord), then in the status that names its hash, then in the
store, and only then the object goes. So neither a crash nor a store that is away for days loses one, and no decision
waits for a store.
"""

import asyncio
import base64
import logging
import zlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from serinus.controller.cache import Cache, Object, key_of
from serinus.controller.kube import Kube, WriteConflict, WriteFailed
from serinus.log import Entry, LineError
from serinus.log.store import Store, StoreError
from serinus.rollout import Record

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds between tries

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A record's line, and the object in which it waits."""

    namespace: str
    name: str
    line: str


class Shipping:
    """Takes records to a store."""

    def __init__(self, store: Store, kube: Kube, cache: Cache, namespaces: tuple[str, ...]) -> None:
        self._store = store
        self._kube = kube
        self._cache = cache
        self._namespaces = namespaces
        self._waiting: deque[_Parcel] = deque()
        self._news = asyncio.Event()

    async def keep(self, owner: Object, record: Record) -> None:
        """Write the record into the cluster: before the status that names it. Once is enough."""
        packed = base64.b64encode(zlib.compress(record.line().encode(), level=9)).decode()
        await self._kube.create_record(owner, _name(record), packed)

    def ship(self, record: Record) -> None:
        """Have a kept record delivered."""
        self._waiting.append(_Parcel(record.namespace, _name(record), record.line()))
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled: first what an operator before this one left."""
        self._waiting.extendleft(reversed(await self._until_done(self._left_behind)))
        await self._until_done(partial(asyncio.to_thread, self._store.create))
        while True:
            while self._waiting:
                await self._until_done(partial(self._deliver, self._waiting[0]))
                self._waiting.popleft()
            self._news.clear()
            await self._news.wait()

    async def _deliver(self, parcel: _Parcel) -> None:
        await asyncio.to_thread(self._store.append, Entry.of_line(parcel.line))
        await self._kube.delete_record(parcel.namespace, parcel.name)

    async def _left_behind(self) -> list[_Parcel]:
        """What waits in the cluster, the oldest first; a record that no status names was never taken, and goes."""
        found: list[tuple[str, _Parcel]] = []
        for kept in await self._kube.list_records(self._namespaces):
            parcel = _Parcel(*key_of(kept), zlib.decompress(base64.b64decode(kept["spec"]["packed"])).decode())
            entry = Entry.of_line(parcel.line)
            if self._was_taken(entry):
                found.append((entry.time, parcel))
            else:
                await self._kube.delete_record(parcel.namespace, parcel.name)
        return [parcel for _, parcel in sorted(found, key=lambda each: each[0])]

    def _was_taken(self, entry: Entry) -> bool:
        owner = self._cache.get("canarydeployments", (entry.namespace, entry.name))
        history = (owner or {}).get("status", {}).get("history", [])
        return owner is None or any(each["hash"] == entry.hash for each in history)

    async def _until_done(self, action: Callable[[], Awaitable[T]]) -> T:
        """Try again, ever more seldom, until it works; the log says so once, and when it is over."""
        pause = _FIRST_PAUSE
        while True:
            try:
                done = await action()
            except (StoreError, WriteFailed, WriteConflict, LineError, zlib.error, ValueError) as error:
                if pause == _FIRST_PAUSE:
                    logger.warning("the deployment log waits: %s", error)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, 2 * pause)
                continue
            if pause > _FIRST_PAUSE:
                logger.info("the deployment log goes on")
            return done


def _name(record: Record) -> str:
    return record.id.replace("/", "-")
