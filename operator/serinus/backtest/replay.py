"""A window judged by the judge that the operator has, as one step between equal arms."""

from dataclasses import dataclass

from serinus.backtest.window import Window
from serinus.judge import Policy, State, Tick
from serinus.judge.findings import Finding, family_wealth, findings, rolls_back
from serinus.judge.tick import settle_all

_AT_ONCE = 32  # ticks: faster than one by one, and nobody needs what came after a rollback


@dataclass(frozen=True)
class Outcome:
    """What would have come of a rollout in a window that began at `begin` (Unix seconds).

    `finding`: what decided. `ticks`: after how many. `blamed`: who rolled back: the metric with the most
    wealth, or GUARD.
    """

    begin: float
    finding: Finding
    ticks: int
    blamed: str = ""

    @property
    def is_rollback(self) -> bool:
        """Whether it would have been rolled back."""
        return self.finding is Finding.ROLLBACK

    @property
    def is_promotion(self) -> bool:
        """Whether it would have been promoted when the window was over."""
        return self.finding is Finding.PROMOTE


def replay(policy: Policy, window: Window) -> Outcome:
    """The first rollback, else what the last tick came to, when the window is over."""
    ticks, state = [Tick(0, evidence) for evidence in window.ticks], State.start(policy, window.past)
    for first in range(0, len(ticks), _AT_ONCE):
        some = ticks[first : first + _AT_ONCE]
        for number, after in enumerate(settle_all(policy, state, some, with_intervals=False), start=first + 1):
            state = after
            if rolls_back(policy, state):
                wealth = family_wealth(policy, state)
                blamed = max(wealth, key=lambda name: float(wealth[name]))
                return Outcome(window.begin, Finding.ROLLBACK, number, blamed)
    found = Finding(int(findings(policy, state, ticks[-1], window=len(ticks))))
    return Outcome(window.begin, found, len(ticks))
