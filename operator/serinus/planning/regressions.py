"""Which error rate of a canary is rolled back in time."""

import numpy as np
from numpy.random import Generator

from serinus.judge import State, Tick
from serinus.judge.evidence import Floats
from serinus.judge.findings import rolls_back
from serinus.judge.special import probit
from serinus.judge.tick import settle
from serinus.planning.pace import ticks
from serinus.planning.release import Release
from serinus.planning.requests import Requests

POWER = 0.8
"""The probability with which a regression counts as caught."""

_RATES = 24  # error rates that are tried, from the tolerance to all requests
_LEAST = 1e-4  # the smallest rise that is tried, where any rise is beyond the tolerance


def smallest_caught(release: Release, requests: Requests, rollouts: int, rng: Generator) -> tuple[float | None, ...]:
    """For each step that compares, the canary's smallest error rate that is rolled back with probability POWER.

    That is before the step's window is over, if the canary failed so often from the start of the rollout and no step
    took longer than its window. None: not even a canary that fails always is. `rollouts`: for each rate that is tried.
    """
    rises = np.geomspace(_first_rise(release, requests), 1 - requests.error_rate, _RATES)
    rates = np.repeat((requests.error_rate + rises)[:, None], rollouts, axis=1)
    state = State.start(release.judged, release.history(requests), rollouts=rates.shape)
    caught = np.full(rates.shape, False)
    smallest: list[float | None] = []
    for number, step in enumerate(release.steps):
        window = release.slots(step.window)
        for length, _ in ticks((), window):
            seconds = length * release.spec.interval.total_seconds()
            failures = requests.failures(rng, seconds, step.weight, rates)
            tick = Tick(step=number, evidence=release.evidence(failures), length=length)
            state = settle(release.judged, state, tick, with_intervals=False)
            caught |= rolls_back(release.judged, state)
        rise = _reached(rises, caught.mean(axis=1), rollouts)
        smallest.append(None if rise is None else requests.error_rate + rise)
    return tuple(smallest)


def _first_rise(release: Release, requests: Requests) -> float:
    """The tolerance's, less than which is hardly ever rolled back."""
    rate, failing = requests.error_rate, {each.name for each in release.failing}
    own = [each for each in release.judged.metrics if each.name in failing]
    limits = [each.tolerance.at(rate) for each in own if each.on_regression == "rollback"]
    rise = min([*limits, max(release.judged.spike, release.judged.guard.at(rate))]) - rate
    return float(np.clip(rise, _LEAST, (1 - rate) / 2))


def _reached(rises: Floats, shares: Floats, rollouts: int) -> float | None:
    """The rise at which the share of those that are caught reaches POWER, between two that were tried.

    Between them the share is taken to grow as a normal distribution's does, for it is a sum that reaches a threshold.
    """
    shares = np.maximum.accumulate(shares)
    if shares[-1] < POWER:
        return None
    first = int(np.argmax(shares >= POWER))
    if first == 0:
        return float(rises[0])
    low, high = probit(np.clip(shares[first - 1 : first + 1], 0.5 / rollouts, 1 - 0.5 / rollouts))
    part = (probit(np.asarray(POWER)) - low) / (high - low)
    return float(rises[first - 1] * (rises[first] / rises[first - 1]) ** part)
