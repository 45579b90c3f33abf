"""What a backtest found, for people and for other programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from serinus.api import format_duration
from serinus.backtest import Proposal, Share, Split, Trial, Tried, patch
from serinus.cli.backtest_target import Holder


@dataclass(frozen=True)
class Report:
    """The policy's own outcomes, and what was tried of each metric.

    `host`: the service. `splits`: how the arms of each window were made. `silent`: windows that were left out. `end`:
    of the last window, in Unix seconds. `unreplayed`: gating metrics that cannot be replayed.
    """

    holder: Holder
    host: str
    window: timedelta
    end: float
    trial: Trial
    proposals: tuple[Proposal, ...]
    splits: tuple[Split, ...]
    silent: int
    unreplayed: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the object that has the policy."""
        return self.holder.name

    @property
    def alpha(self) -> float:
        """The share of rollbacks that the policy promises."""
        return self.trial.policy.false_rollback

    @property
    def is_quiet(self) -> bool:
        """Whether no more windows than promised would have been rolled back."""
        return self.trial.rolled_back.count <= self.alpha * self.trial.rolled_back.of

    def document(self) -> dict[str, Any]:
        """For other programs."""
        return {
            self.holder.kind: self.name,
            "service": self.host,
            "from": _time(self.trial.outcomes[0].begin),
            "to": _time(self.end),
            "window": format_duration(self.window),
            "windows": len(self.trial.outcomes),
            "silent": self.silent,
            "arms": sorted({"pods" if each.is_by_pods else "requests" for each in self.splits}),
            "promised": self.alpha,
            "rolledBack": _share(self.trial.rolled_back),
            "rollbacks": [
                {"window": _time(each.begin), "metric": each.blamed, "ticks": each.ticks}
                for each in self.trial.outcomes
                if each.is_rollback
            ],
            "held": {finding.name: number for finding, number in self.trial.held.items()},
            "promoted": _share(self.trial.promoted),
            "metrics": [
                {"name": each.metric.name, "tried": [_tried(one, each) for one in each.tried]}
                for each in self.proposals
            ],
            "unreplayed": list(self.unreplayed),
        }

    def patch(self) -> Iterator[str]:
        """Lines of a YAML file that `kubectl patch` reads, with what speaks for it in comments."""
        operations = patch(self.trial.policy, self.proposals, self.holder.path)
        place = f" -n {self.holder.namespace}" if self.holder.namespace else ""
        yield f"# Review, then: kubectl patch {self.holder.kind} {self.name}{place} --type=json --patch-file=THIS_FILE"
        for each in self.proposals:
            if each.proposed is not None:
                share = each.proposed.trial.blamed_on(each.metric.name)
                promoted = each.proposed.trial.promoted
                yield (
                    f"# {each.metric.name}: rolled back {share.count} of {share.of} windows of the stable against "
                    f"itself (at most {share.high:.1%}), promoted {promoted.count}"
                )
        if not operations:
            yield "# There is nothing to change: the policy's tolerances are as good as any that was tried."
        documents = [each.model_dump(mode="json") for each in operations]
        yield yaml.safe_dump(documents, sort_keys=False).rstrip()


def _tried(tried: Tried, proposal: Proposal) -> dict[str, Any]:
    return {
        "tolerance": tried.tolerance.model_dump(mode="json", exclude_none=True),
        "rolledBack": _share(tried.trial.blamed_on(proposal.metric.name)),
        "promoted": _share(tried.trial.promoted),
        "policy": tried is proposal.own,
        "proposed": tried is proposal.proposed,
    }


def _share(share: Share) -> dict[str, Any]:
    return {"count": share.count, "of": share.of, "low": round(share.low, 5), "high": round(share.high, 5)}


def _time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"
