"""CanaryDeployments in every state, as an operator would have left them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from serinus.api import (
    ArmStatus,
    CanaryDeployment,
    CanaryDeploymentStatus,
    ConditionStatus,
    Phase,
    PrintedStatus,
    QueryStatus,
    RecordStatus,
    RolloutStatus,
    RowStatus,
    VerdictStatus,
)
from serinus.api.status import VerdictWord
from serinus.rollout import Plan

NOW = datetime(2026, 11, 21, 14, 10, tzinfo=UTC)
Manifest = dict[str, Any]


def manifest(name: str = "predictor", namespace: str = "ml", **changes: Any) -> Manifest:
    """A release v1 → v2 over 1/5/25/50/100, whose spec is changed as told."""
    spec: Manifest = {
        "stable": {"subset": "stable", "labels": {"version": "v1"}},
        "canary": {"subset": "canary", "labels": {"version": "v2"}},
        "traffic": {"host": "predictor", "virtualServices": [{"name": "predictor"}], "destinationRule": "predictor"},
        "author": "jo@example.com",
        "ladder": [
            {"weight": 1, "window": "15m"},
            {"weight": 5, "window": "15m"},
            {"weight": 25, "window": "30m"},
            {"weight": 50, "window": "30m", "gate": "manual"},
            {"weight": 100, "window": "0s"},
        ],
        "policy": {
            "metrics": [
                {
                    "name": "latency",
                    "template": "istio-latency",
                    "quantiles": [0.99],
                    "tolerance": {"duration": "50ms"},
                },
                {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}},
            ]
        },
    }
    return {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryDeployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "generation": 1,
            "creationTimestamp": "2026-11-21T13:06:00Z",
        },
        "spec": spec | changes,
    }


def plan(given: Manifest) -> Plan:
    spec = CanaryDeployment.model_validate(given).spec
    assert spec.policy is not None
    return Plan.of(spec, spec.policy)


def rows() -> tuple[RowStatus, ...]:
    """A latency that is undecided, an error rate that is fine, and a conversion that only reports."""
    return (
        RowStatus(
            metric="latency p99",
            kind="latency",
            verdict="undecided",
            canary=ArmStatus(total=4551, events=0, estimate=212.0),
            stable=ArmStatus(total=13661, events=0, estimate=180.0),
            difference=32.0,
            relative=0.1778,
            low=12.0,
            high=55.0,
            confidence=0.99,
            p_value=0.3,
            tolerance="+50 ms",
            margin="+50 ms",
            gating=True,
            rollback=0.12,
            promote=0.61,
            worse_by=38.0,
            better_by=5.0,
            tested="p99 of the step's requests",
            reporter="destination",
        ),
        RowStatus(
            metric="error-rate",
            kind="proportion",
            verdict="within tolerance",
            canary=ArmStatus(total=4551, events=46, estimate=0.0102),
            stable=ArmStatus(total=13661, events=137, estimate=0.01),
            difference=0.0002,
            low=-0.0031,
            high=0.0037,
            confidence=0.99,
            p_value=1.0,
            tolerance="+2 pp",
            margin="+2 pp",
            gating=True,
            rollback=0.0,
            promote=1.0,
            worse_by=0.041,
            tested="share of failed requests",
        ),
        RowStatus(
            metric="conversion",
            kind="proportion",
            verdict="no data",
            missing="no series",
            canary=ArmStatus(total=0, events=0),
            stable=ArmStatus(total=0, events=0),
            confidence=0.99,
            p_value=1.0,
            tolerance="−3 %",
            margin="−3 %",
            gating=False,
            rollback=0.0,
            promote=0.0,
            tested="share of visits",
        ),
    )


def progressing(given: Manifest, **changes: Any) -> Manifest:
    """The object in the third step, 64 minutes after its start and 12 before its window ends."""
    step_started = NOW - timedelta(minutes=18)
    status = CanaryDeploymentStatus(
        observed_generation=1,
        phase=Phase.PROGRESSING,
        rollout=RolloutStatus(
            id=f"{given['metadata']['name']}-0a1b2c3d",
            started_at=NOW - timedelta(minutes=64),
            release="r",
            policy_hash="p",
            snapshot=plan(given).pack(),
            step=2,
            step_started_at=step_started,
        ),
        step=3,
        steps=5,
        weight=25,
        observed_share=24.8,
        observed_requests=18212,
        next_step_time=NOW + timedelta(minutes=12),
        verdict=VerdictStatus(
            verdict="hold",
            reason="Undecided",
            message="latency p99 212 ms against 180 ms, +32 ms (99 % CI +12 to +55, tolerance +50 ms) after 4551 "
            "canary requests: not yet shown to be within its margin; 5 ms better would be",
            time=NOW - timedelta(seconds=12),
        ),
        comparison=rows(),
        history=(
            record(1, "start", "WarmedUp", 0, 1, minutes=63),
            record(2, "promote", "WithinMargins", 1, 5, minutes=40),
            record(3, "promote", "WithinMargins", 5, 25, minutes=18),
        ),
        queries=(QueryStatus(metric="error-rate", query='sum by (arm) (istio_requests_total{response_code=~"5.."})'),),
        printed=PrintedStatus(step="3/5", next="14:22Z", share="24.8 %", stable="version=v1", canary="version=v2"),
    )
    return with_status(given, status.model_copy(update=changes))


def ended(given: Manifest, phase: Phase, **changes: Any) -> Manifest:
    """The object after its rollout has ended so."""
    words: dict[Phase, tuple[VerdictWord, str, str]] = {
        Phase.PROMOTED: ("promote", "LadderCompleted", "promoted: version=v2 has all of the traffic"),
        Phase.ROLLED_BACK: (
            "rollback",
            "Regression",
            "rolled back: error-rate 6.1 % against 1 %, +5.1 pp (99 % CI +2.5 to +16, tolerance +2 pp) after 620 "
            "canary requests",
        ),
        Phase.FAILED: ("rollback", "NeverReady", "the canary was not ready before the deadline"),
    }
    verdict, reason, message = words[phase]
    weight = 100 if phase is Phase.PROMOTED else 0
    running = CanaryDeploymentStatus.model_validate(progressing(given)["status"])
    assert running.rollout is not None
    last = record(4, {"Promoted": "promoted"}.get(phase.value, "rollback"), reason, 25, weight, minutes=0)
    return progressing(
        given,
        phase=phase,
        weight=weight,
        next_step_time=None,
        rollout=running.rollout.model_copy(update={"ended_at": NOW}),
        verdict=VerdictStatus(verdict=verdict, reason=reason, message=message, time=NOW),
        history=(*running.history, last),
        **changes,
    )


def stalled(given: Manifest) -> Manifest:
    """The object of which the operator says that something is in the way."""
    told = "spec.traffic.virtualServices[0]: no VirtualService ml/predictor"
    condition = ConditionStatus(
        type="Stalled", status="True", reason="VirtualServiceNotFound", message=told, last_transition_time=NOW
    )
    return with_status(given, CanaryDeploymentStatus(observed_generation=1, conditions=(condition,)))


def record(number: int, verdict: str, reason: str, before: int, after: int, *, minutes: int) -> RecordStatus:
    return RecordStatus(
        id=f"predictor-0a1b2c3d/{number}",
        time=NOW - timedelta(minutes=minutes),
        actor="serinus",
        verdict=verdict,
        reason=reason,
        weight_before=before,
        weight_after=after,
        hash=f"{number:064}",
    )


def with_status(given: Manifest, status: CanaryDeploymentStatus) -> Manifest:
    return {**given, "status": status.model_dump(mode="json", by_alias=True, exclude_none=True)}
