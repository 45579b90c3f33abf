"""What others do to the mesh while a rollout stands on it: told, and repaired or respected; never fought over (I6)."""

import time

from tests.crash.cluster import Release, agree, steps
from tests.crash.conftest import Stage
from tests.crash.operators import await_true
from tests.faults.again import again_and_again
from tests.faults.rollouts import STARTED, await_condition, condition, standing, untouched

REPAIRED = [*STARTED, ("repair", 50)]
_FOUGHT = 25.0


def weights_are_repaired(stage: Stage) -> None:
    with standing(stage) as (release, _):
        release.weigh(77)
        _await_repair(stage, release, 50, "WeightsChanged")
        assert steps(release) == REPAIRED


def weights_are_repaired_after_the_promotion(stage: Stage) -> None:
    release = stage.release()
    release.create()
    operator = stage.operator(release)
    await_true(lambda: release.phase() == "Promoted", "the promotion")
    release.weigh(30)
    _await_repair(stage, release, 100, "WeightsChanged")
    operator.end()


def weights_are_respected(stage: Stage) -> None:
    with standing(stage, traffic={"onDrift": "respect"}) as (release, _):
        release.weigh(77)
        with untouched(release):
            told = await_condition(release, "TrafficAligned", "False", "WeightsChanged")
            assert "77 %" in told
            assert "50 % were decided" in told


def a_subset_is_given_back(stage: Stage) -> None:
    with standing(stage) as (release, _):
        release.merge("destinationrules", {"spec": {"subsets": [{"name": "stable", "labels": {"version": "v1"}}]}})
        _await_repair(stage, release, 50, "SubsetMissing")
        subsets = release.rule()["spec"]["subsets"]
        assert {"name": "canary", "labels": {"version": "v2"}} in subsets


def a_deleted_virtual_service_is_told_and_filled_again(stage: Stage) -> None:
    with standing(stage) as (release, _):
        release.delete("virtualservices")
        told = await_condition(release, "TrafficAligned", "False", "VirtualServiceNotFound")
        assert f"{release.namespace}/app" in told
        release.create_service(0)
        _await_repair(stage, release, 50, "WeightsChanged")


def an_added_destination_is_told_and_held(stage: Stage) -> None:
    with standing(stage) as (release, _):
        release.weigh(40, {"destination": {"host": release.host, "subset": "third"}, "weight": 10})
        with untouched(release):
            told = await_condition(release, "TrafficAligned", "False", "RouteUnsuitable")
            assert "primary" in told
            await_condition(release, "Stalled", "True", "RouteUnsuitable")
        release.weigh(50)
        await_condition(release, "TrafficAligned", "True", "AsDecided")
        await_condition(release, "Stalled", "False", "NothingInTheWay")


def two_writers_do_not_fight(stage: Stage) -> None:
    """Whoever writes again and again is answered ever more seldom, and an Event says so."""
    with standing(stage) as (release, _):
        with again_and_again(lambda: release.weigh(77)):
            time.sleep(_FOUGHT)
        repairs = [each["time"] for each in release.canary()["status"]["history"] if each["verdict"] == "repair"]
        assert 1 <= len(repairs) <= 3, repairs
        assert condition(release, "TrafficAligned")[:2] == ("False", "WeightsChanged")
        assert "WeightsChanged" in release.events()


def _await_repair(stage: Stage, release: Release, weight: int, reason: str) -> None:
    def is_repaired() -> bool:
        history = release.canary()["status"]["history"]
        return history[-1]["reason"] == reason and release.weight() == weight

    await_true(is_repaired, f"the repair: {reason}")
    await_condition(release, "TrafficAligned", "True", "AsDecided")
    agree(release, stage.log(release))
