"""The ladder: states in, states out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from serinus.api import Phase
from serinus.rollout import Live, Obstacle, Plan, PlanError, SetWeight
from tests.rollout.conftest import Play, condition, subject

PROMOTIONS = ("start", "promote")


def test_a_good_canary_climbs_the_ladder_and_is_promoted_R03(climbing: Play) -> None:
    climbing.judged("promote", after=45)
    climbing.judged("promote", after=45)
    assert climbing.weights == [10, 50, 100]
    assert climbing.status.phase is Phase.PROMOTED
    assert condition(climbing, "Promoted") == ("True", "Promoted")
    assert condition(climbing, "Reconciling") == ("False", "Promoted")


def test_a_rollback_verdict_takes_everything_back_at_once_R01(climbing: Play) -> None:
    climbing.now += timedelta(seconds=3)
    outcome = climbing.turn("rollback")
    assert isinstance(outcome.intent, SetWeight)
    assert (outcome.intent.weight, outcome.intent.urgent) == (0, True)
    climbing.settle()
    assert (climbing.status.phase, climbing.live.weight) == (Phase.ROLLED_BACK, 0)


def test_no_promotion_before_the_window_has_elapsed_I2(climbing: Play) -> None:
    climbing.judged("promote", after=15)
    assert climbing.live.weight == 10
    climbing.judged("promote", after=30)
    assert climbing.live.weight == 50


def test_the_weight_rises_just_before_a_slot_begins(climbing: Play) -> None:
    climbing.now += timedelta(seconds=45)
    climbing.turn("promote")
    judged_at = climbing.now
    assert climbing.live.weight == 10
    climbing.settle()
    assert climbing.live.weight == 50
    assert climbing.status.history[-1].time == judged_at + timedelta(seconds=15 - 0.25)


def test_holding_is_recorded_once_a_step_R07(climbing: Play) -> None:
    for _ in range(5):
        climbing.judged("hold", after=45, reason="Undecided")
    assert climbing.status.phase is Phase.HOLDING
    assert [record.verdict for record in climbing.records] == ["start", "hold"]


def test_the_first_step_begins_as_soon_as_the_canary_is_warm_R09() -> None:
    play = Play(subject(warmUp={"duration": "30s"}))
    outcome = play.turn()
    assert play.status.phase is Phase.WARMING_UP
    assert outcome.wake == play.now + timedelta(seconds=30)
    play.settle()
    assert play.live.weight == 10


def test_paused_stops_promotion_and_leaves_rollback_armed(climbing: Play) -> None:
    climbing.subject = replace(climbing.subject, paused=True)
    climbing.judged("promote", after=60)
    assert (climbing.status.phase, climbing.live.weight) == (Phase.PAUSED, 10)
    climbing.judged("rollback")
    assert climbing.status.phase is Phase.ROLLED_BACK


def test_a_paused_rollout_goes_on_where_it_stood(climbing: Play) -> None:
    climbing.subject = replace(climbing.subject, paused=True)
    climbing.judged("promote", after=60)
    climbing.subject = replace(climbing.subject, paused=False)
    climbing.judged("promote")
    assert climbing.live.weight == 50


def test_an_ended_rollout_stays_where_it_is(climbing: Play) -> None:
    climbing.judged("rollback")
    before = climbing.status
    climbing.judged("promote", after=3600)
    assert (climbing.status, climbing.live.weight) == (before, 0)


def test_weights_that_did_not_reach_the_mesh_are_asked_for_again_I4(climbing: Play) -> None:
    """Killed between the status and the weights: the decision is finished, and taken once."""
    climbing.now += timedelta(seconds=45)
    wake = climbing.turn("promote").wake
    assert wake is not None
    climbing.now = wake
    lost = climbing.turn(write=False)
    assert climbing.live.weight == 10
    assert isinstance(lost.intent, SetWeight)
    again = climbing.turn()
    assert again.intent == lost.intent
    assert again.records == ()
    climbing.settle()
    assert climbing.live.weight == 50


def test_a_rollback_that_only_the_mesh_knows_is_adopted_I4(climbing: Play) -> None:
    """Killed between the weights and the status of a rollback, the one case in which the weights come first."""
    before = climbing.status
    climbing.now += timedelta(seconds=3)
    climbing.turn("rollback")
    climbing.status = before
    climbing.turn()
    climbing.settle()
    assert (climbing.status.phase, climbing.live.weight) == (Phase.ROLLED_BACK, 0)
    assert climbing.weights == [10, 0]


@pytest.mark.parametrize("labels", [{"version": "v3"}, {"version": "v2", "track": "b"}])
def test_another_canary_in_the_middle_starts_anew_from_zero(climbing: Play, labels: dict[str, str]) -> None:
    climbing.subject = subject(canary={"subset": "canary", "labels": labels})
    climbing.settle()
    assert climbing.weights == [10, 0, 10]
    assert climbing.live.canary == labels
    assert [record.verdict for record in climbing.records] == ["start", "superseded", "start"]


def test_the_next_release_is_rebased_without_moving_anyone(climbing: Play) -> None:
    """After v2 was promoted: stable takes over v2's labels, then the traffic, and only then canary points at v3."""
    climbing.judged("promote", after=45)
    climbing.judged("promote", after=45)
    climbing.subject = subject(
        stable={"subset": "stable", "labels": {"version": "v2"}},
        canary={"subset": "canary", "labels": {"version": "v3"}},
    )
    climbing.settle()
    assert climbing.weights == [10, 50, 100, 0, 10]
    assert (climbing.live.stable, climbing.live.canary) == ({"version": "v2"}, {"version": "v3"})


