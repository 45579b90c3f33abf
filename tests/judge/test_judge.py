"""Verdicts: what rolls back, what promotes, what holds, and that the state survives any interruption."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from serinus.judge import (
    GUARD,
    Boundary,
    Counts,
    Evidence,
    Missing,
    Policy,
    Proportion,
    State,
    StateError,
    Tick,
    Verdict,
    judge,
)

TWO_POINTS = Boundary(delta=0.02)
ERRORS = Proportion("error-rate", tolerance=TWO_POINTS, margin=TWO_POINTS, tolerance_text="+2 pp")
POLICY = Policy(metrics=(ERRORS,), guard=TWO_POINTS)
GOOD = Evidence(Counts(300, 3), Counts(2700, 27))
BAD = Evidence(Counts(300, 60), Counts(2700, 27))


def verdicts(*ticks: Evidence, policy: Policy = POLICY, window: int = 0, bake: bool = False) -> Iterator[Verdict]:
    """The verdict after each tick of one step, the same evidence for every metric."""
    state = State.start(policy)
    for seen in ticks:
        named = {metric.name: seen for metric in policy.metrics} | {GUARD: seen}
        state, _, verdict = judge(policy, state, Tick(0, named, bake=bake), window=window)
        yield verdict


def last(*ticks: Evidence, policy: Policy = POLICY, window: int = 0, bake: bool = False) -> Verdict:
    return list(verdicts(*ticks, policy=policy, window=window, bake=bake))[-1]


def test_twenty_percent_errors_roll_back_at_the_first_tick() -> None:
    verdict = last(BAD)
    assert verdict.verdict == "rollback"
    assert "20.0 % against 1.00 %, +19 pp" in verdict.message
    assert "tolerance +2 pp" in verdict.message


def test_a_rollback_may_come_before_the_window_is_over_R04() -> None:
    assert last(BAD, window=10_000).verdict == "rollback"


def test_a_promotion_never_comes_before_the_window_is_over_R04() -> None:
    verdict = last(*[GOOD] * 20, window=10_000)
    assert (verdict.verdict, verdict.reason) == ("hold", "WindowOpen")


def test_an_identical_canary_is_promoted() -> None:
    assert last(*[GOOD] * 20).verdict == "promote"


def test_too_few_requests_wait_R10() -> None:
    verdict = last(Evidence(Counts(37, 0), Counts(5000, 5)))
    assert (verdict.verdict, verdict.reason) == ("hold", "WaitingForRequests")
    assert "37/100 in the canary arm" in verdict.message


@pytest.mark.parametrize("missing", list(Missing))
def test_missing_data_never_promote_and_never_alone_roll_back_I3(missing: Missing) -> None:
    verdict = last(*[GOOD] * 20, Evidence(missing=missing))
    assert verdict.verdict == "hold"
    assert verdict.reason not in ("Undecided", "WindowOpen")


def test_a_promotion_needs_the_last_two_ticks_I2() -> None:
    gap = Evidence(missing=Missing.UNREACHABLE)
    found = list(verdicts(*[GOOD] * 30, gap, GOOD, GOOD))
    assert [verdict.verdict for verdict in found[-4:]] == ["promote", "hold", "hold", "promote"]


def test_a_promotion_needs_nine_tenths_of_the_window_I2() -> None:
    """Of ten ticks nine must have data; an outage is made up for by holding longer."""
    gap = Evidence(missing=Missing.UNREACHABLE)
    found = list(verdicts(*[GOOD] * 4, *[gap] * 4, *[GOOD] * 5, window=10))
    assert [verdict.reason for verdict in found[-2:]] == ["DataIncomplete", "WithinMargins"]


def test_a_tick_in_which_the_weight_changed_rolls_back_but_never_promotes() -> None:
    assert last(replace(BAD, straddles=True)).verdict == "rollback"
    verdict = last(*[GOOD] * 20, replace(GOOD, straddles=True))
    assert (verdict.verdict, verdict.reason) == ("hold", "WeightChanging")


def test_a_canary_that_has_just_turned_bad_is_not_promoted_on_its_past() -> None:
    """The cap on promote wealth: 100 good ticks, then 20 at 3 % where 2 % is the limit."""
    one_point = Boundary(delta=0.01)
    policy = Policy(metrics=(replace(ERRORS, tolerance=one_point, margin=one_point),), guard=one_point)
    turned = Evidence(Counts(300, 9), Counts(2700, 27))
    assert last(*[GOOD] * 100, *[turned] * 20, policy=policy).verdict != "promote"


def test_a_late_regression_is_found_as_well() -> None:
    """The restarts: 5 % errors from tick 480 of a plan of 240."""
    late = Evidence(Counts(300, 15), Counts(2700, 27))
    found = list(verdicts(*[GOOD] * 480, *[late] * 12, window=10_000))
    assert any(verdict.verdict == "rollback" for verdict in found[480:])


def test_the_guard_rolls_back_a_spike_whatever_the_tolerance_R08() -> None:
    wide = Boundary(delta=0.5)
    policy = Policy(metrics=(replace(ERRORS, tolerance=wide, margin=wide),), guard=TWO_POINTS)
    verdict = last(*[Evidence(Counts(300, 75), Counts(2700, 27))] * 3, policy=policy)
    assert (verdict.verdict, verdict.reason) == ("rollback", "ErrorSpike")


def test_the_guard_does_not_blame_a_canary_for_what_stable_does_too_R08() -> None:
    verdict = last(*[Evidence(Counts(300, 75), Counts(2700, 675))] * 10)
    assert verdict.verdict != "rollback"


@pytest.mark.parametrize("reaction", ["hold", "report"])
def test_a_metric_rolls_back_only_if_it_may(reaction: str) -> None:
    business = Proportion("conversion", TWO_POINTS, TWO_POINTS, on_regression=reaction)  # type: ignore[arg-type]
    policy = Policy(metrics=(business,), guard=TWO_POINTS)
    state = State.start(policy)
    for _ in range(20):
        evidence = {"conversion": BAD, GUARD: GOOD}
        state, rows, verdict = judge(policy, state, Tick(0, evidence), window=0)
    assert rows[0].verdict == "worse"
    assert verdict.verdict == ("hold" if reaction == "hold" else "promote")


def test_where_more_is_better_a_fall_is_a_regression() -> None:
    """Conversion 3.1 %, at most 3 % of it may be lost: 2.0 % rolls back, 3.1 % never does."""
    boundary = Boundary.of(absolute=0.0, relative=0.03, higher_is_better=True)
    conversion = Proportion("conversion", boundary, boundary, higher_is_better=True)
    policy = Policy(metrics=(conversion,), guard=TWO_POINTS)
    quiet = Evidence(Counts(30_000, 30), Counts(30_000, 30))

    def judged(converted: int) -> Verdict:
        state = State.start(policy)
        for _ in range(10):
            seen = {"conversion": Evidence(Counts(30_000, converted), Counts(30_000, 930)), GUARD: quiet}
            state, _, verdict = judge(policy, state, Tick(0, seen), window=0)
        return verdict

    assert judged(600).verdict == "rollback"
    assert judged(930).verdict != "rollback"


def test_all_traffic_on_the_canary_is_judged_by_what_stable_was() -> None:
    """The bake at 100 %: one arm is left, its limit is the stable's rate as last seen."""
    policy = POLICY
    state = State.start(policy)
    for _ in range(20):
        state, _, _ = judge(policy, state, Tick(0, {"error-rate": GOOD, GUARD: GOOD}), window=0)

    def bake(errors: int) -> Verdict:
        current, seen = state, Evidence(Counts(3000, errors), Counts())
        for _ in range(3):
            tick = Tick(1, {"error-rate": seen, GUARD: seen}, bake=True)
            current, _, verdict = judge(policy, current, tick, window=0)
        return verdict

    assert bake(30).verdict == "promote"
    assert bake(300).verdict == "rollback"


