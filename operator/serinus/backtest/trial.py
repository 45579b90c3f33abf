"""One policy over many windows: how often it would have rolled back, held and promoted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serinus.api import CanaryPolicySpec, Metric
from serinus.backtest.replay import Outcome, replay
from serinus.backtest.share import Share
from serinus.backtest.window import Window
from serinus.judge.findings import Finding
from serinus.rollout import judge_policy


def replayable(metric: Metric) -> bool:
    """Whether a metric can be divided between two arms: it decides something, and it is counted, not a level."""
    return metric.is_gating and metric.effective_kind != "gauge"


@dataclass(frozen=True)
class Trial:
    """The outcomes of a policy in each window, in order."""

    policy: CanaryPolicySpec
    outcomes: tuple[Outcome, ...]

    @classmethod
    def of(cls, policy: CanaryPolicySpec, windows: Sequence[Window]) -> "Trial":
        """Every window judged by those metrics of the policy that can be replayed; there must be one."""
        metrics = tuple(each for each in policy.metrics if replayable(each))
        spec = policy.model_copy(update={"metrics": metrics})
        judged = judge_policy(spec, planned_ticks=max(len(each.ticks) for each in windows))
        return cls(policy, tuple(replay(judged, each) for each in windows))

    @property
    def rolled_back(self) -> Share:
        """For whatever reason."""
        return Share(sum(each.is_rollback for each in self.outcomes), len(self.outcomes))

    @property
    def promoted(self) -> Share:
        """When the window was over."""
        return Share(sum(each.is_promotion for each in self.outcomes), len(self.outcomes))

    @property
    def held(self) -> Mapping[Finding, int]:
        """How often each reason to hold was there when the window was over; the most frequent first."""
        reasons = (each.finding for each in self.outcomes if not each.is_rollback and not each.is_promotion)
        return dict(Counter(reasons).most_common())

    def blamed_on(self, name: str) -> Share:
        """How often that metric, or the guard, was what rolled back."""
        return Share(sum(each.blamed == name for each in self.outcomes), len(self.outcomes))


def alone(policy: CanaryPolicySpec, metric: Metric) -> CanaryPolicySpec:
    """The policy with that metric only."""
    return policy.model_copy(update={"metrics": (metric,)})
