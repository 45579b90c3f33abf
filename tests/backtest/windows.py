"""Windows as they would have been read: recorded increments of one stable, made up by a generator."""

import numpy as np
from numpy.random import Generator

from serinus.api import CanaryPolicySpec
from serinus.backtest import Split, Window
from serinus.judge import GUARD, Counts, Evidence, Missing, Past
from tests.planning.releases import ERRORS

POLICY = CanaryPolicySpec.model_validate({"metrics": [ERRORS]})
TICKS = 60


def window(
    rng: Generator,
    *,
    canary: float = 0.01,
    stable: float = 0.01,
    n: int = 600,
    missing: frozenset[int] = frozenset(),
    begin: float = 0.0,
) -> Window:
    """A quarter of an hour in which either half has `n` requests a tick, and so large a share of them fails."""
    past = Past(Counts(n * 480.0, n * 480 * stable))
    ticks = []
    for number in range(TICKS):
        lacks = Missing.PARTIAL if number in missing else None
        evidence = Evidence(_counts(rng, n, canary), _counts(rng, n, stable), missing=lacks)
        ticks.append({GUARD: evidence, "error-rate": evidence})
    return Window(begin, tuple(ticks), {GUARD: past, "error-rate": past}, Split(4))


def alike(rng: Generator, number: int = 20) -> list[Window]:
    return [window(rng, begin=900.0 * place) for place in range(number)]


def _counts(rng: Generator, n: int, rate: float) -> Counts:
    requests = int(rng.poisson(n))
    return Counts(float(requests), float(rng.binomial(requests, rate)))


def generator() -> Generator:
    return np.random.default_rng(1)