def test_worse_rows_come_first_R22() -> None:
    names = ("fine", "broken")
    policy = Policy(metrics=tuple(replace(ERRORS, name=name) for name in names), guard=TWO_POINTS)
    evidence = {"fine": GOOD, "broken": BAD, GUARD: GOOD}
    _, rows, _ = judge(policy, State.start(policy), Tick(0, evidence), window=0)
    assert [row.metric.name for row in rows] == ["broken", "fine"]


def test_a_new_step_starts_promotion_anew_and_remembers_what_speaks_for_rollback() -> None:
    state = State.start(POLICY)
    doubtful = Evidence(Counts(300, 14), Counts(2700, 27))
    for _ in range(4):
        tick = Tick(0, {"error-rate": doubtful, GUARD: doubtful})
        state, rows, _ = judge(POLICY, state, tick, window=0)
    before = rows[0]
    empty = Evidence()
    state, rows, _ = judge(POLICY, state, Tick(1, {"error-rate": empty, GUARD: empty}), window=0)
    assert rows[0].canary.total == 0
    assert rows[0].promote == pytest.approx(0, abs=1e-6)
    assert rows[0].rollback == pytest.approx(before.rollback, abs=1e-6)


def test_an_empty_tick_teaches_nothing() -> None:
    state = State.start(POLICY)
    state, before, _ = judge(POLICY, state, Tick(0, {"error-rate": BAD, GUARD: BAD}), window=10_000)
    empty = {"error-rate": Evidence(), GUARD: Evidence()}
    _, after, _ = judge(POLICY, state, Tick(0, empty), window=10_000)
    assert after[0].rollback == pytest.approx(before[0].rollback, abs=1e-6)