def test_changing_only_the_canary_after_a_promotion_is_stalled_and_nothing_is_written(climbing: Play) -> None:
    climbing.judged("promote", after=45)
    climbing.judged("promote", after=45)
    climbing.subject = subject(canary={"subset": "canary", "labels": {"version": "v3"}})
    outcome = climbing.turn()
    assert outcome.intent is None
    assert condition(climbing, "Stalled") == ("True", "StableIsNotServing")
    message = next(each.message for each in climbing.status.conditions if each.type == "Stalled")
    assert "stable: {subset: stable, labels: {version: v2}}" in message


def test_an_object_that_is_created_again_after_its_promotion_is_stalled_and_nothing_is_written(climbing: Play) -> None:
    """All it knew is gone with it; what serves is read from the mesh."""
    climbing.judged("promote", after=45)
    climbing.judged("promote", after=45)
    again = Play(replace(climbing.subject, uid="uid-2"), live=climbing.live)
    again.turn()
    assert condition(again, "Stalled") == ("True", "StableIsNotServing")
    assert again.weights == []


def test_an_object_that_is_created_again_in_the_middle_starts_from_zero(climbing: Play) -> None:
    again = Play(replace(climbing.subject, uid="uid-2"), live=climbing.live)
    again.settle()
    assert again.weights == [0, 10]


def test_of_subsets_that_users_keep_none_is_pointed_anywhere() -> None:
    """One subset for each version: after v2's promotion v3 has its own."""
    play = Play(subject(stable={"subset": "v1"}, canary={"subset": "v2"}))
    play.settle()
    play.judged("promote", after=45)
    play.judged("promote", after=45)
    play.live = replace(play.live, weights=(0,), decision="", stable={"version": "v2"}, canary={"version": "v3"})
    play.subject = subject(stable={"subset": "v2"}, canary={"subset": "v3"})
    play.settle()
    assert play.weights == [10, 50, 100, 10]
    assert (play.live.stable, play.live.canary) == ({"version": "v2"}, {"version": "v3"})


def test_traffic_that_is_already_split_goes_back_to_stable_first() -> None:
    play = Play(live=Live((10,), "", {"version": "v1"}, {"version": "v2"}))
    play.settle()
    assert play.weights == [0, 10]


def test_an_obstacle_stalls_and_goes_on_when_it_is_gone(climbing: Play) -> None:
    climbing.obstacle = Obstacle("VirtualServiceNotFound", "no VirtualService ml/predictor")
    climbing.now += timedelta(seconds=45)
    climbing.turn("promote")
    assert condition(climbing, "Stalled") == ("True", "VirtualServiceNotFound")
    assert climbing.live.weight == 10
    climbing.obstacle = None
    climbing.judged("promote")
    assert climbing.live.weight == 50
    assert condition(climbing, "Stalled")[0] == "False"


def test_an_edit_of_the_policy_holds_for_the_next_rollout(climbing: Play) -> None:
    climbing.subject = subject(ladder=[{"weight": 99, "window": "15s"}, {"weight": 100, "window": "0s"}])
    climbing.judged("promote", after=45)
    assert climbing.live.weight == 50
    assert condition(climbing, "PolicyChanged")[0] == "True"


def test_every_record_names_the_one_before_R26(climbing: Play) -> None:
    climbing.judged("promote", after=45)
    climbing.judged("rollback")
    hashes = ["", *[record.digest() for record in climbing.records]]
    assert [record.previous_hash for record in climbing.records] == hashes[:-1]
    assert [entry.hash for entry in climbing.status.history] == hashes[1:]
    assert len({record.id for record in climbing.records}) == len(climbing.records)


def test_history_keeps_the_last_twenty(climbing: Play) -> None:
    for revision in range(30):
        climbing.subject = subject(revision=f"r{revision}")
        climbing.settle()
    assert len(climbing.status.history) == 20
    assert climbing.status.history[-1].verdict == "start"


def test_columns_tell_people_where_it_stands_R31(climbing: Play) -> None:
    shown = climbing.status.printed
    assert (shown.step, shown.next, shown.stable, shown.canary) == ("1/3", "12:00Z", "version=v1", "version=v2")


@pytest.mark.parametrize("text", ["", "no base64!", "AAAA", "eJxTBgAAJAAk"])
def test_a_damaged_snapshot_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        Plan.unpack(text)
