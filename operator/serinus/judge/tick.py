"""One tick, in numbers: every bet is made from what was known before it, then settled with its samples."""

from dataclasses import replace

from serinus.judge.evidence import Evidence, Missing, Tick
from serinus.judge.policy import GUARD, Policy
from serinus.judge.state import State

UNKNOWN = Evidence(missing=Missing.NO_SERIES)
"""The evidence of a metric that a tick lacks."""


def settle(policy: Policy, state: State, tick: Tick) -> State:
    """The state after the tick, all that verdicts depend on: everything but the intervals of the comparison.

    Works on any number of simulated rollouts at once, whose samples have the leading axes that the state has.
    """
    state = _in_step(policy, state, tick.step)
    return State(
        ticks=state.ticks + 1,
        step=tick.step,
        guard=state.guard.settle(evidence_of(tick, GUARD), policy, state.ticks, bake=tick.bake),
        ledgers=tuple(
            ledger.settle(metric, evidence_of(tick, metric.name), policy, tick, state.ticks)
            for metric, ledger in zip(policy.metrics, state.ledgers, strict=True)
        ),
    )


def settle_with_intervals(policy: Policy, state: State, tick: Tick) -> State:
    """The state after the tick, the intervals of the comparison included."""
    before = _in_step(policy, state, tick.step)
    after = settle(policy, before, tick)
    return replace(
        after,
        ledgers=tuple(
            replace(new, intervals=old.settle_intervals(metric, evidence_of(tick, metric.name), policy, bake=tick.bake))
            for metric, old, new in zip(policy.metrics, before.ledgers, after.ledgers, strict=True)
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
