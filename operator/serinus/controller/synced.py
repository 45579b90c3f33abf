"""Whether the caches hold all that there is.

kopf lists every kind before it tells of the first object, so the first that it tells of says that all are there. Where
there is no CanaryDeployment nothing is told; then there is nothing to act on either.
"""

import asyncio
import logging

from serinus.controller.kube import Kube
from serinus.controller.kube_errors import NotThere, WriteConflict, WriteFailed

_LOOK_EVERY = 2.0  # seconds between looks at whether there is anything to be told of

logger = logging.getLogger(__name__)


class Synced:
    """Becomes true, once."""

    def __init__(self, kube: Kube, namespaces: tuple[str, ...]) -> None:
        self._kube = kube
        self._namespaces = namespaces
        self._told = asyncio.Event()
        self.is_true = False

    def told_of_an_object(self) -> None:
        """kopf has."""
        self._told.set()

    async def wait(self) -> None:
        """Return when it is true. Without Serinus' CRDs it is not: the log says so, once."""
        lacks = ""
        while not self._told.is_set():
            try:
                if not await self._kube.has_canaries(self._namespaces):
                    break
            except (WriteFailed, WriteConflict) as error:
                missing = isinstance(error, NotThere)
                now = "the cluster has no CanaryDeployments: apply crds/" if missing else str(error)
                if now != lacks:
                    logger.warning("%s", now)
                lacks = now
            try:
                await asyncio.wait_for(self._told.wait(), _LOOK_EVERY)
            except TimeoutError:
                continue
        self.is_true = True
