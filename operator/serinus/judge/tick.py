"""One tick, in numbers: every bet is made from what was known before it, then settled with its samples."""

from dataclasses import replace

from serinus.judge.evidence import Evidence, Missing, Tick
from serinus.judge.policy import GUARD, Policy
from serinus.judge.state import State

UNKNOWN = Evidence(missing=Missing.NO_SERIES)
"""The evidence of a metric that a tick lacks."""


def settle(policy: Policy, state: State, tick: Tick, *, with_intervals: bool = True) -> State:
    """The state after the tick.

    No verdict depends on the intervals of the comparison: whoever does not look at it can do without them. Works on any
    number of simulated rollouts at once, whose samples have the leading axes that the state has.
    """
    state = _in_step(policy, state, tick.step)
    return State(
        ticks=state.ticks + 1,
        step=tick.step,
        guard=state.guard.settle(evidence_of(tick, GUARD), policy, state.ticks, bake=tick.bake),
        ledgers=tuple(
            ledger.settle(
                metric, evidence_of(tick, metric.name), policy, tick, state.ticks, with_intervals=with_intervals
            )
            for metric, ledger in zip(policy.metrics, state.ledgers, strict=True)
        ),
    )


def evidence_of(tick: Tick, name: str) -> Evidence:
    """The tick's evidence of a metric or of the guard; what it lacks counts as missing."""
    return tick.evidence.get(name, UNKNOWN)


def _in_step(policy: Policy, state: State, step: int) -> State:
    """The first tick of a new step starts the promotion side anew."""
    if step == state.step:
        return state
    return replace(
        state,
        step=step,
        guard=state.guard.new_step(),
        ledgers=tuple(ledger.new_step(metric) for metric, ledger in zip(policy.metrics, state.ledgers, strict=True)),
    )
