"""Cumulative histograms: on fewer bounds, at indices of bounds, and the quantiles between them.

An index of −1 is 0 ms, below all bounds: arrays that are looked up by such indices have a last entry for it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from serinus.judge.evidence import Floats
from serinus.judge.special import probit

Bounds = tuple[float, ...]
Indices = NDArray[np.intp]

_BELOW = np.array([1, 0])  # from the bound above a quantile to both around it


def common(bounds: Bounds, *others: Bounds) -> Bounds:
    """Those of the bounds that all others have too."""
    others = tuple(each for each in others if each != bounds)
    return tuple(bound for bound in bounds if all(bound in each for each in others)) if others else bounds


def restricted(bounds: Bounds, cumulative: Floats, wanted: Bounds) -> Floats:
    """The histogram on fewer bounds: exact, for counts are cumulative."""
    return cumulative if bounds == wanted else cumulative[..., [bounds.index(bound) for bound in wanted]]


def with_zero(values: NDArray[Any], at_zero: Floats | float) -> NDArray[Any]:
    """Values by bound, with one for 0 ms at the end: shape (..., bounds + 1)."""
    padded = np.empty((*values.shape[:-1], values.shape[-1] + 1), dtype=values.dtype)
    padded[..., :-1] = values
    padded[..., -1] = at_zero
    return padded


def slower(cumulative: Floats) -> Floats:
    """How many requests took longer than each bound, and than 0 ms: shape (..., bounds + 1)."""
    total = cumulative[..., -1]
    return with_zero(total[..., None] - cumulative, total)


def taken(values: NDArray[Any], index: Indices) -> NDArray[Any]:
    """Values at indices of bounds: `index` of shape (..., anything) beside `values` of shape (..., bounds)."""
    if values.ndim == 1:
        return values.take(index)
    flat = index.reshape((*values.shape[:-1], -1))
    return np.take_along_axis(values, flat, axis=-1).reshape(index.shape)


def quantiles(bounds: Bounds, cumulative: Floats, levels: tuple[float, ...]) -> Floats:
    """Quantiles, by the chord through the bounds around each; at most the last finite bound; NaN without requests.

    Linear interpolation, as `histogram_quantile` of a classic histogram has it, puts the p99 of a latency around 100 ms
    into the middle between 250 and 500 ms, wherever it is.
    """
    finite = np.array(bounds[:-1])
    if not finite.size:
        return np.full((*cumulative.shape[:-1], len(levels)), np.nan)
    n = cumulative[..., -1:]
    wanted = np.array(levels)
    below = wanted * n
    right = (cumulative[..., None, :-1] < below[..., None]).sum(axis=-1)
    ends = np.maximum(np.minimum(np.maximum(right, 1), finite.size - 1)[..., None] - _BELOW, 0)
    edge = (0.5 / np.maximum(n, 1.0))[..., None]
    z = probit(np.minimum(np.maximum(taken(cumulative, ends) / np.maximum(n, 1e-9)[..., None], edge), 1 - edge))
    logs = np.log(finite)[ends]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # where none is between: not taken below
        along = (probit(wanted) - z[..., 0]) / (z[..., 1] - z[..., 0])
        found = np.exp(logs[..., 0] + along * (logs[..., 1] - logs[..., 0]))
    first = finite[0] * wanted * n / np.maximum(cumulative[..., :1], 1e-9)  # nothing is known below: linear
    found = np.where(right == 0, first, np.where(right >= finite.size, finite[-1], found))
    return np.where(n > 0, found, np.nan)
