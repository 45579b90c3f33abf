"""One tick of each of many rollouts, judged at once: for an operator of a thousand of them.

NumPy takes longer to begin with a short vector than to go through it. What comes of each is the same, to the bit, as if
it had been judged alone: every number is found from its own rollout's by the same operations in the same order.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from serinus.judge.comparison import nearest_to_rollback
from serinus.judge.evidence import Tick
from serinus.judge.findings import Finding, finding, findings
from serinus.judge.kinds.registry import memory_of
from serinus.judge.policy import Policy
from serinus.judge.stacking import likeness, parted, stacked
from serinus.judge.state import State
from serinus.judge.tick import in_step, settle_in_step


@dataclass(frozen=True, slots=True)
class Case:
    """A tick to judge, and the state before it; `window`: for how many slots its step must have been observed."""

    state: State
    tick: Tick
    window: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What comes of a case: the state after the tick, and what decides.

    `nearest`: how far the row that is nearest to a rollback is on its way there, 0 to 1.
    """

    state: State
    finding: Finding
    nearest: float

    @property
    def rolls_back(self) -> bool:
        """Whether the rollout is to be rolled back."""
        return self.finding is Finding.ROLLBACK


def kin(policy: Policy, case: Case) -> Hashable | None:
    """Equal for cases that can be settled together; None for one that is settled alone."""
    if not all(memory_of(metric).stacks for metric in policy.metrics):
        return None
    # Whether bets are made on intervals is asked once for all.
    has_units = tuple(bool((ledger.watch.unit > 0).all()) for ledger in case.state.ledgers)
    return policy, has_units, likeness(case)


def settle_together(policy: Policy, cases: Sequence[Case]) -> list[Settled]:
    """What comes of each of the cases, which are of one kin."""
    begun = [replace(each, state=in_step(policy, each.state, each.tick.step)) for each in cases]
    if len(begun) == 1:
        return [_settled(policy, begun[0])]
    case = stacked(begun)
    state = settle_in_step(policy, case.state, case.tick)
    found = findings(policy, state, case.tick, window=case.window)
    nearest = nearest_to_rollback(policy, state)
    return [
        Settled(*each)
        for each in zip(parted(state, len(cases)), map(Finding, found.tolist()), nearest.tolist(), strict=True)
    ]


def _settled(policy: Policy, case: Case) -> Settled:
    state = settle_in_step(policy, case.state, case.tick)
    found = finding(policy, state, case.tick, window=case.window)
    return Settled(state, found, float(nearest_to_rollback(policy, state)))
