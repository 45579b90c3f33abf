"""Whose turn it is: an object is reconciled by the replica that holds its shard, and by no other."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from serinus.controller.cache import Cache, Key
from serinus.controller.leases import shard_of
from serinus.controller.orders import targets
from serinus.controller.reconciles import Reconciles
from serinus.controller.tenure import Tenure, under

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _CatchingUp:
    """The objects of a shard that have not been brought up to date since this replica acts for it."""

    left: set[Key]
    count: int
    since: float
    """Monotonic seconds."""


class Duty:
    """Stands before the reconcile. `begun` is called with each shard that this replica begins to act for."""

    def __init__(
        self,
        reconciler: Reconciles,
        cache: Cache,
        shards: int,
        *,
        tenure_of: Callable[[str], Tenure | None],
        wake: Callable[[Key], None],
        begun: Callable[[int], None],
    ) -> None:
        self._reconciler = reconciler
        self._cache = cache
        self._shards = shards
        self._tenure_of = tenure_of
        self._wake = wake
        self._begun = begun
        self._under_way: Counter[int] = Counter()
        self._catching_up: dict[int, _CatchingUp] = {}

    async def reconcile(self, key: Key) -> float | None:
        """Bring the object a step further if it is this replica's; the Unix time at which to call again."""
        owner = self._cache.get("canarydeployments", key)
        if owner is None:
            self._reconciler.forget(key)
        uid = owner["metadata"]["uid"] if owner else "/".join(key)  # overrides of what is not there are somebody's too
        tenure = self._tenure_of(uid)
        if tenure is None:
            return None  # when it becomes ours, `begin` wakes it
        shard = shard_of(uid, self._shards)
        self._under_way[shard] += 1
        try:
            with under(tenure):
                due = await self._reconciler.reconcile(key)
        finally:
            self._under_way[shard] -= 1
        if not self._reconciler.is_behind(key):
            self._note(shard, key)
        return due

    def begin(self, shard: int) -> None:
        """Act for a shard from now on: each of its objects is looked at."""
        own = set(self._keys(shard))
        if own:
            self._catching_up[shard] = _CatchingUp(own, len(own), time.monotonic())
        for key in own | targets(self._cache):
            self._wake(key)
        self._begun(shard)

    def forget(self, shard: int) -> None:
        """Another replica acts for the shard: what is remembered of its objects is not the newest any more."""
        for key in self._keys(shard):
            self._reconciler.forget(key)

    def is_quiet(self, shard: int) -> bool:
        """Whether no reconcile of the shard is under way."""
        return not self._under_way[shard]

    def _note(self, shard: int, key: Key) -> None:
        """An object is up to date; say so of the shard when it is the last one."""
        catching_up = self._catching_up.get(shard)
        if catching_up is None:
            return
        catching_up.left.discard(key)
        if not catching_up.left:
            del self._catching_up[shard]
            took = time.monotonic() - catching_up.since
            logger.info("shard %d: %d CanaryDeployments are up to date after %.1f s", shard, catching_up.count, took)

    def _keys(self, shard: int) -> list[Key]:
        return [key for key in self._cache.keys("canarydeployments") if self._is_of(key, shard)]

    def _is_of(self, key: Key, shard: int) -> bool:
        owner = self._cache.get("canarydeployments", key)
        return owner is not None and shard_of(owner["metadata"]["uid"], self._shards) == shard
