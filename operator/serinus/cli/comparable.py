"""Both arms' samples of one tick, brought to what can be compared: the same bounds, the same classes."""

import numpy as np

from serinus.judge.evidence import Classes, Histogram, Sample


def comparable(canary: Sample, stable: Sample) -> tuple[Sample, Sample]:
    """The samples, of one kind, as the judge compares them.

    Histograms keep the bounds that both have: a count up to a bound is the same whatever bounds are beside it. An arm
    without requests has all bounds of the other: it has counted 0 up to each. A class that one arm lacks has come 0
    times there.
    """
    match canary, stable:
        case Histogram(), Histogram() if canary.bounds != stable.bounds:
            bounds = _bounds(canary, stable)
            return _at(canary, bounds), _at(stable, bounds)
        case Classes(), Classes() if canary.names != stable.names:
            names = tuple(sorted({*canary.names} | {*stable.names}))
            return _of(canary, names), _of(stable, names)
        case _:
            return canary, stable


def _bounds(canary: Histogram, stable: Histogram) -> tuple[float, ...]:
    if canary.n == 0 or stable.n == 0:
        return stable.bounds if canary.n == 0 else canary.bounds
    return tuple(sorted({*canary.bounds} & {*stable.bounds}))


def _at(histogram: Histogram, bounds: tuple[float, ...]) -> Histogram:
    if histogram.n == 0:
        return Histogram(bounds, np.zeros(len(bounds)))
    return Histogram(bounds, histogram.cumulative[np.searchsorted(histogram.bounds, bounds)])


def _of(classes: Classes, names: tuple[str, ...]) -> Classes:
    counts = dict(zip(classes.names, classes.counts, strict=True))
    return Classes(names, np.array([counts.get(name, 0.0) for name in names]))
