"""What a plan says is what the judge does (R11): every chance beside rollouts that are judged slot by slot."""

from datetime import timedelta

import numpy as np
import pytest

from serinus.judge import Classes, Counts
from serinus.planning import PlanningError, Requests, forecast
from serinus.planning.pace import ticks
from serinus.planning.regressions import POWER, smallest_caught
from serinus.planning.unchanged import simulate
from tests.planning.releases import ERRORS, LATENCY, latencies, release, verdicts

ROLLOUTS = 1000
POINTS = 0.05

FEW = 600  # rollouts of what is slower to simulate: two shares of about 0.9 then differ by 5 points once in 200 times

FINE = (*(2 ** (k / 8) for k in range(-8, 80)), np.inf)
LATENCIES = frozenset({"latency"})
CONVERSION = {
    "name": "conversion",
    "kind": "proportion",
    "better": "higher",
    "query": {"events": "bought_total{ {{arm}} }", "total": "seen_total{ {{arm}} }"},
    "tolerance": {"relative": 0.1},
}
CLASSES = {
    "name": "prediction",
    "kind": "distribution",
    "by": "prediction",
    "query": {"classes": "predictions_total{ {{arm}} }"},
    "tolerance": {"totalVariation": 0.05},
}
SUCCESSES = {"name": "success", "template": "istio-success", "tolerance": {"absolute": 0.02}}
CASES = {
    "1 % of much traffic": (release((1, "15m")), Requests(40, 0.01)),
    "10 % of little traffic": (release((10, "15m")), Requests(4, 0.01)),
    "25 % of hardly any, nothing fails": (release((25, "10m")), Requests(1.5, 0.0)),
    "half, and the stable fails often": (release((50, "5m")), Requests(20, 0.05)),
    "successes": (release((5, "10m"), metrics=(SUCCESSES,)), Requests(20, 0.02)),
    "rare failures of very much": (
        release((1, "5m"), metrics=({**ERRORS, "tolerance": {"absolute": 0.005}},)),
        Requests(1000, 0.001),
    ),
    "half of less than one a second": (release((50, "30m")), Requests(0.6, 0.005)),
}
MEASURED = {
    "latency in classic buckets": (
        release((10, "10m"), metrics=(LATENCY,), measured=LATENCIES),
        Requests(150, 0.01, {"latency": latencies(150)}),
    ),
    "the median of little traffic": (
        release((50, "8m"), metrics=({**LATENCY, "quantiles": [0.5]},), measured=LATENCIES),
        Requests(1, 0.0, {"latency": latencies(1)}),
    ),
    "relative latency in fine buckets": (
        release((25, "5m"), metrics=({**LATENCY, "tolerance": {"relative": 0.25}},), measured=LATENCIES),
        Requests(130, 0.01, {"latency": latencies(130, FINE)}),
    ),
    "latency of 1 % of much traffic": (
        release((1, "15m"), metrics=(LATENCY,), measured=LATENCIES),
        Requests(300, 0.01, {"latency": latencies(300, FINE)}),
    ),
    "errors and latency": (
        release((10, "15m"), metrics=(ERRORS, LATENCY), measured=LATENCIES),
        Requests(130, 0.01, {"latency": latencies(130)}),
    ),
    "a proportion of one's own": (
        release((25, "15m"), metrics=(CONVERSION,), measured=frozenset({"conversion"})),
        Requests(100, 0.0, {"conversion": Counts(50.0, 10.0)}),
    ),
    "classes": (
        release((10, "10m"), metrics=(CLASSES,), measured=frozenset({"prediction"})),
        Requests(60, 0.0, {"prediction": Classes(("a", "b", "c"), np.array([36.0, 18.0, 6.0]))}),
    ),
}


@pytest.mark.parametrize("case", [*CASES, *MEASURED])
def test_the_chance_of_a_promotion_is_within_5_points_of_what_the_judge_does_R11(case: str) -> None:
    planned, requests = (CASES | MEASURED)[case]
    rollouts = ROLLOUTS if case in CASES else FEW
    unchanged = simulate(planned, requests, planned.steps, rollouts, np.random.default_rng(1))
    window = planned.slots(planned.steps[0].window)
    told = (unchanged.promoted(0, window) <= window).mean()
    judged = verdicts(planned, requests, requests.error_rate, rollouts, np.random.default_rng(2))[-1] > 0
    assert 0.05 < judged.mean() < 0.995, "a case in which hardly anything is left to chance says nothing"
    assert told == pytest.approx(judged.mean(), abs=POINTS)


