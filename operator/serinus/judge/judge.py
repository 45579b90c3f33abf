"""The judge's one function: state and a tick in, state, comparison and verdict out."""

from dataclasses import replace

from serinus.judge.comparison import Row, row_of, sort_rows
from serinus.judge.evidence import Counts, Evidence, Missing, Tick
from serinus.judge.policy import GUARD, Policy
from serinus.judge.state import State
from serinus.judge.tick import new_step, settle, settle_guard
from serinus.judge.verdict import Verdict, decide

_UNKNOWN = Evidence(missing=Missing.NO_SERIES)


def judge(policy: Policy, state: State, tick: Tick, *, window: int) -> tuple[State, tuple[Row, ...], Verdict]:
    """The state after the tick, the comparison (worse rows first) and the verdict.

    `tick.evidence` has each metric of the policy by name and the requests and errors under GUARD; what it lacks counts
    as missing. Ticks come in order; the first of a new step starts the promotion side anew. `window`: for how many
    slots the step must have been observed before it can be promoted.
    """
    if tick.step != state.step:
        state = replace(
            state,
            step=tick.step,
            guard=replace(state.guard, canary=Counts(), stable=Counts()),
            metrics=tuple(new_step(metric, own) for metric, own in zip(policy.metrics, state.metrics, strict=True)),
        )
    evidence = [tick.evidence.get(metric.name, _UNKNOWN) for metric in policy.metrics]
    number = state.ticks
    settled = tuple(
        settle(metric, own, seen, policy=policy, tick=number, length=tick.length, bake=tick.bake)
        for metric, own, seen in zip(policy.metrics, state.metrics, evidence, strict=True)
    )
    guard_seen = tick.evidence.get(GUARD, _UNKNOWN)
    guard = settle_guard(state.guard, guard_seen, policy=policy, tick=number, bake=tick.bake)
    state = State(ticks=number + 1, step=tick.step, guard=guard, metrics=settled)
    rows = [
        row_of(metric, own, seen, policy, state.ticks)
        for metric, own, seen in zip(policy.metrics, settled, evidence, strict=True)
    ]
    straddles = guard_seen.straddles or any(seen.straddles for seen in evidence)
    verdict = decide(policy, state, tuple(rows), window=window, bake=tick.bake, straddles=straddles)
    return state, sort_rows(rows), verdict


def elevated(policy: Policy, state: State) -> bool:
    """Whether the canary's error rate in the last tick was above half of the spike's: then one looks more often."""
    latest = state.guard.latest
    return latest.x > policy.spike / 2 * latest.n
