"""How long the judge takes for a tick, in processor time: other programs on the machine do not count."""

import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
from numpy.random import Generator

from bench.judge.policies import ERROR_RATE, policy_of
from bench.judge.rollouts import ERRORS
from bench.judge.row import Estimate, Row, Section
from bench.judge.traffic import Errors
from serinus.judge import GUARD, Counts, Evidence, State, Tick, judge
from serinus.judge.bets import settle

_TICKS = 100
_POLICY = policy_of(ERROR_RATE)


def rows(repeats: int, rng: Generator) -> Iterator[Row]:
    """One metric's bets on both sides; and all that a tick of a policy with one metric takes."""
    bets = _estimate(_milliseconds_of_bets, repeats, rng)
    yield Row(Section.EXACT, "one metric, one tick, both sides", bets, "ms", at_most=0.5)
    everything = _estimate(_milliseconds_of_all, repeats, rng)
    yield Row(Section.EXACT, "… guard, interval, row and verdict too", everything, "ms")


def _estimate(measure: Callable[[Generator], float], repeats: int, rng: Generator) -> Estimate:
    """The median over `repeats` rollouts."""
    samples = [measure(rng) for _ in range(repeats)]
    return Estimate(median(samples), float(np.std(samples, ddof=1) / np.sqrt(repeats)), repeats)


def _milliseconds_of_bets(rng: Generator) -> float:
    """Mean time of a tick of one rollout."""
    ledger = State.start(_POLICY).ledgers[0]
    watch, purse = ledger.watch, ledger.purse
    ticks = _ticks(rng)
    begun = time.process_time()
    for number, tick in enumerate(ticks):
        seen = tick.evidence[ERRORS]
        asked = watch.ask(ERROR_RATE, seen, bake=False, with_intervals=False)
        purse = purse.after(asked.finished(settle(asked.wagers)), _POLICY, number, may_promote=True)
        watch = watch.after(ERROR_RATE, seen, tick)
    return 1000 * (time.process_time() - begun) / _TICKS


def _milliseconds_of_all(rng: Generator) -> float:
    """Mean time of a tick of one rollout."""
    state = State.start(_POLICY)
    ticks = _ticks(rng)
    begun = time.process_time()
    for tick in ticks:
        state, _, _ = judge(_POLICY, state, tick, window=0)
    return 1000 * (time.process_time() - begun) / _TICKS


def _ticks(rng: Generator) -> list[Tick]:
    stream = Errors(canary=0.01).ticks(rng, 1)
    ticks = []
    for _ in range(_TICKS):
        canary, stable = (Counts(float(np.sum(arm.n)), float(np.sum(arm.x))) for arm in next(stream))
        evidence = Evidence(canary, stable)
        ticks.append(Tick(step=0, evidence={ERRORS: evidence, GUARD: evidence}))
    return ticks
