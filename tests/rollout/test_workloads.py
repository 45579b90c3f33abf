"""The arms' workloads: what they run is on record, ready pods carry a weight before it rises, restarts block."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from serinus.api import Phase
from serinus.judge import GUARD, Counts, Evidence, State, Tick, judge
from serinus.rollout import Restart, Workload, judge_again, judge_policy, judgement_on_record
from tests.rollout.conftest import Play, condition, subject
from tests.rollout.records import Book

NAMED = {
    "stable": {"kind": "Deployment", "name": "predictor-v1"},
    "canary": {"kind": "Deployment", "name": "predictor-v2"},
}


def workload(template: str, ready: int = 10, wanted: int | None = None, **fields: Any) -> Workload:
    wanted = ready if wanted is None else wanted
    return Workload(template, (f"predictor:{template}",), wanted, ready, rolled_out=ready == wanted, **fields)


def named(template: str = "t2", **spec: Any) -> Any:
    return replace(subject(workloads=NAMED, **spec), template=template)


@pytest.fixture
def ready() -> Play:
    """A rollout with workloads, both with 10 ready replicas."""
    play = Play(named())
    play.live = replace(play.live, stable_workload=workload("t1"), canary_workload=workload("t2"))
    return play


@pytest.fixture
def under_way(ready: Play) -> Play:
    ready.settle()
    assert ready.live.weight == 10
    return ready


def reason(play: Play) -> str:
    assert play.status.verdict is not None
    return play.status.verdict.reason


def scaled(play: Play, ready: int, wanted: int | None = None) -> None:
    play.live = replace(play.live, canary_workload=workload("t2", ready, wanted))


def restarted(play: Play, why: str = "Error") -> None:
    """A pod of the canary's was restarted just now."""
    restart = Restart("predictor-v2-a", "app", why, play.now)
    play.live = replace(play.live, canary_workload=workload("t2", restarts=(restart,)))


class TestReadiness:
    def test_the_warm_up_begins_when_the_workload_is_rolled_out_R09(self, ready: Play) -> None:
        scaled(ready, ready=7, wanted=10)
        ready.turn()
        assert (ready.status.phase, reason(ready)) == (Phase.WARMING_UP, "WaitingForWorkload")
        scaled(ready, ready=10)
        ready.settle()
        assert ready.live.weight == 10

    @pytest.mark.parametrize(
        ("found", "told"), [(None, "there is no Deployment predictor-v2"), (workload("t2", 0), "has no replicas")]
    )
    def test_a_workload_that_cannot_serve_is_named_and_waited_for(
        self, ready: Play, found: Workload | None, told: str
    ) -> None:
        ready.live = replace(ready.live, canary_workload=found)
        ready.turn()
        assert ready.status.verdict is not None
        assert told in ready.status.verdict.message
        assert ready.weights == []

    def test_at_the_deadline_the_record_says_what_was_missing_R09(self) -> None:
        play = Play(named(deadline="2m", whenUndecided="rollback"))
        play.live = replace(play.live, stable_workload=workload("t1"), canary_workload=workload("t2", 0, 3))
        play.turn()
        play.now += timedelta(minutes=3)
        play.turn()
        assert (play.status.phase, play.weights) == (Phase.FAILED, [])
        assert "0 of 3 replicas ready" in play.records[-1].message


