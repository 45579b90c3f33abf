"""How long canaries that are as the stable take to be promoted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from serinus.api import Step
from serinus.judge import State, Tick
from serinus.judge.evidence import Floats, Mask
from serinus.judge.findings import outcomes
from serinus.judge.tick import settle
from serinus.planning.pace import ticks
from serinus.planning.release import Release
from serinus.planning.requests import Requests

LONGEST = timedelta(days=7)
"""Nobody waits longer for a step; nor does the simulation."""


@dataclass(frozen=True)
class Unchanged:
    """Simulated canaries that are as the stable: when their evidence sufficed, at each of several steps."""

    ends: NDArray[np.intp]
    """When each tick ended: slots from the start of the step, shape (ticks)."""
    suffices: Mask
    """Whether the evidence sufficed then, were the window over: shape (ticks, steps, rollouts)."""

    def promoted(self, step: int, window: int) -> Floats:
        """Slots until each rollout is promoted, where the step's window has so many; infinite: not in LONGEST."""
        may = self.suffices[:, step] & (self.ends >= window)[:, None]
        return np.where(may.any(axis=0), self.ends[may.argmax(axis=0)], np.inf)


def simulate(release: Release, requests: Requests, steps: Sequence[Step], rollouts: int, rng: Generator) -> Unchanged:
    """So many rollouts of each step, all side by side, until all are promoted or LONGEST is over.

    A promotion needs what the step itself has shown, so steps can be simulated apart from each other.
    """
    windows = np.array([release.slots(step.window) for step in steps])
    weights = np.array([[step.weight] for step in steps], dtype=float)
    shape = (len(steps), rollouts)
    rates = np.full(shape, requests.error_rate)
    interval = release.spec.interval
    state = State.start(release.proven, release.history(requests), rollouts=shape)
    ends, suffices = [], []
    alive, waiting = np.full(shape, True), np.full(shape, True)
    for length, end in ticks(windows.tolist(), max(int(windows.max()), LONGEST // interval)):
        seconds = length * interval.total_seconds()
        failures = release.evidence(requests.failures(rng, seconds, weights, rates))
        evidence = {**failures, **requests.unchanged_others(rng, seconds, weights, shape)}
        tick = Tick(step=0, evidence=evidence, length=length)
        state = settle(release.proven, state, tick, with_intervals=False)
        verdicts = outcomes(release.proven, state, tick, window=0)
        alive &= verdicts >= 0
        ends.append(end)
        suffices.append(alive & (verdicts > 0))
        waiting &= alive & ~(suffices[-1] & (end >= windows)[:, None])
        if end >= windows.max() and not waiting.any():
            break
    return Unchanged(np.array(ends), np.array(suffices))
