"""What a metric's sample is made of, as it arrives: events at random times, independent of each other."""

import numpy as np
from numpy.random import Generator

from serinus.judge import Classes, Counts, Events, Histogram, Sample
from serinus.judge.evidence import Floats

PLANNABLE = (Counts, Histogram, Classes, Events)
"""Samples that counted events make up: all but levels, which nobody can foretell from counts."""


def amount(sample: Counts | Histogram | Classes | Events) -> float:
    """How much there is of it: requests, or what events are counted against."""
    return float(sample.exposure if isinstance(sample, Events) else sample.n)


def times(sample: Sample, factor: float) -> Sample:
    """So many times as much of everything: with 1/seconds, what is to be expected in a second."""
    match sample:
        case Counts():
            return Counts(sample.n * factor, sample.x * factor)
        case Histogram():
            return Histogram(sample.bounds, sample.cumulative * factor)
        case Classes():
            return Classes(sample.names, sample.counts * factor)
        case Events():
            return Events(sample.x * factor, sample.exposure * factor)
    raise TypeError(f"{type(sample).__name__} is no sample of counted events")


def drawn(rng: Generator, expected: Sample, factor: Floats) -> Sample:
    """A random sample for each rollout, of which so many times `expected` is to be expected.

    An exposure is not random: it is what events are counted against.
    """
    match expected:
        case Counts():
            x = rng.poisson(factor * expected.x).astype(float)
            return Counts(x + rng.poisson(factor * (expected.n - expected.x)), x)
        case Histogram():
            of_buckets = np.diff(expected.cumulative, prepend=0.0)
            return Histogram(expected.bounds, np.cumsum(_poisson(rng, of_buckets, factor), axis=-1))
        case Classes():
            return Classes(expected.names, _poisson(rng, expected.counts, factor))
        case Events():
            return Events(rng.poisson(factor * expected.x).astype(float), factor * expected.exposure)
    raise TypeError(f"{type(expected).__name__} is no sample of counted events")


def _poisson(rng: Generator, expected: Floats, factor: Floats) -> Floats:
    return rng.poisson(factor[..., None] * expected).astype(float)