class TestCapacity:
    def test_a_rise_waits_until_ready_pods_carry_the_next_weight(self, under_way: Play) -> None:
        scaled(under_way, ready=3)
        under_way.judged("promote", after=45)
        assert (under_way.live.weight, under_way.status.phase, reason(under_way)) == (
            10,
            Phase.HOLDING,
            "WaitingForCapacity",
        )
        assert "need 4" in (under_way.status.verdict.message if under_way.status.verdict else "")
        scaled(under_way, ready=4)
        under_way.judged("promote")
        assert under_way.live.weight == 50

    def test_the_first_rise_waits_as_well(self, ready: Play) -> None:
        ready.subject = named(ladder=[{"weight": 50, "window": "30s"}, {"weight": 100, "window": "0s"}])
        scaled(ready, ready=3)
        ready.turn()
        assert (ready.live.weight, reason(ready)) == (0, "WaitingForCapacity")
        scaled(ready, ready=4)
        ready.settle()
        assert ready.live.weight == 50

    def test_as_many_pods_as_the_stable_has_carry_all_of_the_traffic(self, under_way: Play) -> None:
        under_way.judged("promote", after=45)
        under_way.judged("promote", after=45)
        assert under_way.status.phase is Phase.PROMOTED

    def test_waiting_is_recorded_once(self, under_way: Play) -> None:
        scaled(under_way, ready=1)
        for _ in range(4):
            under_way.judged("promote", after=45)
        assert [record.reason for record in under_way.records].count("WaitingForCapacity") == 1

    def test_a_rollback_waits_for_no_capacity(self, under_way: Play) -> None:
        scaled(under_way, ready=1)
        under_way.judged("rollback")
        assert under_way.live.weight == 0

    @pytest.mark.parametrize("arm", ["stable", "canary"])
    def test_a_workload_that_is_gone_holds_and_leaves_rollback_armed(self, under_way: Play, arm: str) -> None:
        under_way.live = replace(under_way.live, **{f"{arm}_workload": None})  # type: ignore[arg-type]
        under_way.judged("promote", after=45)
        assert (under_way.live.weight, reason(under_way)) == (10, "WaitingForCapacity")
        under_way.judged("rollback")
        assert under_way.status.phase is Phase.ROLLED_BACK

    def test_the_deadline_ends_the_wait(self, ready: Play) -> None:
        ready.subject = named(deadline="2m", whenUndecided="rollback")
        ready.settle()
        scaled(ready, ready=1)
        ready.now += timedelta(seconds=45)
        ready.turn("promote")
        assert (ready.live.weight, reason(ready)) == (10, "WaitingForCapacity")
        ready.now += timedelta(seconds=80)
        ready.turn("promote")
        assert (ready.status.phase, ready.records[-1].reason) == (Phase.ROLLED_BACK, "DeadlineExpired")


class TestRestarts:
    @pytest.mark.parametrize("why", ["Error", "OOMKilled"])
    def test_a_restart_in_the_step_blocks_its_promotion(self, under_way: Play, why: str) -> None:
        restarted(under_way, why)
        under_way.judged("promote", after=45)
        assert (under_way.live.weight, reason(under_way)) == (10, "CanaryRestarted")
        assert under_way.status.verdict is not None
        assert f"predictor-v2-a/app ({why})" in under_way.status.verdict.message
        assert under_way.records[-1].reason == "CanaryRestarted"

    def test_one_before_the_step_began_does_not(self, ready: Play) -> None:
        restarted(ready)
        ready.now += timedelta(seconds=1)
        ready.settle()
        ready.judged("promote", after=45)
        assert ready.live.weight == 50

    def test_restarts_of_both_arms_stand_in_the_comparison_the_worse_first_R22(self, under_way: Play) -> None:
        under_way.judged("hold")
        row = under_way.status.comparison[-1]
        assert (row.metric, row.verdict, row.canary.total, row.canary.events) == ("restarts", "within tolerance", 10, 0)
        restarted(under_way, "OOMKilled")
        under_way.judged("hold")
        row = under_way.status.comparison[0]
        assert (row.verdict, row.canary.events, row.canary.estimate, row.stable.events) == ("worse", 1, 0.1, 0)
        assert "out of memory: predictor-v2-a" in row.tested

    def test_the_row_is_not_the_judges_so_replay_leaves_it_out_I8(self, under_way: Play) -> None:
        restarted(under_way)
        under_way.judged("hold")
        (row,) = under_way.status.comparison
        book = Book("predictor", start=under_way.now)
        book.observe(3, canary_errors=0.01)
        record = book.take("hold")
        with_row = record.model_copy(update={"comparison": (row, *record.comparison)})
        assert judgement_on_record(with_row) == judge_again(record)


