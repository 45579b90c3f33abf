"""The rules of today do what their documentation says, on counts that can be checked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from bench.judge.bounds import divergence, information, nearest_null, ticks_needed
from bench.judge.kinds import AT_TOLERANCE, LOOKS
from bench.judge.policies import ALPHA, ONE_POINT
from bench.judge.race import ARGO, DEFAULTS, DIFFERENCE, FLAGGER, KAYENTA, PEEKING, Race, tuned
from bench.judge.rollouts import NEVER, SERINUS
from bench.judge.rules import Counted, Oracle, Rule, count
from bench.judge.traffic import SIZES, Errors, Sizes

HUNDRED = Sizes(100, 900)


def counted(canary: list[float], stable: float = 9.0) -> Counted:
    """One rollout with so many failures of 100 canary requests in each tick; the stable fails 1 %."""
    return Counted(HUNDRED, np.array([canary]), np.full((1, len(canary)), stable))


def rollback(rule: Rule, canary: list[float]) -> float:
    return float(rule.ends(counted(canary)).rollback[0])


def promotion(rule: Rule, canary: list[float]) -> float:
    return float(rule.ends(counted(canary)).promotion[0])


def test_flagger_rolls_back_at_the_tenth_failed_check_of_a_minute() -> None:
    assert rollback(FLAGGER, [2] * 60) == 40
    assert rollback(FLAGGER, [2] * 36 + [0] * 204) == NEVER


def test_flagger_counts_failed_checks_whatever_lies_between() -> None:
    assert rollback(FLAGGER, [*[2] * 4, *[0] * 4] * 15) == 76


def test_flagger_goes_on_at_the_first_check_that_passes() -> None:
    assert promotion(FLAGGER, [2] * 8 + [1] * 8) == 12


def test_argo_rolls_back_at_the_third_failed_measurement_of_five_minutes() -> None:
    assert rollback(ARGO, [6] * 240) == 60
    assert rollback(ARGO, [5] * 240) == NEVER


def test_argo_goes_on_after_ten_minutes_that_have_not_failed() -> None:
    assert promotion(ARGO, [0] * 240) == 40


def test_a_fixed_difference_is_compared_once_a_minute_from_a_hundred_requests_on() -> None:
    assert rollback(DIFFERENCE, [4] * 8) == 4
    assert promotion(DIFFERENCE, [2] * 8) == 4


def test_a_fixed_difference_does_not_wait_for_the_minute_when_one_in_ten_fails() -> None:
    assert rollback(DIFFERENCE, [11] * 8) == 1


def test_kayenta_waits_for_its_run_and_finds_what_is_higher() -> None:
    noise = np.tile([0.0, 1.0, 2.0], 80)
    assert rollback(KAYENTA, list(5 + noise)) == 240


def test_kayenta_does_not_mind_a_higher_mean_whose_ranks_are_no_higher() -> None:
    noise = np.tile([0.0, 1.0, 2.0], 80)
    once = noise + np.where(np.arange(240) == 5, 50.0, 0.0)
    assert KAYENTA.ends(Counted(HUNDRED, once[None], 9 * noise[None])).rollback[0] == NEVER


def test_kayenta_that_runs_more_often_needs_fifty_points_first() -> None:
    assert rollback(replace(KAYENTA, interval=20), [5] * 240) == 60


def test_a_single_z_test_is_right_as_often_as_it_says_and_240_are_not() -> None:
    at_tolerance = count(AT_TOLERANCE, 4000, LOOKS, np.random.default_rng(1))
    alone = replace(at_tolerance, xc=at_tolerance.xc[:, :1], xs=at_tolerance.xs[:, :1])
    assert np.isfinite(PEEKING.ends(alone).rollback).mean() < 0.03
    assert np.isfinite(PEEKING.ends(at_tolerance).rollback).mean() > 0.05


@pytest.mark.parametrize("rule", [FLAGGER, ARGO, PEEKING, DIFFERENCE], ids=lambda rule: rule.name)
def test_needed_is_the_lowest_limit_that_a_rollout_survives(rule: Rule) -> None:
    seen = count(AT_TOLERANCE, 50, LOOKS, np.random.default_rng(2))
    for number, needed in enumerate(rule.needed(seen)):
        one = replace(seen, xc=seen.xc[number : number + 1], xs=seen.xs[number : number + 1])
        assert replace(rule, limit=needed).ends(one).rollback[0] == NEVER
        assert replace(rule, limit=needed - 1e-9).ends(one).rollback[0] < NEVER


def test_what_is_tuned_keeps_the_promise_on_other_traffic_of_the_same_kind() -> None:
    seen = count(AT_TOLERANCE, 4000, LOOKS, np.random.default_rng(3))
    for rule in tuned(4000, np.random.default_rng(4)):
        share = np.isfinite(rule.ends(seen.first(200) if rule.name.startswith("Kayenta") else seen).rollback).mean()
        assert share <= ALPHA + 0.015, rule.name


def test_the_oracle_takes_as_long_as_the_information_says() -> None:
    limit = float(np.log(1 / ALPHA))
    oracle = Oracle("oracle", limit, canary=0.03, stable=0.01, boundary=ONE_POINT, proof=3.0)
    ends = oracle.ends(count(Errors(canary=0.03), 2000, LOOKS, np.random.default_rng(5)))
    needed = ticks_needed(ALPHA, information(SIZES, 0.03, 0.01, ONE_POINT))
    assert needed < ends.rollback.mean() < 1.5 * needed


def test_the_nearest_null_is_on_the_boundary_and_nearer_than_its_neighbours() -> None:
    canary, stable = nearest_null(SIZES, 0.03, 0.01, ONE_POINT)
    assert canary == pytest.approx(stable + 0.01)

    def apart(rate: float) -> float:
        return SIZES.canary * divergence(0.03, rate + 0.01) + SIZES.stable * divergence(0.01, rate)

    assert apart(stable) < min(apart(stable - 1e-4), apart(stable + 1e-4))


def test_no_verdict_comes_before_the_first_tick() -> None:
    assert ticks_needed(0.01, nats_per_tick=1000.0) == 1.0


def test_all_rules_see_the_same_traffic_as_the_judge() -> None:
    ends = Race(Errors(canary=0.5), DEFAULTS)(20, np.random.default_rng(6))
    assert set(ends) > {rule.name for rule in DEFAULTS}
    assert (ends[SERINUS].rollback == 1).all()
    assert (ends[DIFFERENCE.name].rollback == 1).all()
