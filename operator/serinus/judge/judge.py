"""The judge's one function: state and a tick in, state, comparison and verdict out."""

from serinus.judge.comparison import Row, rows_of, sort_rows
from serinus.judge.evidence import Tick
from serinus.judge.findings import Finding, finding
from serinus.judge.policy import Policy
from serinus.judge.state import State
from serinus.judge.tick import evidence_of, settle
from serinus.judge.verdict import Verdict, decide


def judge(policy: Policy, state: State, tick: Tick, *, window: int) -> tuple[State, tuple[Row, ...], Verdict]:
    """The state after the tick, the comparison (worse rows first) and the verdict.

    `tick.evidence` has each metric of the policy by name and the requests and errors under GUARD; what it lacks counts
    as missing. Ticks come in order; the first of a new step starts the promotion side anew. `window`: for how many
    slots the step must have been observed before it can be promoted.
    """
    state = settle(policy, state, tick)
    return state, *answer(policy, state, tick, finding(policy, state, tick, window=window), window=window)


def answer(policy: Policy, state: State, tick: Tick, found: Finding, *, window: int) -> tuple[tuple[Row, ...], Verdict]:
    """The comparison and the verdict from the state after `tick`, for whoever settles ticks without looking at each.

    `found`: what decides after it.
    """
    rows = [
        row
        for metric, ledger in zip(policy.metrics, state.ledgers, strict=True)
        for row in rows_of(policy, state, metric, ledger, evidence_of(tick, metric.name))
    ]
    return sort_rows(rows), decide(found, policy, state, tick, rows, window=window)


def elevated(policy: Policy, state: State) -> bool:
    """Whether the canary's error rate in the last tick was above half of the spike's: then one looks more often."""
    return state.guard.is_elevated(policy.spike)