class TestTemplates:
    def test_what_both_arms_run_is_on_record_R26(self, under_way: Play) -> None:
        record = under_way.records[-1]
        assert record.stable_workload is not None
        assert record.canary_workload is not None
        assert (record.stable_workload.template, record.canary_workload.images) == ("t1", ("predictor:t2",))

    def test_another_template_of_the_canary_starts_a_new_rollout_from_zero(self, under_way: Play) -> None:
        before = under_way.status.rollout
        under_way.subject = named("t3")
        under_way.live = replace(under_way.live, canary_workload=workload("t3"))
        under_way.settle()
        after = under_way.status.rollout
        assert before is not None
        assert after is not None
        assert under_way.weights == [10, 0, 10]
        assert (after.id != before.id, after.canary_workload and after.canary_workload.template) == (True, "t3")

    def test_another_template_of_the_canary_after_the_end_starts_a_new_rollout(self, under_way: Play) -> None:
        under_way.judged("rollback")
        under_way.subject = named("t3")
        under_way.live = replace(under_way.live, canary_workload=workload("t3"))
        under_way.settle()
        assert under_way.weights == [10, 0, 10]

    def test_a_workload_that_vanishes_is_no_new_release(self, under_way: Play) -> None:
        under_way.judged("rollback")
        under_way.subject = replace(under_way.subject, template=None)
        under_way.live = replace(under_way.live, canary_workload=None)
        under_way.settle()
        assert under_way.status.phase is Phase.ROLLED_BACK

    def test_another_template_of_the_stable_starts_the_steps_evidence_anew(self, under_way: Play) -> None:
        under_way.judged("promote", after=25)
        under_way.live = replace(under_way.live, stable_workload=workload("t9"))
        under_way.judged("promote", after=15)
        assert under_way.live.weight == 10, "the window began again"
        assert under_way.records[-1].reason == "StableChanged"
        rollout, end = under_way.status.rollout, under_way.status.next_step_time
        assert rollout is not None
        assert end is not None
        assert rollout.step_started_at == end - timedelta(seconds=30), "so that the ticks before do not count for it"
        under_way.judged("promote", after=45)
        assert under_way.live.weight == 50
        assert [record.reason for record in under_way.records].count("StableChanged") == 1

    def test_before_any_traffic_the_stable_may_change(self, ready: Play) -> None:
        ready.subject = named(warmUp={"duration": "30s"})
        ready.turn()
        ready.live = replace(ready.live, stable_workload=workload("t9"))
        ready.settle()
        assert [record.verdict for record in ready.records] == ["start"]
        assert ready.records[0].stable_workload is not None
        assert ready.records[0].stable_workload.template == "t9"

    def test_without_workloads_nothing_is_asked_of_any(self, play: Play) -> None:
        play.settle()
        play.judged("promote", after=45)
        assert (play.live.weight, play.status.comparison) == (50, ())
        assert condition(play, "Stalled")[0] == "False"


def test_evidence_that_starts_anew_proves_nothing_and_forgets_no_regression() -> None:
    """Promotion must be proven again; what speaks for a rollback goes on, as between steps."""
    policy = judge_policy(subject().plan.policy, 20)
    seen = Evidence(Counts(100, 1), Counts(900, 9))
    state = State.start(policy)
    for _ in range(30):
        state, rows, _ = judge(policy, state, Tick(0, {"error-rate": seen, GUARD: seen}), window=2)
    assert rows[0].promote == 1
    again = State.unpack(state.disturbed().pack(), policy)
    after, rows, verdict = judge(policy, again, Tick(0, {"error-rate": seen, GUARD: seen}), window=2)
    assert (rows[0].promote < 1, verdict.verdict) == (True, "hold")
    assert rows[0].canary.total == 100
    assert after.ticks == state.ticks + 1
