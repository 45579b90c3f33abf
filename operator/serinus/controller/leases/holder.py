"""The leases of one replica: taken, renewed, asked for, handed over and released."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from serinus.controller.cache import Object
from serinus.controller.kube_errors import WriteConflict, WriteFailed
from serinus.controller.leases.fairness import to_ask_for
from serinus.controller.leases.lease import (
    Lease,
    asking,
    handing_over,
    lease_name,
    new_lease,
    releasing,
    renewing,
    taking,
)
from serinus.controller.leases.settings import LeaseSettings
from serinus.controller.leases.shards import shard_of
from serinus.controller.leases.sightings import Sightings
from serinus.controller.tenure import Clock, Tenure, steady_clock
from serinus.istio import Operation

logger = logging.getLogger(__name__)


class Leases(Protocol):
    """Where the leases are. Everything raises WriteConflict and WriteFailed."""

    async def all(self) -> list[Lease]:
        """All leases, as they are now."""

    async def create(self, manifest: Object) -> Lease:
        """Create a lease; a conflict where it exists."""

    async def patch(self, name: str, operations: Sequence[Operation]) -> Lease:
        """Change a lease; a conflict where it is not as the operations test it."""


class Work(Protocol):
    """What is done under the leases."""

    def begin(self, shard: int) -> None:
        """The shard's objects are this replica's now."""

    def forget(self, shard: int) -> None:
        """They are not any more: what is remembered of them is no longer true."""

    def is_quiet(self, shard: int) -> bool:
        """Whether nothing is under way for any of them."""


@dataclass
class _Held:
    """A lease of ours; `leaving` once another is to have it."""

    tenure: Tenure
    leaving: bool = False


class Holder:
    """Keeps this replica's leases. Nothing may be written for a shard but under its tenure."""

    def __init__(self, leases: Leases, settings: LeaseSettings, work: Work, clock: Clock = steady_clock) -> None:
        self._leases = leases
        self._settings = settings
        self._work = work
        self._clock = clock
        self._sightings = Sightings(settings.identity, clock)
        self._held: dict[int, _Held] = {}
        self._told = ""
        self.is_known = False
        """Whether it has been seen who holds what."""

    def tenure_of(self, uid: str) -> Tenure | None:
        """Under which an object may be written; None where that is another replica's to do."""
        held = self._held.get(shard_of(uid, self._settings.shards))
        return held.tenure if held is not None and held.tenure.lasts else None

    @property
    def shards(self) -> list[int]:
        """The shards for which this replica may write now."""
        return sorted(shard for shard, held in self._held.items() if held.tenure.lasts)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            before = self._clock()
            try:
                self._tell(await self.turn())
            except WriteFailed as failure:
                self._tell(f"the leases could not be read or written: {failure}")
            await asyncio.sleep(max(0.0, before + self._settings.renew_every - self._clock()))

    async def turn(self) -> str:
        """Renew what is held; then look for what may be taken, unless all of it is held.

        Answers what keeps this replica from taking more, empty where nothing does. Raises WriteFailed.
        """
        renewed = await asyncio.gather(*(self._renew(shard) for shard in list(self._held)), return_exceptions=True)
        for failure in renewed:
            if isinstance(failure, BaseException):
                raise failure
        return await self._look_for_more() if len(self._held) < self._settings.shards else ""

    async def release(self) -> None:
        """Give every lease back, so that another replica need not wait until it runs out."""
        for shard, held in self._held.items():
            held.tenure.end()
            try:
                await self._leases.patch(lease_name(self._settings, shard), releasing(self._settings))
            except (WriteConflict, WriteFailed) as error:
                logger.warning("the lease of shard %d was not released, it runs out: %s", shard, error)
        self._held.clear()

    async def _renew(self, shard: int) -> None:
        held = self._held[shard]
        sent = self._clock()
        try:
            lease = await self._leases.patch(lease_name(self._settings, shard), renewing(self._settings, _now()))
        except WriteConflict:
            self._lose(shard)
            return
        if held.leaving or lease.wanted_by not in ("", self._settings.identity):
            await self._hand_over(shard, held, lease)
            return
        had_run_out = not held.tenure.lasts
        self._extend(held.tenure, sent)
        if had_run_out:
            self._work.begin(shard)

    async def _hand_over(self, shard: int, held: _Held, lease: Lease) -> None:
        """Let what is under way come to its end without another write, then give the lease away."""
        if not held.leaving:
            held.leaving = True
            held.tenure.end()
        if not self._work.is_quiet(shard):
            return  # the lease was renewed just now: there is time until the next turn
        try:
            await self._leases.patch(lease.name, handing_over(lease, self._settings, _now()))
            logger.info("shard %d was handed over to %s, which had fewer", shard, lease.wanted_by)
        except WriteConflict:
            logger.info("shard %d had gone to another already", shard)
        finally:
            self._lose(shard)

    async def _look_for_more(self) -> str:
        seen = await self._look()
        self.is_known = True
        if other := self._divided_otherwise(seen):
            return other
        for shard in range(self._settings.shards):
            if shard not in self._held:
                await self._try_to_take(shard, seen.get(lease_name(self._settings, shard)))
        taken = [lease for lease in seen.values() if not self._sightings.is_free(lease)]
        if wanted := to_ask_for([*taken, *self._ours(seen)], self._settings.identity):
            await self._ask_for(wanted)
        return ""

    async def _look(self) -> dict[str, Lease]:
        """All leases by their names, as they are now."""
        seen = {lease.name: lease for lease in await self._leases.all()}
        for lease in seen.values():
            self._sightings.look(lease)
        return seen

    def _ours(self, seen: dict[str, Lease]) -> list[Lease]:
        return [seen[name] for shard in self._held if (name := lease_name(self._settings, shard)) in seen]

    async def _try_to_take(self, shard: int, lease: Lease | None) -> None:
        name = lease_name(self._settings, shard)
        if not (self._sightings.may_create(name) if lease is None else self._sightings.is_free(lease)):
            return
        sent = self._clock()
        try:
            if lease is None:
                await self._leases.create(new_lease(self._settings, shard, _now()))
            else:
                await self._leases.patch(name, taking(lease, self._settings, _now()))
        except WriteConflict:
            return  # another was quicker
        # Only one that looks after it has written can be sure: of two that divide otherwise, one sees the other.
        if self._divided_otherwise(await self._look()):
            with contextlib.suppress(WriteConflict):
                await self._leases.patch(name, releasing(self._settings))
            return
        held = self._held[shard] = _Held(Tenure(self._clock))
        self._extend(held.tenure, sent)
        logger.info("this replica acts for shard %d of %d", shard, self._settings.shards)
        self._work.begin(shard)

    def _divided_otherwise(self, seen: dict[str, Lease]) -> str:
        """Which replica is at work that divides the objects into another number of shards; empty where none is."""
        for lease in seen.values():
            if lease.shards != self._settings.shards and not self._sightings.is_free(lease):
                return (
                    f"{lease.holder} divides the objects into {lease.shards} shards, this replica into "
                    f"{self._settings.shards}; it waits until that one has ended. Give all replicas the same --shards"
                )
        return ""

    async def _ask_for(self, lease: Lease) -> None:
        try:
            await self._leases.patch(lease.name, asking(lease, self._settings))
        except WriteConflict:
            return  # it has changed hands

    def _extend(self, tenure: Tenure, sent: float) -> None:
        """From the sending on: whoever else sees the renewal sees it later, and counts from then."""
        settings = self._settings
        tenure.renew(begins_until=sent + settings.writes_for, over_at=sent + settings.duration)

    def _lose(self, shard: int) -> None:
        self._held.pop(shard).tenure.end()
        self._work.forget(shard)
        logger.warning("this replica no longer acts for shard %d", shard)

    def _tell(self, what: str) -> None:
        """Once, and when it is over."""
        if what == self._told:
            return
        if what:
            logger.warning("%s", what)
        else:
            logger.info("the leases are as they should be again")
        self._told = what


def _now() -> datetime:
    return datetime.now(UTC)
