"""What the judge needs of scipy.special, imported when it is first called: slower than the rest of the judge."""

import numpy as np

from serinus.judge.evidence import Floats


def normal(z: Floats) -> Floats:
    """Φ, the normal distribution function."""
    from scipy.special import ndtr

    return np.asarray(ndtr(z))


def log_normal(z: Floats) -> Floats:
    """log Φ, exact in the far tail as well."""
    from scipy.special import log_ndtr

    return np.asarray(log_ndtr(z))


def probit(share: Floats) -> Floats:
    """Φ⁻¹, the normal quantile."""
    from scipy.special import ndtri

    return np.asarray(ndtri(share))


def chi_square_quantile(degrees: float, upper: float) -> float:
    """Where a χ² variable with so many degrees of freedom is exceeded with probability `upper`."""
    from scipy.special import chdtri

    return float(chdtri(degrees, upper))


def relative_entropy(one: Floats | float, other: Floats) -> Floats:
    """one · log(one/other), 0 where one is 0."""
    from scipy.special import rel_entr

    return np.asarray(rel_entr(one, other))
