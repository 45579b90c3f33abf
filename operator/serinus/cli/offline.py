"""Rollouts judged from lines of evidence, without a cluster, by the judge that the operator has."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from serinus.api import CanaryPolicySpec, Metric, RowStatus
from serinus.api.model import Model
from serinus.api.status import VerdictWord
from serinus.cli.evidence_file import ArmCounts, Line
from serinus.judge import GUARD, Counts, Evidence, Missing, Policy, State, Tick, judge
from serinus.rollout import judge_policy
from serinus.rollout.present import row_status


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
    guarding = next((metric for metric in spec.metrics if metric.template in ("istio-errors", "istio-success")), None)
    rollouts: dict[str, list[Line]] = {}
    for line in lines:
        rollouts.setdefault(line.rollout, []).append(line)
    return tuple(_judge_rollout(policy, guarding, own) for own in rollouts.values())


def _judge_rollout(policy: Policy, guarding: Metric | None, lines: Sequence[Line]) -> RolloutVerdict:
    """`guarding`: the metric whose evidence the guard gets as well; None where no metric counts failed requests."""
    state = State.start(policy)
    for _, group in groupby(lines, key=lambda line: line.tick):
        of_tick = tuple(group)
        state, rows, verdict = judge(policy, state, _tick(of_tick, guarding), window=0)
        if verdict.verdict == "rollback":
            break
    return RolloutVerdict(
        rollout=of_tick[0].rollout,
        verdict=verdict.verdict,
        tick=of_tick[0].tick,
        reason=verdict.message,
        code=verdict.reason,
        comparison=tuple(row_status(row) for row in rows),
    )


def _tick(lines: Sequence[Line], guarding: Metric | None) -> Tick:
    evidence = {line.metric: _evidence(line) for line in lines}
    if guarding and guarding.name in evidence:
        seen = evidence[guarding.name]
        if guarding.template == "istio-success":
            seen = replace(seen, canary=_failures(seen.canary), stable=_failures(seen.stable))
        evidence[GUARD] = seen
    return Tick(lines[0].step, evidence)


def _evidence(line: Line) -> Evidence:
    # Without the weight nobody can tell an arm that got no requests by chance from one that is cut off.
    is_silent = line.canary.n == 0 or line.stable.n == 0
    return Evidence(_counts(line.canary), _counts(line.stable), missing=Missing.NO_TRAFFIC if is_silent else None)


def _counts(arm: ArmCounts) -> Counts:
    return Counts(float(arm.n), float(arm.x))


def _failures(successes: Counts) -> Counts:
    return Counts(successes.n, successes.n - successes.x)
