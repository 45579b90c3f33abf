"""The operator's process: the watch feeds the cache, the scheduler calls the reconcile."""

import asyncio
import logging

import kopf

from serinus.controller.cache import Cache, Key
from serinus.controller.kube import Kube
from serinus.controller.reconcile import Reconciler
from serinus.controller.scheduler import Scheduler
from serinus.controller.settings import Settings
from serinus.controller.shipping import Shipping
from serinus.controller.watch import watch_registry, watch_settings
from serinus.log.store import Store

logger = logging.getLogger(__name__)


async def operate(settings: Settings) -> None:
    """Run until a signal or an error ends it."""
    cache = Cache()
    kube = await Kube.connect()
    shipping = None if settings.store is None else Shipping(Store(settings.store), kube, cache, settings.namespaces)

    def wake(key: Key) -> None:
        scheduler.wake(key)

    reconciler = Reconciler(settings, cache, kube, wake, shipping)
    scheduler = Scheduler(reconciler.reconcile)
    ready = asyncio.Event()
    work = [
        asyncio.create_task(scheduler.run(), name="scheduler"),
        asyncio.create_task(
            kopf.operator(
                registry=watch_registry(cache, scheduler),
                settings=watch_settings(),
                standalone=True,
                clusterwide=not settings.namespaces,
                namespaces=settings.namespaces,
                liveness_endpoint=settings.liveness,
                ready_flag=ready,
            ),
            name="watch",
        ),
        asyncio.create_task(_announce(ready, settings), name="announce"),
        *([asyncio.create_task(_ship(ready, shipping), name="shipping")] if shipping else []),
    ]
    try:
        # The watch ends by a signal, the scheduler only by an error: either ends the process.
        await asyncio.wait(work[:2], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in work:
            task.cancel()
        results = await asyncio.gather(*work, return_exceptions=True)
        await reconciler.close()
        await kube.close()
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _ship(ready: asyncio.Event, shipping: Shipping) -> None:
    await ready.wait()  # what was left behind is told from what was never decided by the statuses in the cache
    await shipping.run()


async def _announce(ready: asyncio.Event, settings: Settings) -> None:
    await ready.wait()
    where = ", ".join(settings.namespaces) or "all namespaces"
    logger.info("watching CanaryDeployments in %s; evidence from %s", where, settings.prometheus)
