"""Records on their way to the store, on the real API server: none is lost, none is invented, all come in order."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect

from lab.stack import Lab
from lab.waiting import wait_until
from serinus.controller.cache import Cache
from serinus.controller.kube import Kube
from serinus.controller.shipping import Shipping
from serinus.log import Query, Reader, verify
from serinus.log.store import Store
from serinus.rollout import Record
from tests.rollout.records import Book

pytestmark = pytest.mark.api_server

NAMESPACE = "ml"
MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: ml}
---
apiVersion: serinus.io/v1alpha1
kind: CanaryDeployment
metadata: {name: recommender, namespace: ml}
spec:
  stable: {subset: stable, labels: {version: v1}}
  canary: {subset: canary, labels: {version: v2}}
  traffic: {host: recommender, virtualServices: [{name: recommender}], destinationRule: recommender}
"""


@pytest.fixture
async def kube(kube: Kube) -> AsyncIterator[Kube]:
    yield kube
    for left in await kube.list_records([NAMESPACE]):
        await kube.delete_record(NAMESPACE, left["metadata"]["name"])


STRANGER = """
apiVersion: serinus.io/v1alpha1
kind: CanaryRecord
metadata: {name: stranger, namespace: ml}
spec: {packed: bm90IGEgcmVjb3Jk}
"""


@pytest.fixture
def owner(api_server: Lab) -> Any:
    return manifest_of(api_server)


def manifest_of(api_server: Lab) -> Any:
    """The CanaryDeployment as it is in the cluster, where it is made if it is not there."""
    api_server.apply(MANIFEST)
    found = api_server.kubectl("get", "canarydeployment", "recommender", f"--namespace={NAMESPACE}", "--output=json")
    return json.loads(found)


@pytest.fixture
def records() -> list[Record]:
    book = Book("recommender", start=datetime(2026, 11, 21, 12, tzinfo=UTC))
    book.take("start", weight=10)
    book.observe(3, canary_errors=0.01)
    book.take("promote", weight=100)
    book.take("promoted")
    return book.records


class Ships:
    """A shipping room at work; `named`: the records that the owner's status names. `stop` is a kill."""

    def __init__(self, kube: Kube, owner: Any | None, store: Path, named: list[Record]) -> None:
        cache = Cache()
        history = [{"hash": record.digest()} for record in named]
        if owner is not None:
            cache.put("canarydeployments", {**owner, "status": {"history": history}})
        self.shipping = Shipping(Store(f"sqlite:///{store}"), kube, cache, (NAMESPACE,))
        self.shipping.adopt(lambda _: True)
        self.task = asyncio.create_task(self.shipping.run())

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(condition: Callable[[], Any], what: str) -> None:
    """Return when the condition holds; the loop goes on meanwhile."""
    await asyncio.to_thread(wait_until, condition, what)


def kept(lab: Lab) -> list[Any]:
    found = lab.kubectl("get", "canaryrecords", f"--namespace={NAMESPACE}", "--output=json")
    return list(json.loads(found)["items"])


def stored(path: Path) -> list[str]:
    if not path.exists() or not inspect(create_engine(f"sqlite:///{path}")).get_table_names():
        return []  # it is being made
    log = Reader(f"sqlite:///{path}")
    assert list(verify(log.all(Query()))) == []
    return [entry.id for entry in log.all(Query())]


async def test_records_wait_while_the_store_is_away_and_come_in_order(
    api_server: Lab, kube: Kube, owner: Any, records: list[Record], tmp_path: Path
) -> None:
    store = tmp_path / "away" / "log.db"
    ships = Ships(kube, owner, store, records)
    for record in records:
        await ships.shipping.keep(owner, record)
        await ships.shipping.keep(owner, record)  # a turn that is repeated keeps it once
        ships.shipping.ship(record)
    assert len(await kube.list_records([NAMESPACE])) == len(records)
    store.parent.mkdir()
    await until(lambda: stored(store) == [record.id for record in records], "the records in the store")
    await until(lambda: not kept(api_server), "nothing to be left in the cluster")
    await ships.stop()


