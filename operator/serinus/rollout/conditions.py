"""Conditions: set in one place, so that kstatus and `kubectl wait` read the same of every phase."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from serinus.api import CanaryDeploymentStatus, ConditionStatus, Phase
from serinus.rollout.drift import Drift
from serinus.rollout.live import Obstacle
from serinus.rollout.subject import Subject

_DATA_REASONS = (
    "NoSeries",
    "NoTraffic",
    "StaleData",
    "CounterReset",
    "PrometheusUnreachable",
    "PartialData",
    "UnattributedErrors",
    "QueryNeverAnswered",
)
_WARNED = "Warned"


def conditions(
    status: CanaryDeploymentStatus,
    subject: Subject | None,
    obstacle: Obstacle | None,
    drift: Drift | None,
    now: datetime,
) -> tuple[ConditionStatus, ...]:
    """All conditions that follow from the status; a transition time moves only when its status does.

    `subject` is None for an object that cannot be read; `obstacle` is what stands in the rollout's way, if anything;
    `drift` how the mesh differs from what was decided, if it does.
    """
    phase = status.phase
    verdict = status.verdict
    ended = phase.is_end
    said = verdict.message if verdict else ""
    found: dict[str, tuple[bool, str, str]] = {
        "Ready": (
            obstacle is None and phase is Phase.PROMOTED,
            obstacle.reason if obstacle else phase.value,
            obstacle.message if obstacle else said,
        ),
        "Reconciling": (obstacle is None and not ended, phase.value, said if not ended else ""),
        "Stalled": (
            obstacle is not None,
            obstacle.reason if obstacle else "NothingInTheWay",
            obstacle.message if obstacle else "",
        ),
        "Promoted": (phase is Phase.PROMOTED, phase.value, said if ended else ""),
    }
    if verdict is not None and phase in (Phase.PROGRESSING, Phase.HOLDING, Phase.PAUSED):
        missing = verdict.reason in _DATA_REASONS
        found["MetricsAvailable"] = (
            not missing,
            verdict.reason if missing else "EvidenceComplete",
            said if missing else "",
        )
    if status.rollout is not None:
        found["TrafficAligned"] = (
            drift is None,
            drift.reason if drift else "AsDecided",
            drift.message if drift else "",
        )
        undecided = status.rollout.undecided_at is not None and not ended
        found["Undecided"] = (
            undecided,
            "DeadlineExpired" if undecided else "WithinDeadline",
            "the step's deadline has passed without a verdict" if undecided else "",
        )
    if subject is not None and status.rollout is not None:
        changed = subject.plan.digest() != status.rollout.policy_hash
        found["PolicyChanged"] = (
            changed,
            "HoldsForNextRollout" if changed else "AsCopied",
            "policy, ladder or traffic were edited; the running rollout keeps its copy" if changed else "",
        )
    before = {condition.type: condition for condition in status.conditions}
    if (warned := before.get(_WARNED)) is not None and phase is not Phase.PENDING:
        found[_WARNED] = (warned.status == "True", warned.reason, warned.message)
    generation = subject.generation if subject else status.observed_generation
    return tuple(
        _condition(before.get(kind), kind, *value, generation=generation, now=now) for kind, value in found.items()
    )


def with_warnings(status: CanaryDeploymentStatus, warnings: Sequence[str], now: datetime) -> CanaryDeploymentStatus:
    """The status with what was found when the rollout began; it stays until the next one begins."""
    return _warned(status, "Findings" if warnings else "NothingFound", warnings, now)


def with_more_warnings(status: CanaryDeploymentStatus, more: Sequence[str], now: datetime) -> CanaryDeploymentStatus:
    """The status with what Prometheus said of that time as well, once it did; as it is where that is nothing."""
    known = next((each for each in status.conditions if each.type == _WARNED), None)
    if known is None or not more:
        return status
    return _warned(status, "FindingsInEvidence", [*filter(None, [known.message]), *more], now)


def _warned(
    status: CanaryDeploymentStatus, reason: str, warnings: Sequence[str], now: datetime
) -> CanaryDeploymentStatus:
    before = next((each for each in status.conditions if each.type == _WARNED), None)
    generation, told = status.observed_generation, "; ".join(warnings)
    warned = _condition(before, _WARNED, bool(warnings), reason, told, generation=generation, now=now)
    others = (each for each in status.conditions if each.type != _WARNED)
    return status.model_copy(update={"conditions": (*others, warned)})


def _condition(
    before: ConditionStatus | None,
    kind: str,
    value: bool,
    reason: str,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> ConditionStatus:
    word: Literal["True", "False"] = "True" if value else "False"
    unchanged = before is not None and before.status == word
    return ConditionStatus(
        type=kind,
        status=word,
        reason=reason,
        message=message,
        last_transition_time=before.last_transition_time if before and unchanged else now,
        observed_generation=generation,
    )