@pytest.mark.parametrize("case", ["10 % of little traffic", "half, and the stable fails often", "successes"])
def test_the_smallest_regression_is_caught_as_often_as_is_said_R11(case: str) -> None:
    planned, requests = CASES[case]
    (rate,) = smallest_caught(planned, requests, 200, np.random.default_rng(1))
    assert rate is not None
    judged = verdicts(planned, requests, rate, ROLLOUTS, np.random.default_rng(2)) < 0
    assert judged.any(axis=0).mean() == pytest.approx(POWER, abs=POINTS)


def test_too_little_traffic_for_the_window_is_said_beforehand_with_how_long_it_would_take_R11() -> None:
    told, _ = forecast(release((1, "15m"), (50, "15m")), Requests(5, 0.01), np.random.default_rng(1))
    first, second, last = told.steps
    assert (first.canary_requests, first.stable_requests) == pytest.approx((45, 4455))
    assert first.promoted == 0.0
    assert second.promoted is not None
    assert second.promoted > 0.9
    assert first.most_by is not None
    assert told.most_by is not None
    assert timedelta(hours=1) < first.most_by < told.most_by < timedelta(hours=12)
    assert (last.promoted, last.most_by) == (None, timedelta())


def test_of_a_week_and_more_nothing_is_said() -> None:
    margin = {**ERRORS, "tolerance": {"absolute": 0.0}, "margin": {"absolute": 0.0001}}
    told, _ = forecast(release((1, "15m"), metrics=(margin,)), Requests(1, 0.01), np.random.default_rng(1))
    assert (told.steps[0].half_by, told.most_by) == (None, None)


def test_a_bake_lasts_as_long_as_its_window_and_its_least_requests_need_R10() -> None:
    baked = release((50, "15m"), ladder=[{"weight": 50, "window": "15m"}, {"weight": 100, "window": "1m"}])
    told, _ = forecast(baked, Requests(1, 0.01), np.random.default_rng(1))
    assert told.steps[-1].most_by == timedelta(seconds=105)  # 100 requests, in whole ticks


def test_the_chance_to_miss_a_deadline_is_told() -> None:
    told, _ = forecast(release((1, "15m"), deadline="20m"), Requests(5, 0.01), np.random.default_rng(1))
    assert told.missing_deadline == 1.0


def test_metrics_that_an_error_rate_says_nothing_about_are_named() -> None:
    mixed = release((50, "1m"), metrics=(ERRORS, LATENCY))
    told, _ = forecast(mixed, Requests(100, 0.01), np.random.default_rng(1))
    assert told.unplanned == ("latency",)
    with pytest.raises(PlanningError, match=r"no metric of the policy .* counts failed requests"):
        forecast(release((50, "1m"), metrics=(LATENCY,)), Requests(100, 0.01), np.random.default_rng(1))


def test_metrics_that_were_measured_are_planned_with_the_rest_R11() -> None:
    errors, rng = release((10, "15m"), metrics=(ERRORS, LATENCY)), np.random.default_rng
    both, requests = MEASURED["errors and latency"]
    alone, _ = forecast(errors, Requests(130, 0.01), rng(1))
    told, _ = forecast(both, requests, rng(1))
    assert (alone.unplanned, told.unplanned) == (("latency",), ())
    assert told.steps[0].promoted is not None
    assert alone.steps[0].promoted is not None
    assert told.steps[0].promoted < alone.steps[0].promoted, "a promotion waits for both"
    assert told.steps[0].caught == pytest.approx(alone.steps[0].caught, rel=0.1)


def test_a_policy_of_latencies_alone_still_has_its_guard_R08() -> None:
    planned, requests = MEASURED["latency in classic buckets"]
    told, _ = forecast(planned, requests, np.random.default_rng(1))
    assert told.steps[0].caught is not None
    assert 0.1 < told.steps[0].caught < 0.3


def test_an_interval_without_requests_is_refused_with_one_that_has_them_I3() -> None:
    with pytest.raises(PlanningError, match=r"^spec\.interval: at 0\.1 .* 22 % .* make it at least 24s$"):
        forecast(release((50, "15m")), Requests(0.1, 0.01), np.random.default_rng(1))


def test_the_same_seed_tells_the_same() -> None:
    planned, requests = release((50, "1m")), Requests(100, 0.01)
    first, again = (forecast(planned, requests, np.random.default_rng(7))[0] for _ in range(2))
    assert first == again


def test_ticks_grow_with_what_has_passed_and_stop_at_every_window() -> None:
    paced = list(ticks({60, 121}, 40_000))
    lengths, ends = zip(*paced, strict=True)
    assert lengths[:40] == (1,) * 40
    assert {60, 121} <= set(ends)
    assert ends[-1] == sum(lengths) == 40_000
    assert all(length <= max(1, (end - length) / 20) for length, end in paced)
    assert len(paced) < 250
