"""Records of several replicas, and of a namespace that ends, on their way to the store: none is lost (I4)."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lab.stack import Lab
from lab.waiting import wait_until
from serinus.controller.cache import Cache
from serinus.controller.kube import Kube
from serinus.controller.shipping import Shipping
from serinus.log import Query, Reader
from serinus.log.store import Store
from serinus.rollout import Record
from tests.rollout.records import Book

pytestmark = pytest.mark.api_server

MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
---
apiVersion: serinus.io/v1alpha1
kind: CanaryDeployment
metadata: {name: predictor, namespace: NAMESPACE}
spec:
  stable: {subset: stable, labels: {version: v1}}
  canary: {subset: canary, labels: {version: v2}}
  traffic: {host: predictor, virtualServices: [{name: predictor}], destinationRule: predictor}
"""
_namespaces = count(1)


class Stage:
    """A CanaryDeployment in a namespace of its own, two of its records, and a store."""

    def __init__(self, lab: Lab, kube: Kube, directory: Path) -> None:
        self.lab, self.kube = lab, kube
        self.namespace = f"shipped-{next(_namespaces)}"
        lab.apply(MANIFEST.replace("NAMESPACE", self.namespace))
        found = lab.kubectl("get", "cdep", "predictor", f"--namespace={self.namespace}", "--output=json")
        self.owner: Any = json.loads(found)
        self.address = f"sqlite:///{directory / 'log.db'}"
        with Store(self.address) as store:
            store.create()
        book = Book("predictor", start=datetime(2026, 11, 21, 12, tzinfo=UTC))
        book.take("start", weight=10)
        book.take("promote", weight=100)
        self.records = [record.model_copy(update={"namespace": self.namespace}) for record in book.records]

    def shipping(self) -> Shipping:
        """Of a replica that knows the object, whose status names no record yet."""
        cache = Cache()
        cache.put("canarydeployments", self.owner)
        return Shipping(Store(self.address), self.kube, cache, (self.namespace,))

    async def kept(self) -> int:
        """How many records wait in the cluster."""
        return len(await self.kube.list_records([self.namespace]))

    async def await_stored(self, *records: Record) -> None:
        """Return when the store has these and no others."""

        def is_so() -> bool:
            return [entry.id for entry in Reader(self.address).all(Query())] == [record.id for record in records]

        await asyncio.to_thread(wait_until, is_so, "the records in the store")


@pytest.fixture
async def stage(api_server: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Stage]:
    monkeypatch.setenv("KUBECONFIG", os.fspath(api_server.kubeconfig))
    kube = await Kube.connect()
    yield Stage(api_server, kube, tmp_path)
    await kube.close()


async def run(shipping: Shipping) -> "asyncio.Task[None]":
    return asyncio.create_task(shipping.run())


async def stop(running: "asyncio.Task[None]") -> None:
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_what_another_replica_acts_for_is_left_to_it_I4(stage: Stage) -> None:
    its, other = stage.records
    await stage.shipping().keep(stage.owner, other)
    shipping = stage.shipping()
    shipping.adopt(lambda _: False)
    await shipping.keep(stage.owner, its)
    shipping.ship(its)
    running = await run(shipping)
    await stage.await_stored(its)
    await asyncio.to_thread(wait_until, lambda: len(names(stage)) == 1, "its own to be gone")
    assert names(stage) == [other.id.replace("/", "-")]
    await stop(running)


async def test_a_record_whose_status_is_about_to_be_written_is_not_taken_for_one_that_never_was_I4(
    stage: Stage,
) -> None:
    about_to_be, after = stage.records
    shipping = stage.shipping()
    await shipping.keep(stage.owner, about_to_be)
    shipping.adopt(lambda _: True)
    shipping.ship(after)  # delivered when what is left behind has been looked at
    running = await run(shipping)
    await stage.await_stored(after)
    assert await stage.kept() == 1
    await stop(running)


async def test_where_the_namespace_ends_a_record_goes_to_the_store_alone(stage: Stage) -> None:
    stage.lab.kubectl("delete", "namespace", stage.namespace, "--wait=false")
    record, _ = stage.records
    shipping = stage.shipping()
    await shipping.keep(stage.owner, record)
    assert await stage.kept() == 0
    shipping.ship(record)
    running = await run(shipping)
    await stage.await_stored(record)
    await stop(running)


def names(stage: Stage) -> list[str]:
    listed = stage.lab.kubectl("get", "canaryrecords", f"--namespace={stage.namespace}", "--output=json")
    return [each["metadata"]["name"] for each in json.loads(listed)["items"]]
