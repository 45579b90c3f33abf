"""The simulated traffic is what the rows say that it is."""

import numpy as np
import pytest

from bench.judge.traffic import (
    CLASSIC,
    NATIVE,
    SIZES,
    Clustered,
    Errors,
    Jobs,
    Latencies,
    Memory,
    Predictions,
    Source,
)
from bench.judge.traffic.distribution import FREQUENT
from bench.judge.traffic.latency import share_within
from serinus.judge import Classes, Counts, Events, Histogram, Values
from serinus.judge.evidence import Sample

ROLLOUTS = 4000


def first(source: Source, ticks: int = 1) -> tuple[Sample, Sample]:
    """The sample pair of tick number `ticks`."""
    stream = source.ticks(np.random.default_rng(1), ROLLOUTS)
    return [next(stream) for _ in range(ticks)][-1]


def test_errors_fail_as_often_as_they_should_and_turn_bad_when_they_should() -> None:
    source = Errors(canary=0.5, good_ticks=3)
    for tick, expected in ((3, 0.01), (4, 0.5)):
        canary, _ = first(source, tick)
        assert isinstance(canary, Counts)
        assert np.mean(canary.x) / SIZES.canary == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("bounds", [CLASSIC, NATIVE], ids=["classic", "native"])
def test_a_slow_canary_takes_so_many_times_as_long_at_every_quantile(bounds: tuple[float, ...]) -> None:
    canary, stable = first(Latencies(bounds, 1.2))
    assert isinstance(canary, Histogram) and isinstance(stable, Histogram)
    assert stable.cumulative.mean(axis=0) / SIZES.stable == pytest.approx(share_within(bounds, 100.0), abs=0.002)
    slowed = share_within(np.array(bounds) / 1.2, 100.0)
    assert canary.cumulative.mean(axis=0) / SIZES.canary == pytest.approx(slowed, abs=0.004)


def test_only_the_slowest_can_be_slower() -> None:
    canary, _ = first(Latencies(NATIVE, 1.2, above=0.95))
    assert isinstance(canary, Histogram)
    share = canary.cumulative.mean(axis=0) / SIZES.canary
    p90, slow_p99 = np.searchsorted(NATIVE, [190.0, 1.2 * 320.0])
    assert share[p90] == pytest.approx(share_within(NATIVE[p90], 100.0), abs=0.004)
    assert share[slow_p99] == pytest.approx(share_within(NATIVE[slow_p99] / 1.2, 100.0), abs=0.002)


@pytest.mark.parametrize("classes", [10, 30])
def test_predictions_are_apart_by_the_distance_also_when_the_rare_ones_are_folded(classes: int) -> None:
    source = Predictions(classes, 0.05)
    stable, canary = source.stable, source.canary
    assert canary.sum() == pytest.approx(1.0)
    assert np.abs(canary - stable).sum() / 2 == pytest.approx(0.05)
    folded = [np.append(shares[:FREQUENT], shares[FREQUENT:].sum()) for shares in (canary, stable)]
    assert np.abs(folded[0] - folded[1]).sum() / 2 == pytest.approx(0.05)
    seen, _ = first(source)
    assert isinstance(seen, Classes)
    assert seen.counts.mean(axis=0) / SIZES.canary == pytest.approx(canary, abs=0.002)


def test_jobs_come_in_the_ratio_that_is_asked_for() -> None:
    canary, stable = first(Jobs(1.2))
    assert isinstance(canary, Events) and isinstance(stable, Events)
    ratio = np.mean(canary.x / canary.exposure) / np.mean(stable.x / stable.exposure)
    assert ratio == pytest.approx(1.2, rel=0.01)


def test_levels_are_in_the_ratio_that_is_asked_for() -> None:
    canary, stable = first(Memory(1.2))
    assert isinstance(canary, Values) and isinstance(stable, Values)
    assert np.median(canary.values) / np.median(stable.values) == pytest.approx(1.2, rel=0.01)


def test_clustered_errors_vary_phi_times_as_much_in_the_long_run() -> None:
    source = Clustered(canary=0.02, phi=3.0)
    stream = source.ticks(np.random.default_rng(2), 1000)
    ticks = 200
    failed = sum(np.asarray(next(stream)[0].x) for _ in range(ticks))
    binomial = ticks * source.canary_pods * source.per_pod * 0.02 * 0.98
    assert np.var(failed) / binomial == pytest.approx(3.0, rel=0.15)
