"""Two arms of one stable: its pods in halves, or its requests by chance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from serinus.judge import Classes, Counts, Events, Evidence, Histogram, Missing, Sample
from serinus.judge.evidence import Floats

# A half may happen to have no request in a tick, and what reached no pod is neither half's.
_NOT_LACKING = frozenset({Missing.NO_TRAFFIC, Missing.UNATTRIBUTED})


def split_evenly(pods: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The pods in two halves, alternating in the order of their names: neighbours are on one machine more often."""
    ordered = sorted(pods)
    return tuple(ordered[0::2]), tuple(ordered[1::2])


def pitted(one: Evidence, other: Evidence) -> Evidence:
    """One half of the stable, as the canary, against the other."""
    lacking = [each.missing for each in (one, other) if each.missing is not None]
    missing = next((each for each in lacking if each not in _NOT_LACKING), None)
    if missing is None and lacking == [Missing.NO_TRAFFIC] * 2:
        missing = Missing.NO_TRAFFIC
    return Evidence(one.stable, other.stable, missing=missing)


def reversed_roles(tick: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """The tick in which the other half is the canary."""
    return {name: replace(each, canary=each.stable, stable=each.canary) for name, each in tick.items()}


def thinned_arms(whole: Evidence, rng: Generator) -> Evidence:
    """The stable against itself where its pods cannot be told apart: each request falls to either arm by chance."""
    if whole.stable is None:
        return Evidence(missing=whole.missing)
    canary, stable = _thinned(whole.stable, rng)
    return Evidence(canary, stable, missing=None if whole.missing is Missing.UNATTRIBUTED else whole.missing)


def _thinned(sample: Sample, rng: Generator) -> tuple[Sample, Sample]:
    match sample:
        case Counts(n, x):
            every = np.array([x, n - x])
            own = _half(every, rng)
            one, other = (Counts(float(each.sum()), float(each[0])) for each in (own, every - own))
            return one, other
        case Histogram(bounds, cumulative):
            in_buckets = np.diff(cumulative, prepend=0.0)
            own = _half(in_buckets, rng)
            return Histogram(bounds, np.cumsum(own)), Histogram(bounds, np.cumsum(in_buckets - own))
        case Classes(names, counts):
            own = _half(counts, rng)
            return Classes(names, own), Classes(names, counts - own)
        case Events(x, exposure):
            own = _half(np.asarray(x), rng)
            return Events(float(own), exposure / 2), Events(float(x - own), exposure / 2)
    raise TypeError(f"{type(sample).__name__} has no requests that could be divided")


def _half(counts: Floats, rng: Generator) -> Floats:
    """Of each number of requests those that fall to the first arm; what a server counts in fractions is divided so."""
    whole = np.floor(counts)
    return rng.binomial(whole.astype(int), 0.5) + (counts - whole) / 2
