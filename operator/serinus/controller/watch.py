"""kopf's part: log in, list and watch, and tell the cache and the scheduler what was seen."""

from typing import Any

import kopf

from serinus.api.crds import GROUP, VERSION
from serinus.controller.cache import Cache, Key, Kind
from serinus.controller.endpoints import slim_pod
from serinus.controller.gather import affected_by
from serinus.controller.kube import ISTIO
from serinus.controller.scheduler import Scheduler

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
}
_LOOKED_UP: frozenset[Kind] = frozenset({"serviceentries", "workloadentries", "services", "pods"})
"""Kinds whose changes wake nobody: they are many, and each tick looks at them anyway."""

# A watch that has silently died is the commonest complaint about long-running operators: the server ends each stream
# after this long, and one without so much as a bookmark for a little more than a minute is opened anew.
_STREAM = 240  # whole seconds: the API server takes no others
_SILENCE = 75.0


def watch_registry(cache: Cache, scheduler: Scheduler) -> kopf.OperatorRegistry:
    """kopf's handlers: only events, nothing that kopf would keep in annotations of the objects.

    Indexing functions run for the first list of every kind before any event is handled, so no object is reconciled
    before all that it refers to is in the cache.
    """
    registry = kopf.OperatorRegistry()
    kopf.on.login(id="service-account", registry=registry)(kopf.login_with_service_account)
    kopf.on.login(id="kubeconfig", registry=registry)(kopf.login_with_kubeconfig)
    for kind, (group, version) in _WATCHED.items():
        _watch(registry, kind, group, version, cache, scheduler)
    return registry


def _watch(
    registry: kopf.OperatorRegistry, kind: Kind, group: str, version: str, cache: Cache, scheduler: Scheduler
) -> None:
    @kopf.index(group, version, kind, id=f"cache-{kind}", registry=registry)
    def _remember(body: kopf.Body, **_: Any) -> None:
        cache.put(kind, slim_pod(dict(body)) if kind == "pods" else dict(body))

    @kopf.on.event(group, version, kind, id=f"wake-{kind}", registry=registry)
    async def _wake(type: str | None, body: kopf.Body, **_: Any) -> None:
        key: Key = (body["metadata"]["namespace"], body["metadata"]["name"])
        affected = _affected(kind, key, cache)
        if type == "DELETED":
            cache.drop(kind, key)
        for owner in affected:
            scheduler.wake(owner)


def _affected(kind: Kind, key: Key, cache: Cache) -> list[Key]:
    if kind in _LOOKED_UP:
        return []
    return [key] if kind == "canarydeployments" else affected_by(kind, key, cache)


def watch_settings() -> kopf.OperatorSettings:
    """kopf's settings: no peering, no Events of its own, streams that cannot die unnoticed."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = _STREAM
    settings.watching.client_timeout = _STREAM + _SILENCE
    settings.watching.inactivity_timeout = _SILENCE
    return settings
