"""The special functions that the judge needs. From scipy only what few policies need: to import it takes 27 MB."""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from serinus.judge.evidence import Floats

_STANDARD = NormalDist()
_NEWTON = 60  # steps at most; from Wilson and Hilferty's start a handful are enough


def normal(z: Floats) -> Floats:
    """Φ, the normal distribution function."""
    return 0.5 * _each(math.erfc, -np.asarray(z, dtype=float) / math.sqrt(2.0))


def log_normal(z: Floats) -> Floats:
    """log Φ, exact in the far tail as well."""
    from scipy.special import log_ndtr

    return np.asarray(log_ndtr(z))


def probit(share: Floats) -> Floats:
    """Φ⁻¹, the normal quantile; infinite at 0 and 1."""
    return _each(_probit, share)


def chi_square_quantile(degrees: float, upper: float) -> float:
    """Where a χ² variable with so many degrees of freedom is exceeded with probability `upper`, which is at least ½.

    Newton's method on the distribution function, from the approximation of Wilson and Hilferty (1931).
    """
    spread = 2 / (9 * degrees)
    x = degrees * max(0.01, 1 - spread + _STANDARD.inv_cdf(1 - upper) * math.sqrt(spread)) ** 3
    for _ in range(_NEWTON):
        below, density = _chi_square(degrees, x)
        step = (below - (1 - upper)) / density
        x = max(x - step, x / 4)
        if abs(step) < 1e-14 * x:
            break
    return x


def relative_entropy(one: Floats | float, other: Floats) -> Floats:
    """one · log(one/other), 0 where one is 0."""
    one = np.asarray(one, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(one == 0, 0.0, one * np.log(one / other))


def _probit(share: float) -> float:
    if 0 < share < 1:
        return _STANDARD.inv_cdf(share)
    return math.copysign(math.inf, share - 0.5)


def _chi_square(degrees: float, x: float) -> tuple[float, float]:
    """Distribution function and density, by the series that converges fast below the mean (DLMF 8.7.1)."""
    a, half = degrees / 2, x / 2
    scale = math.exp(a * math.log(half) - half - math.lgamma(a + 1))
    term = total = 1.0
    number = 0
    while term > total * 1e-17:
        number += 1
        term *= half / (a + number)
        total += term
    return scale * total, scale * a / x


def _each(function: Callable[[float], float], values: Floats) -> Floats:
    flat = np.asarray(values, dtype=float)
    return np.array(list(map(function, flat.ravel().tolist()))).reshape(flat.shape)
