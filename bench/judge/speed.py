"""How long the judge takes for one metric and one tick."""

import time
from statistics import median

import numpy as np
from numpy.random import Generator

from bench.judge.policies import ERROR_RATE, policy_of
from bench.judge.rollouts import ERRORS
from bench.judge.row import Estimate, Row, Section
from bench.judge.traffic import Errors
from serinus.judge import GUARD, Counts, Evidence, State, Tick, judge

_TICKS = 100


def one_tick(repeats: int, rng: Generator) -> Row:
    """Both sides, interval, guard, comparison and verdict: median over `repeats` rollouts of 100 ticks."""
    samples = [_milliseconds(rng) for _ in range(repeats)]
    estimate = Estimate(median(samples), float(np.std(samples, ddof=1) / np.sqrt(repeats)), repeats)
    return Row(Section.EXACT, "one metric, one tick, both sides", estimate, "ms", at_most=0.5)


def _milliseconds(rng: Generator) -> float:
    """Mean processor time of a tick of one rollout: other programs on the machine do not count."""
    policy = policy_of(ERROR_RATE)
    state = State.start(policy)
    stream = Errors(canary=0.01).ticks(rng, 1)
    ticks = []
    for _ in range(_TICKS):
        canary, stable = (Counts(float(np.sum(arm.n)), float(np.sum(arm.x))) for arm in next(stream))
        evidence = Evidence(canary, stable)
        ticks.append(Tick(step=0, evidence={ERRORS: evidence, GUARD: evidence}))
    begun = time.process_time()
    for tick in ticks:
        state, _, _ = judge(policy, state, tick, window=0)
    return 1000 * (time.process_time() - begun) / _TICKS
