"""Samples of several ticks as one."""

import numpy as np

from serinus.judge.evidence import Classes, Counts, Events, Histogram, Sample, Values


def added(one: Sample | None, other: Sample) -> Sample:
    """Two samples of one kind as one; of a latency whose bounds changed, the later one that has any."""
    if one is not None and type(one) is type(other) and _says_nothing(other):
        return one
    match one, other:
        case Counts(), Counts():
            return one + other
        case Events(), Events():
            return Events(one.x + other.x, one.exposure + other.exposure)
        case Histogram(), Histogram() if one.bounds == other.bounds:
            return Histogram(one.bounds, one.cumulative + other.cumulative)
        case Classes(), Classes():
            names = tuple(sorted({*one.names, *other.names}))
            totals = dict.fromkeys(names, 0.0)
            for sample in (one, other):
                for name, count in zip(sample.names, sample.counts.tolist(), strict=True):
                    totals[name] += count
            return Classes(names, np.array(list(totals.values())))
    return other


def _says_nothing(sample: Sample) -> bool:
    """Whether it is of a tick without series: no values, or no bounds but the infinite one."""
    if isinstance(sample, Histogram):
        return len(sample.bounds) == 1
    return isinstance(sample, Values) and not sample.values.size
