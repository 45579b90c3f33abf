"""Latencies of both arms on the same bounds, in milliseconds, that stay the same from tick to tick."""

from dataclasses import dataclass
from functools import lru_cache
from math import inf, isclose, isnan, log2, nan

import numpy as np

from serinus.judge.evidence import Floats, Histogram
from serinus.metrics.answers import NativeHistogram
from serinus.metrics.reading import Counted

_FINENESS = 3  # bounds are a factor of 2^(1/8) apart, which the usual native histograms have
_LOWEST, _HIGHEST = 0.1, 64_000.0  # milliseconds: what lies beyond is told apart no further


_Key = tuple[str, ...]
"""What a bucket is called: the value of its label `le`."""


class HistogramError(ValueError):
    """Buckets that cannot be compared; the message says why."""


def histograms(canary: Counted, stable: Counted, unit: float) -> tuple[Histogram, Histogram]:
    """Both arms' requests by duration. `unit`: milliseconds in one unit of the buckets. Raises HistogramError.

    Classic histograms keep the bounds that both arms have. Native ones get the bounds unit · 2^(k/8) that the coarser
    of the two has, so that the bounds do not depend on which buckets happen to be empty.
    """
    if canary.native is not None or stable.native is not None:
        if canary.rises or stable.rises:
            raise HistogramError("one arm has native histograms, the other classic ones")
        return _native(canary.native, stable.native, unit)
    buckets = _common(tuple(canary.rises), tuple(stable.rises), unit)
    return _classic(buckets.bounds, buckets.canary, canary), _classic(buckets.bounds, buckets.stable, stable)


@dataclass(frozen=True, slots=True)
class _Buckets:
    """The bounds that both arms have, and what the buckets are called there; nothing of an arm that has none."""

    bounds: tuple[float, ...]
    canary: tuple[_Key, ...]
    stable: tuple[_Key, ...]


@lru_cache(maxsize=1024)
def _common(canary: tuple[_Key, ...], stable: tuple[_Key, ...], unit: float) -> _Buckets:
    """Of the few sets of buckets that all histograms have."""
    of_canary, of_stable = ({_bound(key) * unit: key for key in keys} for keys in (canary, stable))
    # An arm without requests may be without series: it has the other's bounds.
    known = [set(found) for found in (of_canary, of_stable) if found]
    bounds = tuple(sorted(set.intersection(*known))) if known else (inf,)
    if bounds[-1:] != (inf,):
        raise HistogramError('a bucket le="+Inf" is missing')
    called = (tuple(found[bound] for bound in bounds if found) for found in (of_canary, of_stable))
    return _Buckets(bounds, *called)


def _bound(key: _Key) -> float:
    try:
        bound = float(key[0])
    except ValueError:
        bound = nan
    if isnan(bound):
        raise HistogramError("the label `le` must hold numbers: is it a histogram?")
    return bound


def _classic(bounds: tuple[float, ...], called: tuple[_Key, ...], counted: Counted) -> Histogram:
    counts = [counted.rises[key] for key in called] or [0.0] * len(bounds)
    try:
        return Histogram(bounds, np.array(counts))
    except ValueError as error:
        raise HistogramError("the buckets do not add up: do all pods have the same ones?") from error


def _native(canary: NativeHistogram | None, stable: NativeHistogram | None, unit: float) -> tuple[Histogram, Histogram]:
    coarseness = min([_FINENESS, *(_schema(found) for found in (canary, stable) if found and _proper(found))])
    steps = 2.0**coarseness  # bounds per doubling
    exponents = range(int(np.ceil(log2(_LOWEST / unit) * steps)), int(np.floor(log2(_HIGHEST / unit) * steps)) + 1)
    bounds = np.array([2.0 ** (exponent / steps) for exponent in exponents])
    in_milliseconds = (*(float(bound * unit) for bound in bounds), inf)
    return (
        Histogram(in_milliseconds, _cumulative(canary, bounds)),
        Histogram(in_milliseconds, _cumulative(stable, bounds)),
    )


def _proper(histogram: NativeHistogram) -> list[tuple[float, float, float]]:
    """The buckets on a logarithmic scale: all but the one around zero."""
    return [bucket for bucket in histogram.buckets if bucket[0] > 0]


def _schema(histogram: NativeHistogram) -> int:
    """The number n of a histogram whose buckets are a factor of 2^(2^-n) wide."""
    widths = [log2(high / low) for low, high, _ in _proper(histogram)]
    schema = round(-log2(widths[0]))
    if not all(isclose(width, 2.0**-schema, rel_tol=1e-6) for width in widths):
        raise HistogramError("its buckets are custom ones; ask for the classic histogram, name_bucket, instead")
    return schema


def _cumulative(histogram: NativeHistogram | None, bounds: Floats) -> Floats:
    counts = np.zeros(len(bounds) + 1)
    if histogram is None:
        return counts
    # A hair's breadth: the server's bounds and these are the same numbers, calculated differently.
    reached = np.searchsorted(bounds * (1 + 1e-9), [high for _, high, _ in histogram.buckets])
    np.add.at(counts, reached, [count for _, _, count in histogram.buckets])
    return np.asarray(np.cumsum(counts))
