"""Rollouts judged from lines of evidence, without a cluster, by the judge that the operator has."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from serinus.api import CanaryPolicySpec, RowStatus
from serinus.api.model import Model
from serinus.api.status import VerdictWord
from serinus.cli.evidence_line import Line
from serinus.judge import Policy, State, Tick
from serinus.judge.evidence import Events, Evidence, Missing, Sample, Values
from serinus.judge.findings import finding, rolls_back
from serinus.judge.judge import answer
from serinus.judge.tick import settle_all
from serinus.rollout import judge_policy, with_guard
from serinus.rollout.present import row_status

_AT_ONCE = 32  # ticks


class RolloutVerdict(Model):
    """What came of a rollout: its first rollback, else the verdict at its last tick."""

    rollout: str
    verdict: VerdictWord
    tick: int
    """Which tick the verdict is of, as the evidence numbers them."""
    reason: str
    """A sentence for people."""
    code: str
    """The reason in one CamelCase word, for tools."""
    comparison: tuple[RowStatus, ...]


def judge_rollouts(spec: CanaryPolicySpec, lines: Iterable[Line], planned_ticks: int) -> tuple[RolloutVerdict, ...]:
    """The verdict on each rollout that `lines` (as parse_evidence returns them) are about, the first to appear first.

    The window of every step counts as elapsed. `planned_ticks`: the length that each rollout was planned to have.
    """
    policy = judge_policy(spec, planned_ticks)
    rollouts: dict[str, list[Line]] = {}
    for line in lines:
        rollouts.setdefault(line.rollout, []).append(line)
    return tuple(_judge_rollout(spec, policy, own) for own in rollouts.values())


def _judge_rollout(spec: CanaryPolicySpec, policy: Policy, lines: Sequence[Line]) -> RolloutVerdict:
    """`policy` is what the judge makes of `spec`."""
    state, came = State.start(policy), [tuple(group) for _, group in groupby(lines, key=lambda line: line.tick)]
    # Some at once, for that is faster, but not all: nobody needs what came after a rollback.
    for begin in range(0, len(came), _AT_ONCE):
        some = came[begin : begin + _AT_ONCE]
        ticks = [Tick(each[0].step, with_guard(spec, {line.metric: _evidence(line) for line in each})) for each in some]
        states = settle_all(policy, state, ticks)
        for state, tick, of_tick in zip(states, ticks, some, strict=True):
            if rolls_back(policy, state):
                return _answer(policy, state, tick, of_tick[0])
    return _answer(policy, state, tick, of_tick[0])


def _answer(policy: Policy, state: State, tick: Tick, line: Line) -> RolloutVerdict:
    """The verdict after `tick`, of which `line` is one.

    Of no other tick: to compare and to find words takes as long as to judge, and nobody reads that.
    """
    rows, verdict = answer(policy, state, tick, finding(policy, state, tick, window=0), window=0)
    return RolloutVerdict(
        rollout=line.rollout,
        verdict=verdict.verdict,
        tick=line.tick,
        reason=verdict.message,
        code=verdict.reason,
        comparison=tuple(row_status(row) for row in rows),
    )


def _evidence(line: Line) -> Evidence:
    # Without the weight nobody can tell an arm that got no requests by chance from one that is cut off.
    missing = Missing.NO_TRAFFIC if _is_silent(line.canary) or _is_silent(line.stable) else None
    return Evidence(line.canary, line.stable, missing=missing)


def _is_silent(sample: Sample) -> bool:
    match sample:
        case Events():
            return sample.exposure == 0
        case Values():
            return sample.values.size == 0 or bool((sample.values <= 0).any())  # it is their logarithm that is judged
        case _:
            return sample.n == 0
