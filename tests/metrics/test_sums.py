"""Samples of several ticks as one: every kind adds up, and a tick without series takes nothing away."""

import numpy as np

from serinus.judge.evidence import Classes, Counts, Events, Histogram, Values
from serinus.metrics import added

INFINITE = (np.inf,)
BOUNDS = (10.0, np.inf)


def histogram(*cumulative: float) -> Histogram:
    return Histogram(BOUNDS if len(cumulative) == 2 else INFINITE, np.array(cumulative))


def numbers(sample: object) -> list[float]:
    assert isinstance(sample, Histogram)
    return sample.cumulative.tolist()


def test_the_first_is_itself() -> None:
    assert added(None, Counts(5.0, 1.0)) == Counts(5.0, 1.0)


def test_counts_and_events_add_up() -> None:
    assert added(Counts(5.0, 1.0), Counts(7.0, 2.0)) == Counts(12.0, 3.0)
    assert added(Events(5.0, 1.0), Events(7.0, 2.0)) == Events(12.0, 3.0)


def test_histograms_add_up_bound_by_bound() -> None:
    assert numbers(added(histogram(1.0, 3.0), histogram(2.0, 4.0))) == [3.0, 7.0]


def test_a_tick_without_series_takes_nothing_away() -> None:
    assert numbers(added(histogram(1.0, 3.0), histogram(0.0))) == [1.0, 3.0]
    assert numbers(added(histogram(0.0), histogram(1.0, 3.0))) == [1.0, 3.0]
    level = Values(np.array([1.0]))
    assert added(level, Values(np.array([]))) is level


def test_classes_that_come_later_join() -> None:
    sum_ = added(Classes(("a",), np.array([1.0])), Classes(("a", "b"), np.array([2.0, 3.0])))
    assert isinstance(sum_, Classes)
    assert (sum_.names, sum_.counts.tolist()) == (("a", "b"), [3.0, 3.0])
