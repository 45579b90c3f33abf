"""All that is known of a rollout, as one document: for people to read and for tools to keep."""

from datetime import datetime
from typing import Any

from serinus.api import ConditionStatus, Phase, QueryStatus, RecordStatus, RowStatus, VerdictStatus, format_duration
from serinus.api.model import Model
from serinus.cli.seen import Seen
from serinus.rollout import Plan


class Report(Model):
    """A CanaryDeployment's rollout, without what only the operator reads."""

    namespace: str
    name: str
    author: str | None
    stable: str
    canary: str
    phase: Phase
    rollout: str | None
    """Its id."""
    started_at: datetime | None
    ended_at: datetime | None
    step: int | None
    steps: int | None
    weight: int
    observed_share: float | None
    """Percent of the step's requests that the canary got."""
    observed_requests: int | None
    verdict: VerdictStatus | None
    comparison: tuple[RowStatus, ...]
    queries: tuple[QueryStatus, ...]
    history: tuple[RecordStatus, ...]
    conditions: tuple[ConditionStatus, ...]
    plan: dict[str, Any] | None
    """Arms, traffic, ladder and policy that the rollout follows, as manifests spell them."""


def report_of(seen: Seen) -> Report:
    """The report on what the API server has."""
    status, rollout = seen.status, seen.status.rollout
    return Report(
        namespace=seen.namespace,
        name=seen.name,
        author=seen.spec.author if seen.spec else None,
        stable=status.printed.stable,
        canary=status.printed.canary,
        phase=status.phase,
        rollout=rollout.id if rollout else None,
        started_at=rollout.started_at if rollout else None,
        ended_at=rollout.ended_at if rollout else None,
        step=status.step,
        steps=status.steps,
        weight=status.weight,
        observed_share=status.observed_share,
        observed_requests=status.observed_requests,
        verdict=status.verdict,
        comparison=status.comparison,
        queries=status.queries,
        history=status.history,
        conditions=status.conditions,
        plan=_spelled(seen.plan) if seen.plan else None,
    )


def _spelled(plan: Plan) -> dict[str, Any]:
    """The plan in a manifest's words, lengths of time among them."""
    lengths = {"interval": plan.interval, "reportEvery": plan.report_every, "warmUp": plan.warm_up}
    data: dict[str, Any] = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
    return data | {name: format_duration(length) for name, length in lengths.items()}
