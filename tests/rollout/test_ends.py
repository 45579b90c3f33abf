"""Deletion, other releases in the middle, deadlines: how a rollout ends when no verdict ends it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from serinus.api import Phase
from serinus.rollout import Obstacle, Outcome, PlanError
from tests.rollout.conftest import Play, condition, subject

V3 = {"subset": "canary", "labels": {"version": "v3"}}


def delete(play: Play) -> Outcome:
    """The object is deleted, and turns are taken until it may disappear."""
    play.subject = replace(play.subject, leaving=True)
    for _ in range(10):
        outcome = play.turn()
        if outcome.let_go:
            return outcome
    raise AssertionError("the object is never let go")


def test_deleted_under_way_all_traffic_goes_back_to_stable_first_I7(climbing: Play) -> None:
    climbing.subject = replace(climbing.subject, leaving=True)
    first = climbing.turn(write=False)
    assert not first.let_go
    delete(climbing)
    assert (climbing.live.weight, climbing.status.phase) == (0, Phase.ROLLED_BACK)
    assert [record.verdict for record in climbing.records] == ["start", "deleted"]


def test_deleted_after_the_promotion_the_canary_keeps_the_traffic_I7(climbing: Play) -> None:
    climbing.judged("promote", after=45)
    climbing.judged("promote", after=45)
    weights = list(climbing.weights)
    delete(climbing)
    assert climbing.weights == weights == [10, 50, 100]


def test_deleted_before_its_first_rollout_nothing_is_touched_I7() -> None:
    play = Play()
    play.live = replace(play.live, weights=(40,))
    delete(play)
    assert play.weights == []


def test_deleted_while_warming_up_nothing_is_written_I7() -> None:
    play = Play(subject(warmUp={"duration": "30s"}))
    play.turn()
    delete(play)
    assert play.weights == []


@pytest.mark.parametrize("turns", range(12))
def test_deleted_at_every_moment_of_the_rebase_users_keep_their_version_I7(climbing: Play, turns: int) -> None:
    """After v2 was promoted, while v3 is being prepared: v2 serves, whichever subset it is behind."""
    climbing.judged("promote", after=45)
    climbing.judged("promote", after=45)
    climbing.subject = subject(stable={"subset": "stable", "labels": {"version": "v2"}}, canary=V3)
    for _ in range(turns):
        outcome = climbing.turn()
        climbing.now = outcome.wake or climbing.now
    delete(climbing)
    serving = climbing.live.canary if climbing.live.canary_serves else climbing.live.stable
    assert climbing.live.carries(0) or climbing.live.carries(100)
    assert serving == {"version": "v2"}


def test_what_cannot_be_read_does_not_hold_a_deleted_object_back_I7(climbing: Play) -> None:
    climbing.obstacle = Obstacle("VirtualServiceNotFound", "no VirtualService ml/predictor")
    assert delete(climbing).intent is None


def test_a_deleted_object_waits_for_a_stable_that_can_serve_I7(climbing: Play) -> None:
    climbing.live = replace(climbing.live, stable_ready=0)
    climbing.subject = replace(climbing.subject, leaving=True)
    assert not climbing.turn().let_go
    climbing.live = replace(climbing.live, stable_ready=2)
    delete(climbing)
    assert climbing.live.weight == 0


def test_another_release_while_the_canary_bakes_brings_it_back_first(climbing: Play) -> None:
    """All traffic on a canary that is not promoted yet: stable is still what the next release starts from."""
    climbing.subject = subject(
        ladder=[{"weight": 10, "window": "30s"}, {"weight": 100, "window": "60s"}], revision="bakes"
    )
    climbing.settle()
    climbing.judged("promote", after=45)
    assert (climbing.live.weight, climbing.status.phase) == (100, Phase.PROGRESSING)
    climbing.subject = subject(canary=V3)
    climbing.settle()
    assert climbing.weights[-2:] == [0, 10]
    assert (climbing.live.stable, climbing.live.canary) == ({"version": "v1"}, {"version": "v3"})


def test_another_release_points_the_subset_only_when_the_old_weights_have_settled(climbing: Play) -> None:
    climbing.subject = subject(canary=V3)
    climbing.turn()
    assert climbing.live.weight == 0
    climbing.turn()
    waiting = climbing.turn()
    assert climbing.live.canary == {"version": "v2"}
    assert waiting.wake == climbing.now + timedelta(seconds=10)


def test_an_overtaken_rollout_whose_routes_are_gone_does_not_stop_the_next(climbing: Play) -> None:
    moved = {"host": "predictor", "virtualServices": [{"name": "elsewhere"}], "destinationRule": "predictor"}
    climbing.subject = subject(canary=V3, traffic=moved)
    climbing.obstacle = Obstacle("VirtualServiceNotFound", "no VirtualService ml/predictor")
    climbing.turn()
    climbing.obstacle, climbing.live = None, replace(climbing.live, weights=(0,), decision="")
    climbing.settle()
    assert climbing.live.weight == 10
    assert [record.verdict for record in climbing.records] == ["start", "superseded", "start"]


def test_an_undecided_step_holds_at_its_deadline_and_says_so() -> None:
    play = Play(subject(deadline="2m"))
    play.settle()
    play.now += timedelta(seconds=45)
    assert play.turn("hold").wake == play.status.rollout.step_started_at + timedelta(minutes=2)  # type: ignore[union-attr,operator]
    assert condition(play, "Undecided")[0] == "False"
    play.judged("hold", after=80)
    assert condition(play, "Undecided") == ("True", "DeadlineExpired")
    assert (play.status.phase, play.live.weight) == (Phase.HOLDING, 10)
    assert [record.reason for record in play.records].count("DeadlineExpired") == 1
    play.judged("promote")
    assert condition(play, "Undecided")[0] == "False"


def test_an_undecided_step_is_rolled_back_where_the_spec_says_so() -> None:
    play = Play(subject(deadline="2m", whenUndecided="rollback"))
    play.settle()
    play.now += timedelta(seconds=45)
    play.turn("hold")
    assert play.live.weight == 10
    play.judged("hold", after=80)
    assert (play.status.phase, play.live.weight) == (Phase.ROLLED_BACK, 0)
    assert play.records[-1].reason == "DeadlineExpired"


def test_a_deadline_applies_at_once_unlike_the_ladder() -> None:
    play = Play()
    play.settle()
    play.judged("hold", after=600)
    play.subject = subject(deadline="5m", whenUndecided="rollback")
    play.judged("hold")
    assert play.status.phase is Phase.ROLLED_BACK


def test_a_canary_that_never_becomes_ready_fails_and_no_user_meets_it_R09() -> None:
    play = Play(subject(deadline="2m", whenUndecided="rollback"))
    play.live = replace(play.live, canary_ready=0)
    assert play.turn().status.phase is Phase.WARMING_UP
    play.now += timedelta(minutes=3)
    play.turn()
    assert (play.status.phase, play.weights) == (Phase.FAILED, [])
    assert play.records[-1].reason == "CanaryNeverReady"


def test_the_warm_up_counts_from_the_first_ready_endpoint_R09() -> None:
    play = Play(subject(warmUp={"duration": "30s"}))
    play.live = replace(play.live, canary_ready=0)
    play.turn()
    play.now += timedelta(minutes=5)
    play.turn()
    play.live = replace(play.live, canary_ready=1)
    assert play.turn().wake == play.now + timedelta(seconds=30)


def test_a_rollout_whose_copy_is_damaged_gives_way_to_another_release_I9(climbing: Play) -> None:
    assert climbing.status.rollout is not None
    broken = climbing.status.rollout.model_copy(update={"snapshot": "broken"})
    climbing.status = climbing.status.model_copy(update={"rollout": broken})
    with pytest.raises(PlanError):
        climbing.turn()
    climbing.subject = subject(revision="again")
    climbing.settle()
    assert climbing.weights == [10, 0, 10]


def test_a_release_that_was_overtaken_and_is_asked_for_again_begins_anew(climbing: Play) -> None:
    """v3 was applied for a moment, and nobody has seen more of it than that v2 had to go."""
    asked = climbing.subject
    climbing.subject = subject(canary={"subset": "canary", "labels": {"version": "v3"}})
    climbing.turn()
    assert climbing.live.weight == 0
    climbing.subject = asked
    climbing.settle()
    assert (climbing.live.weight, climbing.status.phase) == (10, Phase.PROGRESSING)
    assert [record.verdict for record in climbing.records] == ["start", "superseded", "start"]
