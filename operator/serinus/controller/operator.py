"""The operator's process: the watch feeds the cache, the scheduler calls the reconcile, the leases say for what."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from serinus.controller.beginning import Looks
from serinus.controller.cache import Cache, Key, Object
from serinus.controller.duty import Duty
from serinus.controller.figures import SHARDS, SHARDS_OF
from serinus.controller.front import Front
from serinus.controller.garbage import collect_seldom
from serinus.controller.kube import Kube
from serinus.controller.leases import Alone, Holder, LeaseStore, shard_of
from serinus.controller.pulse import Pulse
from serinus.controller.reconcile import Reconciler
from serinus.controller.record_file import to_all, to_file, to_standard_output
from serinus.controller.scheduler import Scheduler
from serinus.controller.settings import Settings
from serinus.controller.tenure import Tenure
from serinus.controller.watch import Watch

if TYPE_CHECKING:
    from serinus.controller.shipping import Shipping

_WATCH_LAG = 2.0  # seconds; by then the cache has what the replica before this one wrote last
_RELEASE = 5.0  # seconds in which the leases are given back; what is left then runs out

logger = logging.getLogger(__name__)


async def operate(settings: Settings, looks: Looks) -> None:
    """Run until a signal or an error ends it; `looks` are taken when a rollout begins.

    Raises OSError where the file of records cannot be opened, NoCluster, and StoreError for an address that is none.
    """
    collect_seldom()
    log = to_all([to_standard_output, *([to_file(settings.records)] if settings.records else [])])
    cache = Cache()
    kube = await Kube.connect()
    shipping = _shipping(settings, kube, cache)
    shards = settings.lease.shards if settings.lease else 1

    def wake(key: Key) -> None:
        scheduler.wake(key)

    def tenure_of(uid: str) -> Tenure | None:
        return holder.tenure_of(uid)

    def is_of(shard: int, uid: str) -> bool:
        return shard_of(uid, shards) == shard

    def begun(shard: int) -> None:
        if shipping is not None:
            asyncio.get_running_loop().call_later(_WATCH_LAG, shipping.adopt, partial(is_of, shard))

    reconciler = Reconciler(settings, cache, kube, wake, shipping, log, looks)
    pulse = Pulse(reconciler)
    duty = Duty(pulse, cache, shards, tenure_of=tenure_of, wake=wake, begun=begun)
    holder = Holder(LeaseStore(kube, settings.lease), settings.lease, duty) if settings.lease else Alone(duty)
    scheduler = Scheduler(duty.reconcile)
    watch = Watch(kube.api, settings.namespaces, cache, scheduler, reconciler.hear)

    def missing() -> str | None:
        if lacking := watch.missing:
            return f"the caches are not complete yet: {lacking}"
        return None if holder.is_known else "it is not known yet who holds the leases"

    def ours() -> list[Object]:
        known = (cache.get("canarydeployments", key) for key in cache.keys("canarydeployments"))
        return [each for each in known if each is not None and holder.tenure_of(each["metadata"]["uid"]) is not None]

    async def reconcile() -> None:
        await watch.complete()
        await scheduler.run()

    async def lead() -> None:
        await watch.complete()
        _announce(settings)
        await holder.run()

    SHARDS.set_function(lambda: len(holder.shards))
    SHARDS_OF.set(shards)
    front = Front(lambda: pulse.trouble, missing, ours, reconciler.judged_until)
    work = [
        _task(watch.run(), "watch"),
        _task(reconcile(), "scheduler"),
        _task(lead(), "leases"),
        *([_task(front.serve(settings.listen), "front")] if settings.listen else []),
        *([_task(shipping.run(), "shipping")] if shipping else []),
    ]
    try:
        results = await _until_over(work, holder)
    finally:
        await reconciler.close()
        await kube.close()
    for result in results:
        if isinstance(result, Exception):
            raise result


def _shipping(settings: Settings, kube: Kube, cache: Cache) -> "Shipping | None":
    """What brings records to the store; SQLAlchemy takes 12 MB, and is imported where there is one."""
    if settings.store is None:
        return None
    from serinus.controller.shipping import Shipping  # noqa: PLC0415
    from serinus.log.store import Store  # noqa: PLC0415

    return Shipping(Store(settings.store), kube, cache, settings.namespaces)


async def _until_over(work: list[asyncio.Task[None]], holder: Holder | Alone) -> list[BaseException | None]:
    """Wait for a signal or an error, then end everything, in an order that leaves nothing half done; the errors."""
    signals = _task(_await_signal(), "signals")
    try:
        # Only a signal or an error ends any of them, and without one of them the others are of no use.
        await asyncio.wait([signals, *work], return_when=asyncio.FIRST_COMPLETED)
    finally:
        results = await _end([signals, *work])
        # Nothing is under way any more: another replica may act at once.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RELEASE):
                await holder.release()
    return results


def _task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    return asyncio.create_task(work, name=name)


async def _end(tasks: list[asyncio.Task[None]]) -> list[BaseException | None]:
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


async def _await_signal() -> None:
    """Return when the process is told to end."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


def _announce(settings: Settings) -> None:
    where = ", ".join(settings.namespaces) or "all namespaces"
    logger.info("watching CanaryDeployments in %s; evidence from %s", where, settings.prometheus)