async def test_what_an_operator_left_behind_is_delivered_by_the_next_I4(
    api_server: Lab, kube: Kube, owner: Any, records: list[Record], tmp_path: Path
) -> None:
    """Killed after the status was written, and once between a record and its status: that decision was never taken."""
    store = tmp_path / "log.db"
    killed = Ships(kube, owner, tmp_path / "nowhere" / "log.db", [])
    for record in reversed(records):
        await killed.shipping.keep(owner, record)
    await killed.stop()
    taken, never_taken = records[:2], records[2]
    ships = Ships(kube, owner, store, taken)
    await until(lambda: stored(store) == [record.id for record in taken], "the records in the store")
    await until(lambda: not kept(api_server), "nothing to be left in the cluster")
    assert never_taken.id not in stored(store)
    await ships.stop()


async def left_behind(kube: Kube, owner: Any, records: list[Record], away: Path) -> None:
    """An operator takes decisions while its store is away, and is killed."""
    killed = Ships(kube, owner, away / "log.db", [])
    for record in records:
        await killed.shipping.keep(owner, record)
        killed.shipping.ship(record)
    await killed.stop()


async def test_what_waits_longer_than_a_status_remembers_is_delivered_too_I8(
    api_server: Lab, kube: Kube, owner: Any, records: list[Record], tmp_path: Path
) -> None:
    """A status keeps the last few records only; those before are known by the hash that the next one names."""
    store = tmp_path / "log.db"
    await left_behind(kube, owner, records, tmp_path / "nowhere")
    ships = Ships(kube, owner, store, records[-1:])
    await until(lambda: stored(store) == [record.id for record in records], "the records in the store")
    await until(lambda: not kept(api_server), "nothing to be left in the cluster")
    await ships.stop()


@pytest.mark.parametrize("made_anew", [False, True])
async def test_records_outlive_their_object_while_the_store_is_away_I8(
    api_server: Lab, kube: Kube, owner: Any, records: list[Record], tmp_path: Path, made_anew: bool
) -> None:
    store = tmp_path / "log.db"
    await left_behind(kube, owner, records, tmp_path / "nowhere")
    assert [each["metadata"].get("ownerReferences") for each in kept(api_server)] == [None] * len(records)
    api_server.kubectl("delete", "canarydeployment", "recommender", f"--namespace={NAMESPACE}")
    ships = Ships(kube, manifest_of(api_server) if made_anew else None, store, [])
    await until(lambda: stored(store) == [record.id for record in records], "the records in the store")
    await until(lambda: not kept(api_server), "nothing to be left in the cluster")
    await ships.stop()


async def test_a_record_that_somebody_else_wrote_stops_no_other_I9(
    api_server: Lab, kube: Kube, owner: Any, records: list[Record], tmp_path: Path
) -> None:
    store = tmp_path / "log.db"
    await left_behind(kube, owner, records, tmp_path / "nowhere")
    api_server.apply(STRANGER)
    ships = Ships(kube, owner, store, records)
    await until(lambda: stored(store) == [record.id for record in records], "the records in the store")
    await until(lambda: [each["metadata"]["name"] for each in kept(api_server)] == ["stranger"], "the rest to go")
    await ships.stop()


async def test_a_store_that_fails_in_the_middle_gets_the_rest_later(
    api_server: Lab, kube: Kube, owner: Any, records: list[Record], tmp_path: Path
) -> None:
    store, hidden = tmp_path / "log.db", tmp_path / "hidden.db"
    ships = Ships(kube, owner, store, records)
    await ships.shipping.keep(owner, records[0])
    ships.shipping.ship(records[0])
    await until(lambda: stored(store) == [records[0].id], "the records in the store")
    shutil.move(store, hidden)
    store.mkdir()  # where a file was: nothing can be opened
    for record in records[1:]:
        await ships.shipping.keep(owner, record)
        ships.shipping.ship(record)
    store.rmdir()
    shutil.move(hidden, store)
    await until(lambda: stored(store) == [record.id for record in records], "the records in the store")
    await ships.stop()
