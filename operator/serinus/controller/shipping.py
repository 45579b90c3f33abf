"""Records on their way to the log's store: in order, each at least once, kept in the cluster while the store is away.

A record is first an immutable object of the cluster (CanaryRecord), then in the status that names its hash, then in the
store, and only then the object goes. So neither a crash nor a store that is away for days loses one, and no decision
waits for a store; nor does the deletion of the CanaryDeployment, which its records outlive.
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
from serinus.controller.kube import OWNER, Kube
from serinus.controller.kube_errors import NamespaceEnds, WriteConflict, WriteFailed
from serinus.controller.statuses import status_of
from serinus.log import Entry, StoreError
from serinus.log.store import Store
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


@dataclass(frozen=True, slots=True)
class _Found:
    """A parcel that an operator before this one left, its record, and the uid of the object that it is about."""

    parcel: _Parcel
    entry: Entry
    owner: str

    @property
    def number(self) -> int:
        """Of the record, among all of its object."""
        return int(self.entry.id.rpartition("/")[2])


class Shipping:
    """Takes records to a store."""

    def __init__(self, store: Store, kube: Kube, cache: Cache, namespaces: tuple[str, ...]) -> None:
        self._store = store
        self._kube = kube
        self._cache = cache
        self._namespaces = namespaces
        self._waiting: deque[_Parcel] = deque()
        self._heritage: deque[Callable[[str], bool]] = deque()
        self._kept: set[tuple[str, str]] = set()  # by this process, and not yet named by a status
        self._news = asyncio.Event()

    def adopt(self, is_ours: Callable[[str], bool]) -> None:
        """Deliver what an operator before this one left of the objects with these uids, before anything else."""
        self._heritage.append(is_ours)
        self._news.set()

    async def keep(self, owner: Object, record: Record) -> None:
        """Write the record into the cluster: before the status that names it. Once is enough."""
        packed = base64.b64encode(zlib.compress(record.line().encode(), level=9)).decode()
        self._kept.add((record.namespace, _name(record)))
        try:
            await self._kube.create_record(owner, _name(record), packed)
        except NamespaceEnds as end:
            logger.warning("a record of %s/%s goes to the store alone: %s", record.namespace, record.name, end)

    def ship(self, record: Record) -> None:
        """Have a kept record delivered."""
        self._kept.discard((record.namespace, _name(record)))
        self._waiting.append(_Parcel(record.namespace, _name(record), record.line()))
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._until_done(partial(asyncio.to_thread, self._store.create))
        while True:
            self._news.clear()
            while self._heritage:
                found = await self._until_done(partial(self._left_behind, self._heritage[0]))
                self._waiting.extendleft(reversed(found))
                self._heritage.popleft()
            while self._waiting and not self._heritage:
                await self._until_done(partial(self._deliver, self._waiting[0]))
                self._waiting.popleft()
            if not self._heritage:
                await self._news.wait()

    async def _deliver(self, parcel: _Parcel) -> None:
        await asyncio.to_thread(self._store.append, Entry.of_line(parcel.line))
        await self._kube.delete_record(parcel.namespace, parcel.name)

    async def _left_behind(self, is_ours: Callable[[str], bool]) -> list[_Parcel]:
        """What waits in the cluster, in its order; a record that was never taken goes."""
        found: dict[str, list[_Found]] = {}  # by the object that they are about
        for kept in await self._kube.list_records(self._namespaces):
            each = _unpacked(kept)
            if each is not None and key_of(kept) not in self._kept and is_ours(each.owner):
                found.setdefault(each.owner, []).append(each)
        taken: list[_Found] = []
        for of_one in found.values():
            really = self._taken(of_one)
            for never in set(of_one) - set(really):
                await self._kube.delete_record(never.parcel.namespace, never.parcel.name)
            taken += really
        return [each.parcel for each in sorted(taken, key=lambda each: (each.entry.time, each.number))]

    def _taken(self, found: list[_Found]) -> list[_Found]:
        """Those of an object's records whose decisions were taken: its status, or the next of them, names their hashes.

        Of an object that is gone all are: nobody can tell any more, and one too many is better than one too few.
        """
        entry = found[0].entry
        owner = self._cache.get("canarydeployments", (entry.namespace, entry.name))
        if owner is None or owner["metadata"]["uid"] != found[0].owner:
            return found
        named = {each["hash"] for each in status_of(owner).get("history", [])}
        taken = []
        for each in sorted(found, key=lambda each: each.number, reverse=True):
            if each.entry.hash in named:
                named.add(each.entry.previous_hash)  # a status keeps the last few only
                taken.append(each)
        return taken

    async def _until_done(self, action: Callable[[], Awaitable[T]]) -> T:
        """Try again, ever more seldom, until it works; the log says so once, and when it is over."""
        pause = _FIRST_PAUSE
        while True:
            try:
                done = await action()
            except (StoreError, WriteFailed, WriteConflict) as error:
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


def _unpacked(kept: Object) -> _Found | None:
    """What waits in an object; None for one that no operator wrote so: it is left to whoever did, and stops nothing."""
    namespace, name = key_of(kept)
    try:
        line = zlib.decompress(base64.b64decode(kept["spec"]["packed"])).decode()
        return _Found(_Parcel(namespace, name, line), Entry.of_line(line), kept["metadata"]["labels"][OWNER])
    except (KeyError, ValueError, zlib.error) as error:
        logger.warning("the CanaryRecord %s/%s holds no record and is left as it is: %s", namespace, name, error)
        return None
