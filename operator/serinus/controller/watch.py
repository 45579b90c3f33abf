"""kopf's part: log in, list and watch, and tell the cache and the scheduler what was seen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import kopf

from serinus.api.crds import GROUP, VERSION
from serinus.controller.cache import Cache, Key, Kind, Object, key_of
from serinus.controller.endpoints import slim_pod
from serinus.controller.gather import affected_by
from serinus.controller.kube import ISTIO
from serinus.controller.no_diffs import NoDiffs
from serinus.controller.scheduler import Scheduler
from serinus.controller.workloads import slim_workload

_WATCHED: dict[Kind, tuple[str, str]] = {
    "canarydeployments": (GROUP, VERSION),
    "canarypolicies": (GROUP, VERSION),
    "canaryoverrides": (GROUP, VERSION),
    "virtualservices": ISTIO,
    "destinationrules": ISTIO,
    "serviceentries": ISTIO,
    "workloadentries": ISTIO,
    "services": ("", "v1"),
    "pods": ("", "v1"),
    "deployments": ("apps", "v1"),
    "statefulsets": ("apps", "v1"),
}
_SLIM: Mapping[Kind, Callable[[Object], Object]] = {
    "pods": slim_pod,
    "deployments": slim_workload,
    "statefulsets": slim_workload,
}
"""Of what there is a lot of, only what reconciles read is kept."""
_LOOKED_UP: frozenset[Kind] = frozenset({"serviceentries", "workloadentries", "services", "pods"})
"""Kinds whose changes wake nobody: they are many, and each tick looks at them anyway."""

# A watch that has silently died is the commonest complaint about long-running operators: the server ends each stream
# after this long, and one without so much as a bookmark for a little more than a minute is opened anew.
_STREAM = 240  # whole seconds: the API server takes no others
_SILENCE = 75.0

_CONNECT, _ANSWER = 5.0, 30.0  # seconds for a connection, and for a list; kopf would wait 5 min for one that is lost
_PAUSES = (1.0, 2.0, 3.0)  # seconds between tries while the API server is away ...
_LONGEST_PAUSE = 5.0  # ... and then, for good: kopf waits longer and longer, and after a minute it gives up


class _Pauses:
    """Pauses without end, each time from the first: however long the API server was away, it is found soon after."""

    def __iter__(self) -> Iterator[float]:
        return chain(_PAUSES, repeat(_LONGEST_PAUSE))


def watch_registry(cache: Cache, scheduler: Scheduler, hear: Callable[[Key], None]) -> kopf.OperatorRegistry:
    """kopf's handlers: only events, nothing that kopf would keep in annotations of the objects.

    `hear` is told whose overrides have changed: a person may have ordered what waits for nothing.

    Indexing functions run for the first list of every kind before any event is handled, so no object is reconciled
    before all that it refers to is in the cache.
    """
    registry = kopf.OperatorRegistry()
    kopf.on.login(id="service-account", registry=registry)(kopf.login_with_service_account)
    kopf.on.login(id="kubeconfig", registry=registry)(kopf.login_with_kubeconfig)
    for kind, (group, version) in _WATCHED.items():
        _watch(registry, kind, group, version, cache, scheduler, hear)
    return registry


def _watch(
    registry: kopf.OperatorRegistry,
    kind: Kind,
    group: str,
    version: str,
    cache: Cache,
    scheduler: Scheduler,
    hear: Callable[[Key], None],
) -> None:
    news: set[Key] = set()

    @kopf.index(group, version, kind, id=f"cache-{kind}", registry=registry)
    def _remember(body: kopf.Body, **_: Any) -> None:
        seen = _SLIM.get(kind, dict)(dict(body))
        if cache.put(kind, seen):
            news.add(key_of(seen))

    @kopf.on.event(group, version, kind, id=f"wake-{kind}", registry=registry)
    async def _wake(type: str | None, body: kopf.Body, **_: Any) -> None:
        key: Key = (body["metadata"]["namespace"], body["metadata"]["name"])
        if kind == "canarydeployments" and key not in news and type != "DELETED":
            return  # our own write, of which the watch tells after its answer did
        news.discard(key)
        affected = _affected(kind, key, cache)
        if type == "DELETED":
            cache.drop(kind, key)
        for owner in affected:
            if kind == "canaryoverrides":
                hear(owner)
                scheduler.hurry(owner)
            else:
                scheduler.wake(owner)


def _affected(kind: Kind, key: Key, cache: Cache) -> list[Key]:
    if kind in _LOOKED_UP:
        return []
    return [key] if kind == "canarydeployments" else affected_by(kind, key, cache)


def watch_settings(namespaces: Sequence[str]) -> kopf.OperatorSettings:
    """kopf's settings: no peering, no Events of its own, streams that cannot die unnoticed."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = NoDiffs()
    # CRDs that are removed and created again are watched again, where the operator may look at a cluster's CRDs.
    settings.scanning.disabled = bool(namespaces)
    settings.networking.connect_timeout = _CONNECT
    settings.networking.request_timeout = _ANSWER
    settings.networking.error_backoffs = _Pauses()
    settings.watching.server_timeout = _STREAM
    settings.watching.client_timeout = _STREAM + _SILENCE
    settings.watching.inactivity_timeout = _SILENCE
    return settings
