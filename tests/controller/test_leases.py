"""Leases on the real API server, turn by turn, by clocks that the tests set: who may write when (I4)."""

from collections.abc import Callable
from itertools import count

import pytest

from lab.stack import Lab
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import WriteFailed
from serinus.controller.leases import Holder, LeaseSettings, LeaseStore, shard_of
from serinus.controller.tenure import NotOurs, Tenure, seconds_to_write, under

pytestmark = pytest.mark.api_server

NAMESPACE = "default"
DURATION = 60
"""Of the test's clock; a request to the API server may take a fifth of it by the wall's."""
_groups = count(1)


class Clock:
    """Everybody's, unless a test stops one."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Work:
    """What a replica is told, and whether it is in the middle of something."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.forgotten: list[int] = []
        self.busy = False

    def begin(self, shard: int) -> None:
        self.begun.append(shard)

    def forget(self, shard: int) -> None:
        self.forgotten.append(shard)

    def is_quiet(self, shard: int) -> bool:
        return not self.busy


class Replica:
    """A replica of which nothing runs but what a test calls."""

    def __init__(self, kube: Kube, clock: Clock, group: str, name: str, shards: int) -> None:
        self.group = group
        settings = LeaseSettings(NAMESPACE, group, name, shards, DURATION)
        self.work = Work()
        self.holder = Holder(LeaseStore(kube, settings), settings, self.work, clock)

    @property
    def shards(self) -> list[int]:
        return self.holder.shards

    async def turn(self) -> str:
        return await self.holder.turn()


Starts = Callable[..., Replica]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(kube: Kube, clock: Clock) -> Starts:
    group = f"group-{next(_groups)}"

    def started(name: str, shards: int = 1, clock: Clock = clock) -> Replica:
        return Replica(kube, clock, group, name, shards)

    return started


async def test_the_first_acts_and_the_second_stands_by_I4(start: Starts) -> None:
    first, second = start("first"), start("second")
    for replica in (first, second, first, second):
        await replica.turn()
    assert (first.shards, second.shards) == ([0], [])
    assert first.work.begun == [0]
    assert second.holder.is_known


async def test_who_cannot_renew_stops_writing_before_another_may_take_the_lease_I4(start: Starts, clock: Clock) -> None:
    first, second = start("first"), start("second")
    await first.turn()
    await second.turn()
    stopped_at = taken_at = None
    while taken_at is None:
        clock.now += 2
        await second.turn()
        if stopped_at is None and not first.shards:
            stopped_at = clock.now
        if second.shards:
            taken_at = clock.now
    assert stopped_at is not None
    # A write that began in the last instant has this long to come to its end.
    assert taken_at - stopped_at >= DURATION / 3


async def test_one_that_was_stopped_and_goes_on_loses_its_lease_and_stands_by_I4(start: Starts, clock: Clock) -> None:
    first, second = start("first"), start("second")
    await first.turn()
    await second.turn()
    tenure = first.holder.tenure_of("any")
    assert tenure is not None
    clock.now += DURATION + 1
    await second.turn()
    with under(tenure), pytest.raises(NotOurs):
        seconds_to_write()
    await first.turn()
    assert (first.shards, second.shards) == ([], [0])
    assert first.work.forgotten == [0]
    clock.now += DURATION / 5
    await second.turn()
    await first.turn()
    assert (first.shards, second.shards) == ([], [0])


async def test_after_an_outage_that_nobody_used_the_holder_goes_on(start: Starts, clock: Clock) -> None:
    first = start("first")
    await first.turn()
    clock.now += 3 * DURATION
    assert first.shards == []
    await first.turn()
    assert first.shards == [0]
    assert first.work.begun == [0, 0]  # everything is looked at again


async def test_a_replica_that_ends_gives_its_lease_back_at_once(start: Starts) -> None:
    first, second = start("first"), start("second")
    await first.turn()
    await second.turn()
    await first.holder.release()
    assert first.shards == []
    await second.turn()
    assert second.shards == [0]


async def test_a_container_that_was_restarted_goes_on_with_its_lease_at_once(start: Starts) -> None:
    await start("pod-a").turn()
    again = start("pod-a")
    await again.turn()
    assert again.shards == [0]


