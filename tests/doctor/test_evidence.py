"""Before a rollout one knows whether its evidence will be there, and enough of it."""

import math
from typing import Any

import numpy as np
import pytest

from serinus.doctor import Answer, Finding, Look, examine_evidence, read_plan
from serinus.judge import GUARD, Counts, Histogram, Missing
from serinus.metrics import Doubt
from serinus.rollout import Plan
from tests.doctor.facts import facts, manifest

SECONDS = 600.0
PROVEN = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}


def plan(**policy: Any) -> Plan:
    found = read_plan(facts(manifest(policy={"metrics": [PROVEN], **policy})))
    assert not isinstance(found, Finding)
    return found.plan


def look(*answers: Answer, requests: float = 60_000, failed: float = 60, is_whole: bool = True) -> Look:
    return Look(SECONDS, (Answer(GUARD, Counts(requests, failed), None), *answers), is_whole)


def doubted(missing: Missing, detail: str = "") -> Answer:
    return Answer("error-rate", None, Doubt("error-rate", missing, detail, "the_query"))


def bad(seen: Look, **policy: Any) -> list[Finding]:
    """What is not fine."""
    found = [each for each in examine_evidence(plan(**policy), seen) if each.level != "fine"]
    assert all(each.why and each.do for each in found)
    return found


def test_a_metric_with_enough_of_everything_is_fine() -> None:
    assert bad(look(Answer("error-rate", Counts(60_000, 60), None))) == []


def test_a_prometheus_that_cannot_be_asked_is_one_error_however_many_metrics_there_are() -> None:
    away = doubted(Missing.UNREACHABLE, "http://127.0.0.1:1: no answer")
    (finding,) = bad(Look(SECONDS, (away, away), is_whole=False))
    assert (finding.level, finding.what) == ("error", "Prometheus cannot be asked: http://127.0.0.1:1: no answer")


@pytest.mark.parametrize(
    ("missing", "level"),
    [(Missing.NO_SERIES, "error"), (Missing.NO_TRAFFIC, "warning"), (Missing.PARTIAL, "warning")],
)
def test_what_is_missing_is_named_with_the_query_I3(missing: Missing, level: str) -> None:
    (finding,) = bad(look(doubted(missing)))
    assert finding.level == level
    assert finding.what == f"error-rate: {missing.value} in the last 10m: the_query"


def test_a_query_of_ones_own_that_knows_no_canary_is_a_warning() -> None:
    (finding,) = bad(look(Answer("conversion", Counts(10, 1), None, canary=False)))
    assert (finding.level, finding.what) == ("warning", "conversion: the query has no series of the canary")


def test_too_little_traffic_is_a_warning_with_the_window_that_would_do() -> None:
    """0.5 requests a second: a tenth of them brings 100 in 2000 s, a half in 400 s."""
    (finding,) = bad(look(requests=300, failed=0))
    assert finding.what == (
        "0.5 requests a second are too few for minRequests (100) in the window: 10 % needs 33m20s, not 15m"
    )


def test_a_stable_that_was_not_counted_all_the_time_is_not_said_to_have_too_few_requests() -> None:
    """It came a minute ago: 300 requests in that minute would be enough, and in ten they would not."""
    assert bad(look(requests=300, failed=0, is_whole=False)) == []
    told = [each.what for each in examine_evidence(plan(), look(requests=300, failed=0, is_whole=False))]
    assert told[-1] == "the last 10m were not counted as a whole: it is too early to say"


def test_it_is_the_smaller_arm_that_must_have_enough() -> None:
    assert bad(look(requests=300, failed=0), minRequests=30) == []
    ladder = [{"weight": 90, "window": "15m"}, {"weight": 100, "window": "0s"}]
    found = read_plan(facts(manifest(ladder=ladder)))
    assert not isinstance(found, Finding)
    told = [each.what for each in examine_evidence(found.plan, look(requests=300, failed=0)) if each.level != "fine"]
    assert told[0].endswith("90 % needs 33m20s, not 15m")


@pytest.mark.parametrize(("failed", "levels"), [(4_000, ["error"]), (2_000, ["warning"]), (1_000, [])])
def test_a_service_that_fails_as_often_as_the_guard_allows_would_be_rolled_back_R08(
    failed: float, levels: list[str]
) -> None:
    """Of 40 000 requests, with the guard's spike at 10 %."""
    assert [each.level for each in bad(look(requests=40_000, failed=failed))] == levels


LATENCY = {"name": "latency", "template": "istio-latency", "quantiles": [0.9], "tolerance": {"duration": "50ms"}}


def latencies(*bounds: float) -> Answer:
    """Ten thousand requests around 100 ms, counted by buckets with these bounds."""
    drawn = np.random.default_rng(7).lognormal(math.log(100), 0.3, 10_000)
    inner = [float((drawn <= bound).sum()) for bound in bounds]
    return Answer("latency", Histogram((*bounds, math.inf), np.array([*inner, 10_000.0])), None)


def test_buckets_that_resolve_the_tolerance_are_fine() -> None:
    fine = latencies(*(10.0 * number for number in range(1, 60)))
    assert bad(look(fine), metrics=[PROVEN, LATENCY]) == []


def test_buckets_too_coarse_for_the_tolerance_are_a_warning_that_names_the_quantile() -> None:
    (finding,) = bad(look(latencies(1, 10, 1000, 10_000)), metrics=[PROVEN, LATENCY])
    assert (finding.level, finding.check) == ("warning", "histograms")
    assert finding.what.startswith("no bucket bound is near enough for +50 ms: latency p90 (")


def test_a_quantile_beyond_the_last_bound_is_a_warning() -> None:
    (finding,) = bad(look(latencies(1, 10)), metrics=[PROVEN, LATENCY])
    assert finding.check == "histograms"
