"""One kind of objects in one place is listed, then watched, and listed again when the thread is lost: for ever."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from serinus.controller.cache import Key, Object, key_of
from serinus.controller.watch.source import Expired, NoSuchKind, Source, Trouble

_PAUSES = (0.5, 1.0, 2.0, 3.0)  # seconds between tries while the API server is away ...
_LONGEST_PAUSE = 5.0  # ... and then, for good: however long it was away, it is found again soon after
_BRIEF = 5.0  # seconds: a stream without an event that lasted longer was a quiet one

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is done with what is seen. `known`: the objects that were seen, and not lost since."""

    see: Callable[[Object], None]
    lose: Callable[[Key], None]
    known: Callable[[], Collection[Key]]


class Reflector:
    """Run it in a task of its own. `name`: what is watched, for the log."""

    def __init__(self, name: str, source: Source, sight: Sight, *, may_be_missing: bool) -> None:
        self.name = name
        self._source = source
        self._sight = sight
        self._may_be_missing = may_be_missing
        self._complete = asyncio.Event()
        self.trouble = "not listed yet"
        """Why nothing is known of it, or nothing new; an empty string while all is well."""

    @property
    def is_complete(self) -> bool:
        """Whether all objects have been seen once; a kind that may be missing, and is, has none."""
        return self._complete.is_set()

    async def complete(self) -> None:
        """Return when it is."""
        await self._complete.wait()

    async def run(self) -> None:
        """Follow what happens until cancelled."""
        failures = 0
        while True:
            try:
                version = await self._list()
                failures = 0
                while True:
                    version = await self._follow(version)
            except Trouble as error:
                self._tell(error)
                if isinstance(error, NoSuchKind):
                    self._forget_but(set())
                    if self._may_be_missing:
                        self._complete.set()
            await asyncio.sleep(_pause(failures))
            failures += 1

    async def _list(self) -> str:
        """See all there are, lose what is gone; the version from which to follow."""
        there: set[Key] = set()
        version = ""
        async for page in self._source.pages():
            for each in page.items:
                there.add(key_of(each))
                self._sight.see(each)
            version = page.metadata.resource_version
        self._forget_but(there)
        self._complete.set()
        self._tell(None)
        return version

    async def _follow(self, version: str) -> str:
        """See what happens until the stream ends; the version from which to go on."""
        first, began = version, time.monotonic()
        async for event in self._source.events(version):
            if event.type == "DELETED":
                self._sight.lose(key_of(event.object))
            elif event.type != "BOOKMARK":
                self._sight.see(event.object)
            version = event.version
        if version == first and time.monotonic() - began < _BRIEF:
            raise Trouble("the stream ended without an event")  # so that a server that ends each at once has peace
        return version

    def _forget_but(self, there: Collection[Key]) -> None:
        for key in set(self._sight.known()) - set(there):
            self._sight.lose(key)

    def _tell(self, error: Trouble | None) -> None:
        """Log what is wrong when it begins and when it is over, not each time. Lists that expire are usual."""
        before, self.trouble = self.trouble, "" if error is None else str(error)
        if error is None or isinstance(error, Expired) or self.trouble == before:
            return
        logger.warning("%s cannot be watched: %s", self.name, self.trouble)


def _pause(failures: int) -> float:
    return _PAUSES[failures] if failures < len(_PAUSES) else _LONGEST_PAUSE
