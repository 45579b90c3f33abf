"""Whose turn it is: an object is reconciled where its shard is held, and nowhere else (I4)."""

import asyncio

import pytest

from serinus.controller.cache import Cache, Key
from serinus.controller.duty import Duty
from serinus.controller.leases import shard_of
from serinus.controller.tenure import NotOurs, Tenure, seconds_to_write

UIDS = ("7c0b1c2e-0001", "7c0b1c2e-0002", "7c0b1c2e-0003", "7c0b1c2e-0004")


class Reconciler:
    """Writes down what is asked of it."""

    def __init__(self) -> None:
        self.reconciled: list[Key] = []
        self.forgotten: list[Key] = []
        self.behind: set[Key] = set()
        self.goes_on = asyncio.Event()

    async def reconcile(self, key: Key) -> float | None:
        self.reconciled.append(key)
        await self.goes_on.wait()
        seconds_to_write()
        return 1.0

    def forget(self, key: Key) -> None:
        self.forgotten.append(key)

    def is_behind(self, key: Key) -> bool:
        return key in self.behind


class Stage:
    """Four objects in two shards, and the tenures of a replica."""

    def __init__(self) -> None:
        self.reconciler = Reconciler()
        self.tenures: dict[int, Tenure] = {}
        self.woken: list[Key] = []
        self.begun: list[int] = []
        cache = Cache()
        for uid in UIDS:
            metadata = {"namespace": "ml", "name": uid, "uid": uid, "resourceVersion": "1"}
            cache.put("canarydeployments", {"metadata": metadata})
        self.duty = Duty(
            self.reconciler,
            cache,
            2,
            tenure_of=lambda uid: self.tenures.get(shard_of(uid, 2)),
            wake=self.woken.append,
            begun=self.begun.append,
        )

    def of(self, shard: int) -> list[Key]:
        return [("ml", uid) for uid in UIDS if shard_of(uid, 2) == shard]


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_what_is_not_held_is_not_reconciled_I4(stage: Stage) -> None:
    stage.tenures[0] = Tenure.endless()
    stage.reconciler.goes_on.set()
    assert stage.of(0)
    assert stage.of(1)
    for uid in UIDS:
        await stage.duty.reconcile(("ml", uid))
    assert stage.reconciler.reconciled == stage.of(0)


async def test_with_a_shard_its_objects_are_woken_and_no_others(stage: Stage) -> None:
    stage.duty.begin(1)
    assert sorted(stage.woken) == stage.of(1)
    assert stage.begun == [1]


async def test_with_a_shard_what_is_remembered_of_its_objects_goes_I4(stage: Stage) -> None:
    stage.duty.forget(0)
    assert stage.reconciler.forgotten == stage.of(0)


async def test_a_reconcile_that_is_under_way_may_not_write_once_the_tenure_ends_I4(stage: Stage) -> None:
    tenure = stage.tenures[0] = Tenure.endless()
    under_way = asyncio.create_task(stage.duty.reconcile(stage.of(0)[0]))
    await asyncio.sleep(0)
    assert not stage.duty.is_quiet(0)
    assert stage.duty.is_quiet(1)
    tenure.end()
    stage.reconciler.goes_on.set()
    with pytest.raises(NotOurs):
        await under_way
    assert stage.duty.is_quiet(0)


async def test_an_object_that_is_gone_is_forgotten_by_every_replica(stage: Stage) -> None:
    await stage.duty.reconcile(("ml", "gone"))
    assert stage.reconciler.forgotten == [("ml", "gone")]
    assert stage.reconciler.reconciled == []  # unless its shard is held, for the overrides that name it


async def test_the_log_says_once_when_all_of_a_shard_are_up_to_date(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> list[str]:
        return [record.getMessage() for record in caplog.records if "up to date" in record.getMessage()]

    caplog.set_level("INFO")
    stage.tenures[0] = Tenure.endless()
    stage.reconciler.goes_on.set()
    first, *others = stage.of(0)
    stage.reconciler.behind = {first}
    stage.duty.begin(0)
    for key in (first, *others):
        await stage.duty.reconcile(key)
    assert told() == []
    stage.reconciler.behind = set()
    for _ in range(2):
        await stage.duty.reconcile(first)
    (line,) = told()
    assert line.startswith(f"shard 0: {len(stage.of(0))} CanaryDeployments are up to date after ")