def test_stopping_and_resuming_at_any_tick_gives_the_same_bytes() -> None:
    rng = np.random.default_rng(7)
    ticks = [
        Evidence(Counts(300, int(rng.binomial(300, 0.02))), Counts(2700, int(rng.binomial(2700, 0.01))))
        for _ in range(40)
    ]
    straight = resumed = State.start(POLICY)
    for index, seen in enumerate(ticks):
        tick = Tick(index // 15, {"error-rate": seen, GUARD: seen})
        straight, _, _ = judge(POLICY, straight, tick, window=0)
        resumed, _, _ = judge(POLICY, State.unpack(resumed.pack(), POLICY), tick, window=0)
        assert resumed.pack() == straight.pack()


def test_the_state_of_eight_metrics_fits_in_a_status() -> None:
    policy = Policy(metrics=tuple(replace(ERRORS, name=f"m{index}") for index in range(8)), guard=TWO_POINTS)
    assert len(State.start(policy).pack()) < 12_000


@pytest.mark.parametrize("text", ["", "no base64!", "AAAA", State.start(POLICY).pack()[:-8]])
def test_a_damaged_state_is_refused(text: str) -> None:
    with pytest.raises(StateError):
        State.unpack(text, POLICY)


def test_the_interval_covers_the_true_difference() -> None:
    """99 % at all looks together: 60 rollouts of 60 looks must not miss more than a few times."""
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(60):
        state = State.start(POLICY)
        covered = True
        for _ in range(60):
            seen = Evidence(Counts(300, int(rng.binomial(300, 0.025))), Counts(2700, int(rng.binomial(2700, 0.01))))
            state, rows, _ = judge(POLICY, state, Tick(0, {"error-rate": seen, GUARD: seen}), window=10_000)
            low, high = rows[0].low, rows[0].high
            covered &= (low is None or low <= 0.015) and (high is None or high >= 0.015)
        assert low is not None
        assert high is not None
        missed += not covered
    assert missed <= 3


def test_a_spike_does_not_wait_for_a_stable_arm_that_is_silent_R08() -> None:
    verdict = last(*[Evidence(Counts(300, 120), Counts(), missing=Missing.NO_TRAFFIC)] * 3)
    assert (verdict.verdict, verdict.reason) == ("rollback", "ErrorSpike")


def test_the_interval_follows_a_canary_that_turns_bad_within_a_step() -> None:
    state = State.start(POLICY)
    for seen in [GOOD] * 30 + [BAD] * 30:
        state, rows, _ = judge(POLICY, state, Tick(0, {"error-rate": seen, GUARD: seen}), window=0)
    row = rows[0]
    assert row.difference is not None
    assert (row.low or -1) <= row.difference <= (row.high or 1)
