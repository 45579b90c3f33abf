"""One message of each kind, rendered from records: what docs/people.md shows."""

from datetime import UTC, datetime, timedelta

from serinus.api import CanaryDeployment, CanaryDeploymentStatus, Phase, RowStatus, VerdictStatus
from serinus.api.outbox import MessageStatus, OutboxStatus
from serinus.api.status import VerdictWord
from serinus.judge import GUARD, Counts, Evidence, State, Tick, judge
from serinus.notify import message_of, report_message, stalled_message
from serinus.rollout import Obstacle, Plan, Record, judge_policy
from serinus.rollout.present import row_status

NOW = datetime(2026, 11, 21, 14, 10, tzinfo=UTC)
_LADDER = [
    {"weight": 5, "window": "15m"},
    {"weight": 25, "window": "30m", "gate": "manual"},
    {"weight": 100, "window": "0s"},
]
_METRICS = [
    {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}},
    {"name": "success", "template": "istio-success", "tolerance": {"relative": 0.03}},
]


def examples() -> list[MessageStatus]:
    """In the order in which a rollout would send them."""
    found = [
        _message("start", 0, 0, 5, "WarmedUp", "warmed up: the first step begins"),
        _message("hold", 0, 5, 5, "WaitingForRequests", "waiting for requests: 37/100 in the canary arm at this step"),
        _message("promote", 0, 5, 25, "WithinMargins", "within every margin", errors=0.01),
        _message("hold", 1, 25, 25, "AwaitingApproval", "step 2 is within every margin and waits for an approval"),
        _message("approve", 1, 25, 25, "Override", "step 2 may pass its gate", because="checked with the call centre"),
        _message("rollback", 1, 25, 0, "Regression", "rolled back: error-rate is beyond its tolerance", errors=0.061),
        _message("promoted", 2, 100, 100, "LadderCompleted", "promoted: version=v2 has all of the traffic"),
        _message("superseded", 1, 25, 0, "NewRelease", "another release was applied before this one ended"),
    ]
    obstacle = Obstacle("VirtualServiceNotFound", "spec.traffic.virtualServices[0]: no VirtualService ml/predictor")
    return [*found, _report(), stalled_message("ml", "predictor", obstacle, NOW)]


def text(message: MessageStatus) -> str:
    return f"{message.title}\n{message.body}"


def _report() -> MessageStatus:
    """A quarter of an hour after the step was held."""
    since, told = NOW - timedelta(minutes=15), "error-rate is not yet shown to be within its margin"
    status = CanaryDeploymentStatus(
        phase=Phase.HOLDING,
        weight=5,
        verdict=VerdictStatus(verdict="hold", reason="Undecided", message=told, time=NOW),
        comparison=_comparison(_plan(), 0.025),
        outbox=OutboxStatus(reported_at=since),
    )
    message = report_message("ml", "predictor", status, timedelta(minutes=15), NOW)
    assert message is not None
    return message


def _message(
    verdict: str,
    step: int,
    before: int,
    after: int,
    reason: str,
    told: str,
    *,
    errors: float | None = None,
    because: str | None = None,
) -> MessageStatus:
    plan = _plan()
    overruled: VerdictWord | None = None if because is None else "hold"
    record = Record(
        id=f"predictor-0a1b2c3d/{step + 1}",
        rollout="predictor-0a1b2c3d",
        namespace="ml",
        name="predictor",
        author="jo@example.com",
        time=NOW,
        actor="serinus" if because is None else "kim",
        verdict=verdict,
        reason=reason,
        message=told,
        because=because,
        overruled=overruled,
        step=step,
        weight_before=before,
        weight_after=after,
        comparison=() if errors is None else _comparison(plan, errors),
        plan=plan,
        policy_hash=plan.digest(),
        previous_hash="",
    )
    message = message_of(record)
    assert message is not None
    return message


def _plan() -> Plan:
    manifest = {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryDeployment",
        "metadata": {"name": "predictor", "namespace": "ml"},
        "spec": {
            "stable": {"subset": "stable", "labels": {"version": "v1"}},
            "canary": {"subset": "canary", "labels": {"version": "v2"}},
            "traffic": {
                "host": "predictor",
                "virtualServices": [{"name": "predictor"}],
                "destinationRule": "predictor",
            },
            "ladder": _LADDER,
            "policy": {"metrics": _METRICS},
        },
    }
    spec = CanaryDeployment.model_validate(manifest).spec
    assert spec.policy is not None
    return Plan.of(spec, spec.policy)


def _comparison(plan: Plan, errors: float) -> tuple[RowStatus, ...]:
    """What the judge says of ten ticks of 500 canary requests."""
    policy = judge_policy(plan.policy, plan.planned_ticks())
    state = State.start(policy)
    for _ in range(10):
        failed = Evidence(Counts(500, 500 * errors), Counts(4500, 45))
        well = Evidence(Counts(500, 500 - 500 * errors), Counts(4500, 4455))
        tick = Tick(0, {"error-rate": failed, "success": well, GUARD: failed})
        state, rows, _ = judge(policy, state, tick, window=0)
    return tuple(row_status(row) for row in rows)
