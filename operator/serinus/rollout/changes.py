"""How a status changes: every phase by the table, every decision by a new id, every record chained to the last."""

from datetime import datetime

from serinus.api import CanaryDeploymentStatus, RolloutStatus, VerdictStatus
from serinus.rollout.phases import Event, target
from serinus.rollout.plan import Plan
from serinus.rollout.records import HISTORY, SERINUS, Record
from serinus.rollout.scene import Scene


def moved(status: CanaryDeploymentStatus, event: Event, **fields: object) -> CanaryDeploymentStatus:
    """The status after `event`, with other fields of it set at the same time."""
    return status.model_copy(update={**fields, "phase": target(status.phase, event)})


def in_rollout(status: CanaryDeploymentStatus, **fields: object) -> CanaryDeploymentStatus:
    """The status with fields of its rollout set."""
    return status.model_copy(update={"rollout": rollout_of(status).model_copy(update=fields)})


def rollout_of(status: CanaryDeploymentStatus) -> RolloutStatus:
    """The rollout of a status that has one."""
    assert status.rollout is not None, "a rollout has begun"
    return status.rollout


def saying(status: CanaryDeploymentStatus, now: datetime, reason: str, message: str) -> CanaryDeploymentStatus:
    """The status with a hold verdict that says what is waited for; unchanged when it says so already."""
    said = status.verdict
    if said is not None and (said.reason, said.message) == (reason, message):
        return status
    verdict = VerdictStatus(verdict="hold", reason=reason, message=message, time=now)
    return status.model_copy(update={"verdict": verdict})


def decision_id(rollout: RolloutStatus, verb: str) -> str:
    """The next decision's id: rollout, running number, what it does."""
    return f"{rollout.id}/{decision_number(rollout.decision) + 1}-{verb}"


def decision_number(decision: str) -> int:
    """The running number of a decision; 0 where there is none yet."""
    number = decision.rpartition("/")[2].partition("-")[0]
    return int(number) if number.isdecimal() else 0


def recorded(
    scene: Scene,
    status: CanaryDeploymentStatus,
    verdict: str,
    reason: str,
    message: str,
    *,
    weight_after: int | None = None,
) -> tuple[CanaryDeploymentStatus, Record]:
    """The record of a decision taken now, and the status with it in its history and its hash for the next to name.

    `weight_after`: the canary's weight that the decision asks for; absent: the one it has.
    """
    rollout = rollout_of(status)
    number = 1 + int(status.history[-1].id.rpartition("/")[2]) if status.history else 1
    record = Record(
        id=f"{rollout.id}/{number}",
        rollout=rollout.id,
        namespace=scene.subject.namespace,
        name=scene.subject.name,
        author=scene.subject.author,
        time=scene.now,
        actor=scene.order.requested_by if scene.order else SERINUS,
        verdict=verdict,
        reason=reason,
        message=message,
        because=scene.order.reason if scene.order else None,
        overruled=status.verdict.verdict if scene.order and status.verdict else None,
        step=rollout.step,
        weight_before=status.weight,
        weight_after=status.weight if weight_after is None else weight_after,
        comparison=status.comparison,
        plan=Plan.unpack(rollout.snapshot),
        policy_hash=rollout.policy_hash,
        stable_workload=rollout.stable_workload,
        canary_workload=rollout.canary_workload,
        evidence=scene.trail.record(),
        previous_hash=rollout.last_hash,
    )
    history = (*status.history, record.summary())[-HISTORY:]
    return in_rollout(status, last_hash=record.digest()).model_copy(update={"history": history}), record
