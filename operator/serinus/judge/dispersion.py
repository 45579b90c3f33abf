"""Overdispersion: how much more counts vary than independent requests would, measured before the rollout.

Requests cluster: a slow dependency fails many at once, one pod is worse than the next. What two halves of the stable's
pods show of that in two hours is expected of canary and stable as well.
"""

import math

import numpy as np

from serinus.judge.evidence import Counts, Floats
from serinus.judge.special import chi_square_quantile

LAGS = 20
"""Of the Bartlett window: ticks over which counts may hang together."""

_LEAST = 2 * LAGS
"""Ticks of history that say something: with 13 the bound is 12 times too high for counts that do not cluster at all,
with 40 three times, with 480 1.4 times (medians)."""

_UPPER = 0.9  # confidence of a variance's upper bound


def excess(half_a: Counts, half_b: Counts, *, pods: int, canary_pods: int, stable_pods: int) -> float:
    """τ²: the variance of the difference of the arms' rates beyond the binomial, at its upper 90 % bound; at least 0.

    NaN where the history is too short to know.

    `half_a` and `half_b` have arrays over the history's ticks, of two halves of the stable's `pods`. The long-run
    variance of their difference less its binomial part is the pods' and the time's; between a canary of `canary_pods`
    and a stable of `stable_pods` the pods' effects are scaled by 1/canary_pods + 1/stable_pods.
    """
    na, nb = np.maximum(half_a.n, 1.0), np.maximum(half_b.n, 1.0)
    has_both = (np.asarray(half_a.n) > 0) & (np.asarray(half_b.n) > 0)
    if np.count_nonzero(has_both) < _LEAST:
        return math.nan
    difference = (half_a.x / na - half_b.x / nb)[has_both]
    rate = float(np.sum(half_a.x + half_b.x) / np.sum(half_a.n + half_b.n))
    binomial = float(np.mean(rate * (1 - rate) * (1 / na + 1 / nb)[has_both]))
    beyond = max(0.0, long_run_variance(difference) - binomial)
    return beyond * (1 / canary_pods + 1 / stable_pods) / (4 / pods)


def long_run_variance(series: Floats) -> float:
    """Σ of the autocovariances (Newey, West 1987: Bartlett window of 20 lags) at its upper 90 % bound."""
    size = series.size
    deviations = series - series.mean()
    covariances = [float(deviations[lag:] @ deviations[: size - lag]) / size for lag in range(min(LAGS, size - 1) + 1)]
    weights = [1.0, *(2 * (1 - lag / (LAGS + 1)) for lag in range(1, len(covariances)))]
    total = sum(weight * covariance for weight, covariance in zip(weights, covariances, strict=True))
    # The estimate has about as many degrees of freedom as windows of 2/3 of its lags fit in (Priestley 1981, 6.2.3).
    return max(0.0, total) * upper_factor(max(1.0, 1.5 * size / (LAGS + 1)))


def upper_factor(degrees: float) -> float:
    """By how much a variance estimated with so many degrees of freedom is multiplied for its upper 90 % bound."""
    return float(degrees / chi_square_quantile(degrees, _UPPER))
