"""Drift (I6): what somebody else changes on the mesh is noticed, told, and repaired or respected; never fought over."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from serinus.api import Phase
from serinus.rollout import Live, Obstacle, PointSubset, SetWeight
from tests.rollout.conftest import Play, condition, subject

RESPECT = {
    "host": "predictor",
    "virtualServices": [{"name": "predictor"}],
    "destinationRule": "predictor",
    "onDrift": "respect",
}


def respecting() -> Play:
    play = Play(subject(traffic=RESPECT))
    play.settle()
    assert play.live.weight == 10
    return play


@pytest.mark.parametrize("weight", [0, 3, 77])
def test_weights_that_somebody_else_wrote_are_told_and_repaired_I6(climbing: Play, weight: int) -> None:
    climbing.live = replace(climbing.live, weights=(weight,))
    outcome = climbing.turn()
    assert isinstance(outcome.intent, SetWeight)
    assert (outcome.intent.weight, outcome.intent.urgent) == (10, False)
    assert condition(climbing, "TrafficAligned") == ("False", "WeightsChanged")
    climbing.settle()
    assert climbing.live.weight == 10
    assert condition(climbing, "TrafficAligned")[0] == "True"
    assert climbing.records[-1].verdict == "repair"


def test_one_route_of_several_that_differs_is_drift_I6(climbing: Play) -> None:
    climbing.live = replace(climbing.live, weights=(10, 60))
    climbing.settle()
    assert climbing.live.weights == (10, 10)


def test_a_step_that_was_disturbed_begins_its_window_again_I2(climbing: Play) -> None:
    climbing.now += timedelta(seconds=40)
    climbing.live = replace(climbing.live, weights=(77,))
    climbing.settle()
    climbing.judged("promote", after=15)
    assert climbing.live.weight == 10
    climbing.judged("promote", after=30)
    assert climbing.live.weight == 50


def test_two_writers_never_fight_in_a_loop_I6(climbing: Play) -> None:
    """Whoever changes the weights again and again is answered ever more seldom."""
    for _ in range(600):
        climbing.now += timedelta(seconds=1)
        climbing.turn("hold")
        climbing.live = replace(climbing.live, weights=(77,))
    repairs = [record.time for record in climbing.records if record.verdict == "repair"]
    pauses = [(after - before).total_seconds() for before, after in pairwise(repairs)]
    assert pauses == [10, 20, 40, 80, 160]


def test_while_the_mesh_is_not_as_decided_nothing_is_promoted_I1() -> None:
    play = respecting()
    play.live = replace(play.live, weights=(20,))
    play.judged("promote", after=60)
    assert (play.live.weight, play.status.phase) == (20, Phase.PROGRESSING)
    assert condition(play, "TrafficAligned") == ("False", "WeightsChanged")


def test_respected_drift_is_still_rolled_back() -> None:
    play = respecting()
    play.live = replace(play.live, weights=(20,))
    play.judged("rollback")
    assert (play.live.weight, play.status.phase) == (0, Phase.ROLLED_BACK)


def test_a_repair_that_raises_the_weight_waits_for_the_evidence_I1(climbing: Play) -> None:
    """After an hour without a judged tick nobody knows whether the canary may have its weight back."""
    climbing.judged("hold")
    climbing.now += timedelta(hours=1)
    climbing.live = replace(climbing.live, weights=(0,))
    assert climbing.turn().intent is None
    climbing.live = replace(climbing.live, weights=(77,))
    assert climbing.turn().intent is not None, "one that lowers it does not wait"
    climbing.live = replace(climbing.live, weights=(0,))
    climbing.now += timedelta(seconds=30)
    assert climbing.turn("hold").intent is not None


@pytest.mark.parametrize("labels", [None, {"version": "v9"}])
def test_a_subset_that_serinus_keeps_is_given_its_labels_again_I6(
    climbing: Play, labels: dict[str, str] | None
) -> None:
    climbing.live = replace(climbing.live, canary=labels)
    assert climbing.turn().intent == PointSubset("canary", {"version": "v2"})
    climbing.settle()
    assert climbing.live.canary == {"version": "v2"}


def test_what_cannot_be_repaired_is_told_and_held_I6(climbing: Play) -> None:
    climbing.live = replace(climbing.live, stable=None, canary=None, has_rule=False)
    climbing.judged("promote", after=60)
    assert climbing.live.weight == 10
    assert condition(climbing, "TrafficAligned") == ("False", "DestinationRuleNotFound")


def test_a_virtual_service_that_is_gone_is_told_I6(climbing: Play) -> None:
    climbing.obstacle = Obstacle("VirtualServiceNotFound", "no VirtualService ml/predictor")
    climbing.turn()
    assert condition(climbing, "TrafficAligned") == ("False", "VirtualServiceNotFound")


def test_drift_is_noticed_after_the_promotion_too_I6(climbing: Play) -> None:
    climbing.judged("promote", after=45)
    climbing.judged("promote", after=45)
    climbing.live = replace(climbing.live, weights=(0,))
    climbing.settle()
    assert climbing.live.weight == 100
    assert climbing.status.phase is Phase.PROMOTED


def test_after_the_end_an_unreadable_mesh_is_told_and_does_not_stall(climbing: Play) -> None:
    climbing.judged("rollback")
    climbing.obstacle = Obstacle("RouteUnsuitable", "a third destination")
    climbing.turn()
    assert condition(climbing, "TrafficAligned") == ("False", "RouteUnsuitable")
    assert condition(climbing, "Stalled")[0] == "False"


def test_a_status_that_is_behind_the_mesh_writes_nothing_I4(climbing: Play) -> None:
    """Read from an old copy: the later decision on the mesh is our own, not somebody else's."""
    old = climbing.status
    climbing.judged("promote", after=45)
    assert climbing.live.weight == 50
    climbing.status = old
    assert climbing.turn().intent is None
    assert condition(climbing, "Stalled") == ("True", "StatusBehind")


def test_weights_never_fall_onto_a_dead_stable_I3(climbing: Play) -> None:
    climbing.live = replace(climbing.live, stable_ready=0)
    climbing.now += timedelta(seconds=15)
    assert climbing.turn("rollback").intent is None
    assert condition(climbing, "Stalled") == ("True", "StableUnavailable")
    assert climbing.status.phase is Phase.PROGRESSING
    climbing.live = replace(climbing.live, stable_ready=1)
    climbing.settle()
    assert (climbing.live.weight, climbing.status.phase) == (0, Phase.ROLLED_BACK)


def test_a_canary_without_endpoints_for_two_ticks_is_rolled_back_I3(climbing: Play) -> None:
    climbing.live = replace(climbing.live, canary_ready=0)
    climbing.judged("hold", after=1)
    climbing.judged("hold", after=15)
    assert climbing.live.weight == 10
    climbing.judged("hold", after=15)
    assert (climbing.live.weight, climbing.status.phase) == (0, Phase.ROLLED_BACK)
    assert climbing.records[-1].reason == "CanaryUnreachable"


def test_a_canary_that_comes_back_in_time_goes_on(climbing: Play) -> None:
    for ready in (0, 1, 0, 1, 0):
        climbing.live = replace(climbing.live, canary_ready=ready)
        climbing.judged("hold", after=15)
    assert climbing.status.phase is not Phase.ROLLED_BACK


def test_nobody_knows_of_endpoints_nobody_is_rolled_back_I3(climbing: Play) -> None:
    assert climbing.live.canary_ready is None
    climbing.judged("hold", after=3600)
    assert climbing.live == Live((10,), climbing.live.decision, {"version": "v1"}, {"version": "v2"})