@pytest.mark.parametrize(("shards", "shares"), [(2, [1, 1]), (5, [2, 3]), (4, [2, 2])])
async def test_one_that_joins_gets_its_share(start: Starts, shards: int, shares: list[int]) -> None:
    first, second = start("first", shards), start("second", shards)
    await first.turn()
    assert first.shards == list(range(shards))
    for _ in range(3 * shards):
        await second.turn()
        await first.turn()
    assert sorted(len(each.shards) for each in (first, second)) == shares
    assert sorted(first.shards + second.shards) == list(range(shards))


async def test_three_share_and_the_two_that_are_left_share_again(start: Starts, clock: Clock) -> None:
    replicas = [start(name, 6) for name in ("one", "two", "three")]

    async def settle(present: list[Replica]) -> None:
        for _ in range(20):
            clock.now += DURATION / 5
            for replica in present:
                await replica.turn()

    await settle(replicas)
    assert [len(each.shards) for each in replicas] == [2, 2, 2]
    await settle(replicas[1:])  # the first was killed
    assert [len(each.shards) for each in replicas] == [0, 3, 3]


async def test_a_shard_is_handed_over_only_when_nothing_of_it_is_under_way_I4(start: Starts, clock: Clock) -> None:
    first, second = start("first", 2), start("second", 2)
    await first.turn()
    first.work.busy = True
    for _ in range(4):
        clock.now += DURATION / 5
        await second.turn()
        await first.turn()
    assert len(first.shards) == 1  # no new write begins for the other ...
    assert second.shards == []  # ... which is still its own
    first.work.busy = False
    await first.turn()
    await second.turn()
    assert (len(first.shards), len(second.shards)) == (1, 1)


@pytest.mark.parametrize(("others", "own"), [(1, 2), (2, 1), (3, 2)])
async def test_who_divides_otherwise_waits_and_says_so_I4(start: Starts, clock: Clock, others: int, own: int) -> None:
    first, second = start("first", others), start("second", own)
    await first.turn()
    for _ in range(3):
        clock.now += DURATION / 5
        await first.turn()
        assert f"first divides the objects into {others} shards" in await second.turn()
    assert second.shards == []
    await first.holder.release()
    await second.turn()
    assert second.shards == list(range(own))


async def test_a_lease_that_somebody_deletes_is_not_created_by_another_at_once_I4(
    start: Starts, clock: Clock, api_server: Lab
) -> None:
    first, second = start("first"), start("second")
    await first.turn()
    await second.turn()
    api_server.kubectl("delete", "lease", f"{first.group}-0", f"--namespace={NAMESPACE}")
    await second.turn()
    assert second.shards == []
    clock.now += DURATION + 1
    await second.turn()
    assert second.shards == [0]
    assert first.shards == []


async def test_without_the_api_server_nothing_is_taken_for_granted(start: Starts, kube: Kube, clock: Clock) -> None:
    first = start("first")
    await first.turn()
    kube.api.configuration.host = "https://127.0.0.1:1"
    clock.now += DURATION
    with pytest.raises(WriteFailed, match="no answer"):
        await first.turn()
    assert first.shards == []


def test_a_tenure_tells_how_long_a_write_may_take() -> None:
    clock = Clock()
    tenure = Tenure(clock)
    with under(tenure), pytest.raises(NotOurs):
        seconds_to_write()
    tenure.renew(begins_until=clock.now + 10, over_at=clock.now + 15)
    clock.now += 9
    with under(tenure):
        assert seconds_to_write() == 6
        tenure.end()
        with pytest.raises(NotOurs):
            seconds_to_write()
    assert seconds_to_write() > 1e9  # where no tenure rules


def test_objects_are_spread_evenly_over_the_shards() -> None:
    uids = [f"{number:08x}-0000-4000-8000-{number * 7919:012x}" for number in range(4000)]
    sizes = [sum(shard_of(uid, 4) == shard for uid in uids) for shard in range(4)]
    assert sum(sizes) == len(uids)
    assert all(900 < size < 1100 for size in sizes)
