"""All reflectors together: what they see goes into the cache, and whom it concerns is woken."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from kubernetes.aio import client

from serinus.controller.cache import Cache, Key, Kind, Object, key_of
from serinus.controller.gather import affected_by
from serinus.controller.scheduler import Scheduler
from serinus.controller.watch.kinds import LOOKED_UP, NEEDED, kept, places
from serinus.controller.watch.reflector import Reflector, Sight
from serinus.controller.watch.source import Source

logger = logging.getLogger(__name__)


class Watch:
    """`namespaces`: which are watched; all where there are none. `hear` is told whose overrides have changed: a person
    may have ordered what waits for nothing.
    """

    def __init__(
        self,
        api: client.ApiClient,
        namespaces: Sequence[str],
        cache: Cache,
        scheduler: Scheduler,
        hear: Callable[[Key], None],
    ) -> None:
        self._cache = cache
        self._scheduler = scheduler
        self._hear = hear
        self._reflectors = [
            Reflector(
                f"{kind} in {namespace}" if namespace else kind,
                Source(api, path),
                self._sight(kind, namespace),
                may_be_missing=kind != NEEDED,
            )
            for kind, namespace, path in places(namespaces)
        ]

    async def run(self) -> None:
        """Follow everything until cancelled."""
        async with asyncio.TaskGroup() as group:
            for each in self._reflectors:
                group.create_task(each.run(), name=f"watch of {each.name}")

    async def complete(self) -> None:
        """Return when the cache has all there is: before, an object may name what has only not been seen yet."""
        for each in self._reflectors:
            await each.complete()

    @property
    def missing(self) -> str | None:
        """What the cache does not have yet, and why; None when it is complete."""
        found = next((each for each in self._reflectors if not each.is_complete), None)
        return None if found is None else f"{found.name}: {found.trouble}"

    def _sight(self, kind: Kind, namespace: str) -> Sight:
        return Sight(
            see=partial(self._see, kind), lose=partial(self._lose, kind), known=partial(self._known, kind, namespace)
        )

    def _see(self, kind: Kind, seen: Object) -> None:
        try:
            # What is known already is our own write, of which the watch tells after its answer did, or listed again.
            if self._cache.put(kind, kept(kind, seen)):
                self._wake(kind, self._affected(kind, key_of(seen)))
        except Exception:  # an object that nobody foresaw keeps no other from being seen
            logger.exception("%s %s/%s cannot be read", kind, *key_of(seen))

    def _lose(self, kind: Kind, key: Key) -> None:
        affected = self._affected(kind, key)
        self._cache.drop(kind, key)
        self._wake(kind, affected)

    def _known(self, kind: Kind, namespace: str) -> list[Key]:
        return [key for key in self._cache.keys(kind) if not namespace or key[0] == namespace]

    def _affected(self, kind: Kind, key: Key) -> list[Key]:
        if kind in LOOKED_UP:
            return []
        return [key] if kind == "canarydeployments" else affected_by(kind, key, self._cache)

    def _wake(self, kind: Kind, affected: Sequence[Key]) -> None:
        for owner in affected:
            if kind == "canaryoverrides":
                self._hear(owner)
                self._scheduler.hurry(owner)
            else:
                self._scheduler.wake(owner)
