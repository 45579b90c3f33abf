"""Two arms of one stable: nothing is lost, nothing counts twice, and what is missing stays missing (I3)."""

import numpy as np
import pytest

from serinus.backtest import pitted, reversed_roles, split_evenly, thinned_arms
from serinus.judge import Classes, Counts, Events, Evidence, Histogram, Missing
from tests.backtest.windows import generator

ONE, OTHER = Evidence(stable=Counts(10.0, 1.0)), Evidence(stable=Counts(20.0, 3.0))


def test_pods_alternate_and_each_is_in_one_half() -> None:
    one, other = split_evenly(["d", "a", "c", "b", "e"])
    assert (one, other) == (("a", "c", "e"), ("b", "d"))


def test_one_half_plays_the_canary_and_they_take_turns() -> None:
    tick = {"errors": pitted(ONE, OTHER)}
    assert tick["errors"] == Evidence(Counts(10.0, 1.0), Counts(20.0, 3.0))
    assert reversed_roles(tick)["errors"] == Evidence(Counts(20.0, 3.0), Counts(10.0, 1.0))


@pytest.mark.parametrize("missing", [Missing.STALE, Missing.RESET, Missing.PARTIAL, Missing.UNREACHABLE])
def test_what_one_half_lacks_both_lack_I3(missing: Missing) -> None:
    lacking = Evidence(stable=Counts(5.0, 0.0), missing=missing)
    assert pitted(ONE, lacking).missing is pitted(lacking, OTHER).missing is missing


def test_a_half_without_requests_is_chance_and_both_without_are_no_traffic_I3() -> None:
    idle = Evidence(stable=Counts(), missing=Missing.NO_TRAFFIC)
    assert pitted(ONE, idle) == Evidence(Counts(10.0, 1.0), Counts())
    assert pitted(idle, idle).missing is Missing.NO_TRAFFIC


def test_what_reached_no_pod_is_neither_halfs() -> None:
    assert pitted(Evidence(stable=Counts(5.0, 0.0), missing=Missing.UNATTRIBUTED), OTHER).missing is None


SAMPLES = [
    Counts(101.0, 7.0),
    Counts(100.7, 7.3),
    Histogram((10.0, 100.0, np.inf), np.array([40.0, 90.0, 101.0])),
    Classes(("a", "b"), np.array([60.0, 41.0])),
    Events(101.0, 30.0),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_divided_requests_add_up(sample: Counts | Histogram | Classes | Events) -> None:
    rng = generator()
    first = []
    for _ in range(200):
        arms = thinned_arms(Evidence(stable=sample), rng)
        one, other = (_numbers(each) for each in (arms.canary, arms.stable))
        assert one + other == pytest.approx(_numbers(sample))
        first.append(one)
    assert np.mean(first, axis=0) == pytest.approx(_numbers(sample) / 2, rel=0.1)


def test_nothing_is_divided_where_nothing_is_known_I3() -> None:
    assert thinned_arms(Evidence(missing=Missing.NO_SERIES), generator()) == Evidence(missing=Missing.NO_SERIES)


def _numbers(sample: object) -> np.ndarray:
    match sample:
        case Counts(n, x):
            return np.array([n, x])
        case Histogram(_, cumulative):
            return cumulative
        case Classes(_, counts):
            return counts
        case Events(x, exposure):
            return np.array([x, exposure])
    raise AssertionError(sample)
