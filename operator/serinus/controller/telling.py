"""What the evidence itself says about a verdict: what is missing in detail, and that nobody reaches the canary."""

from collections.abc import Sequence

from serinus.judge import Verdict
from serinus.judge.evidence import Missing
from serinus.metrics import Doubt, Reach

_MISSING = frozenset(
    ("NoTraffic", "NoSeries", "StaleData", "CounterReset", "PrometheusUnreachable", "PartialData", "UnattributedErrors")
)
"""The judge's reasons for a hold by missing data: people then want to know the query and what it answered."""


def with_doubts(verdict: Verdict, doubts: Sequence[Doubt]) -> Verdict:
    """The verdict, and where it is a hold and data is missing, the query with what came of it.

    A query that has never returned anything is named whatever else is waited for: no waiting will mend it.
    """
    if verdict.verdict != "hold":
        return verdict
    lasting = [doubt for doubt in doubts if doubt.lasting]
    if lasting:
        return Verdict(
            "hold", "QueryNeverAnswered", f"this has returned nothing since it was first asked: {lasting[0]}"
        )
    if doubts and verdict.reason in _MISSING:
        return Verdict("hold", verdict.reason, "; ".join(dict.fromkeys(map(str, _most_telling(doubts)))))
    return verdict


def unreachable(reach: Reach, before: Reach, weight: int) -> Verdict:
    """The breaker's verdict (I3), outside the guarantee."""
    return Verdict(
        "rollback",
        "CanaryUnreachable",
        f"rolled back: {reach.unattributed:g} of {reach.total:g} requests failed before they reached a workload "
        f"({100 * before.unattributed_rate:.2g} % did before the rollout), while the canary, which is meant to have "
        f"{weight} %, answered {reach.canary:g}",
    )


def _most_telling(doubts: Sequence[Doubt]) -> list[Doubt]:
    """Those of one kind, that of the first metric of the policy: the guard repeats what the others say."""
    named = list(doubts[1:] or doubts)
    kinds = [doubt.missing for doubt in named]
    worst = Missing.UNREACHABLE if Missing.UNREACHABLE in kinds else kinds[0]
    return [doubt for doubt in named if doubt.missing is worst][:1]
