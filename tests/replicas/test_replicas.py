"""Replicas that share work by leases, as processes on the real API server: at most one acts, and one always does (I4).

Every replica is behind a proxy of its own, so what it writes is seen on the wire, refused or not.
"""

import signal
import time

import pytest

from serinus.controller.leases import shard_of
from tests.crash.cluster import Release, agree, steps
from tests.crash.conftest import Stage
from tests.crash.faults import GOOD
from tests.crash.operators import await_true
from tests.replicas.conftest import Starts
from tests.replicas.replica import Replica, Write

pytestmark = pytest.mark.api_server


def await_promotion(release: Release) -> None:
    def is_over() -> bool:
        status = release.canary().get("status", {})
        rollout = status.get("rollout", {})
        return status.get("phase") == "Promoted" and rollout["decision"] == rollout["observed"]

    await_true(is_over, f"{release.namespace} to be promoted")


def stop_at(replica: Replica, part_of_path: str) -> None:
    """SIGSTOP the replica in the middle of its next write to such an object: it waits for the answer."""

    def stop(write: Write) -> None:
        if part_of_path in write.path:
            replica.on_write = lambda _: None
            replica.send(signal.SIGSTOP)

    replica.on_write = stop


def acts(replica: Replica, since: float) -> list[Write]:
    """What it wrote since then besides leases."""
    return [write for write in replica.writes if write.at > since and not write.is_of_a_lease]


@pytest.mark.parametrize("write", ["canarydeployments/app/status", "virtualservices/app"])
def test_one_that_was_stopped_for_longer_than_its_lease_writes_nothing_I4(
    stage: Stage, start: Starts, write: str
) -> None:
    """Stopped between a decision and its weights, or after them: it would go on with the next line."""
    release, later = stage.release(), stage.release()
    old = start("old", release, later).await_ready().await_lead()
    new = start("new", release, later).await_ready()
    stop_at(old, write)
    release.create()
    await_true(new.held, "the other to take over")
    await_promotion(release)
    assert steps(release) == GOOD

    continued = time.monotonic()
    old.send(signal.SIGCONT)
    await_true(lambda: any(each.at > continued for each in old.writes), "the old one to ask for its lease")
    await_true(lambda: old.get("/readyz") == (200, "ok\n"), "the old one to stand by")
    later.create()
    await_promotion(later)
    assert acts(old, continued) == []
    assert old.series("serinus_shards_held") == ["serinus_shards_held 0.0"]

    new.send(signal.SIGKILL)
    old.await_lead()
    later.edit({"revision": "again", "canary": {"labels": {"version": "v3"}}, "stable": {"labels": {"version": "v2"}}})
    await_true(lambda: acts(old, continued), "the old one to act again")


def test_when_the_leader_is_killed_the_other_goes_on_I4(stage: Stage, start: Starts) -> None:
    release = stage.release()
    first = start("first", release).await_ready().await_lead()
    second = start("second", release).await_ready()
    release.create()
    await_true(lambda: release.weight() == 50, "the first step")
    first.send(signal.SIGKILL)
    await_promotion(release)
    assert second.held()
    agree(release, first.log)
    agree(release, second.log)
    assert steps(release) == GOOD


def test_one_that_is_told_to_end_gives_its_lease_back_at_once(stage: Stage, start: Starts) -> None:
    release = stage.release()
    first = start("first", release, lease_seconds=300).await_ready().await_lead()
    second = start("second", release, lease_seconds=300).await_ready()
    release.create()
    await_true(lambda: release.weight() == 50, "the first step")
    first.send(signal.SIGTERM)
    second.await_lead()  # within less than the lease's 300 s
    await_promotion(release)
    assert steps(release) == GOOD
    await_true(lambda: not first.is_alive(), "the first to end")
    assert "Traceback" not in first.log.read_text()


def test_two_replicas_share_the_objects_and_one_takes_over_from_the_other_I4(stage: Stage, start: Starts) -> None:
    releases = [stage.release() for _ in range(8)]
    one = start("one", *releases, shards=2).await_ready().await_lead(2)
    two = start("two", *releases, shards=2).await_ready().await_lead(1)
    one.await_lead(1)
    began = time.monotonic()
    shards = set()
    created = []
    for release in releases:
        release.create()
        created.append(release)
        shards.add(shard_of(release.canary()["metadata"]["uid"], 2))
    assert shards == {0, 1}
    for release in created:
        await_promotion(release)
    wrote = {
        name: {release for release in created for write in acts(each, began) if f"/{release.namespace}/" in write.path}
        for name, each in (("one", one), ("two", two))
    }
    assert wrote["one"] | wrote["two"] == set(created)
    assert not wrote["one"] & wrote["two"]
    told = [
        {line.partition('namespace="')[2].partition('"')[0] for line in each.series("serinus_canary_phase")}
        for each in (one, two)
    ]
    assert told == [{release.namespace for release in wrote[name]} for name in ("one", "two")]
    two.send(signal.SIGKILL)
    one.await_lead(2)
    await_true(lambda: len(one.series("serinus_canary_phase")) == len(created), "all objects to be the first's")
