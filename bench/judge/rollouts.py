"""Many simulated rollouts through the judge's full verdict path, all at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.judge.traffic import Errors, Source
from serinus.judge import GUARD, Evidence, Policy, State, Tick
from serinus.judge.evidence import Floats
from serinus.judge.findings import outcomes
from serinus.judge.tick import settle

NEVER = np.inf

SERINUS = "Serinus"
"""The judge's name among those that an experiment compares."""

ERRORS = "error-rate"
"""The metric whose requests are also the guard's."""

_SOUND = Errors(canary=0.01)
"""What the guard sees where the metrics do not count errors."""


@dataclass(frozen=True)
class Ends:
    """The tick, counted from 1, of each rollout's first rollback and of its first promotion before that, or NEVER."""

    rollback: Floats
    promotion: Floats

    @classmethod
    def together(cls, parts: list["Ends"]) -> "Ends":
        """One after another."""
        return cls(
            np.concatenate([part.rollback for part in parts]), np.concatenate([part.promotion for part in parts])
        )


@dataclass(frozen=True)
class Scenario:
    """Rollouts of one policy in one kind of traffic, watched for at most `ticks` ticks.

    `sources`: each metric's traffic, by name. The guard sees that of ERRORS, or errors like the stable's.
    `window`: before so many ticks nothing is promoted.
    """

    policy: Policy
    sources: tuple[tuple[str, Source], ...]
    ticks: int = 240
    window: int = 0

    def __call__(self, rollouts: int, rng: Generator) -> Mapping[str, Ends]:
        """So many rollouts, as an experiment's run."""
        return {SERINUS: simulate(self, rollouts, rng)}


def simulate(scenario: Scenario, rollouts: int, rng: Generator) -> Ends:
    """Watch `rollouts` of them side by side until all are rolled back or the ticks are over."""
    sources = dict(scenario.sources)
    guard = sources.get(ERRORS, _SOUND)
    past = {name: source.past(rng) for name, source in sources.items()} | {GUARD: guard.past(rng)}
    state = State.start(scenario.policy, past, rollouts=(rollouts,))
    streams = {name: source.ticks(rng, rollouts) for name, source in sources.items()}
    if ERRORS not in streams:
        streams[GUARD] = guard.ticks(rng, rollouts)
    ends = Ends(np.full(rollouts, NEVER), np.full(rollouts, NEVER))
    for number in range(1, scenario.ticks + 1):
        evidence = {name: Evidence(*next(stream)) for name, stream in streams.items()}
        if GUARD not in evidence:
            evidence[GUARD] = evidence[ERRORS]
        state = _tick(scenario, state, evidence, number, ends)
        if np.isfinite(ends.rollback).all():
            break
    return ends


def _tick(scenario: Scenario, state: State, evidence: Mapping[str, Evidence], number: int, ends: Ends) -> State:
    """The state after the tick; first ends are entered into `ends`."""
    tick = Tick(step=0, evidence=evidence)
    state = settle(scenario.policy, state, tick, with_intervals=False)
    verdicts = outcomes(scenario.policy, state, tick, window=scenario.window)
    undecided = ends.rollback == NEVER
    ends.rollback[undecided & (verdicts < 0)] = number
    ends.promotion[undecided & (verdicts > 0) & (ends.promotion == NEVER)] = number
    return state
