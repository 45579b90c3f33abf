"""How a rollout begins, and how one that another release overtakes ends first."""

import hashlib
from datetime import datetime

from serinus.api import CanaryDeploymentStatus, RolloutStatus, VerdictStatus
from serinus.rollout.changes import in_rollout, moved
from serinus.rollout.ends import OVERTAKEN
from serinus.rollout.phases import BEFORE_TRAFFIC, Event
from serinus.rollout.plan import Plan, PlanError
from serinus.rollout.subject import Subject


def wants_another(subject: Subject, status: CanaryDeploymentStatus) -> bool:
    """Whether another release is asked for than the one tried last: by the spec, or by the canary's pod template.

    One that was overtaken was not tried to its end: where what overtook it is gone before it began, it is wanted again.
    """
    rollout = status.rollout
    if rollout is None or rollout.release != subject.release or _was_overtaken(status):
        return True
    known = rollout.canary_workload
    return known is not None and subject.template is not None and subject.template != known.template


def _was_overtaken(status: CanaryDeploymentStatus) -> bool:
    return status.phase.is_end and status.verdict is not None and status.verdict.reason == OVERTAKEN


def is_over(status: CanaryDeploymentStatus) -> bool:
    """Whether the last rollout has ended and the weights of its last decision were seen on the mesh."""
    return status.phase.is_end and is_carried_out(status)


def is_carried_out(status: CanaryDeploymentStatus) -> bool:
    """Whether the last rollout, if any, leaves nothing to do on the mesh: only then the next may begin."""
    rollout = status.rollout
    if rollout is None or status.phase in BEFORE_TRAFFIC:
        return True
    return status.phase.is_end and rollout.decision == rollout.observed


def plan_in_force(subject: Subject, status: CanaryDeploymentStatus) -> Plan:
    """The plan that the mesh is read by: the last rollout's copy until it is over, then the one that would begin.

    Raises PlanError when the copy is damaged and no other release is asked for.
    """
    if status.rollout is None or (wants_another(subject, status) and is_carried_out(abandoned_if_damaged(status))):
        return subject.plan
    return Plan.unpack(status.rollout.snapshot)


def abandoned_if_damaged(status: CanaryDeploymentStatus) -> CanaryDeploymentStatus:
    """The status without what nobody can finish: a rollout whose copy of the plan is damaged.

    Only for one that another release overtakes: preparing that one brings the weights back to stable.
    """
    if status.rollout is None or is_carried_out(status):
        return status
    try:
        Plan.unpack(status.rollout.snapshot)
    except PlanError:
        seen = in_rollout(status, observed=status.rollout.decision)
        return seen if status.phase.is_end else moved(seen, Event.SUPERSEDED, weight=0)
    return status


def names_other_objects(plan: Plan, other: Plan) -> bool:
    """Whether the two plans move other routes or other subsets."""
    subsets = (plan.stable.subset, plan.canary.subset) != (other.stable.subset, other.canary.subset)
    return subsets or plan.traffic != other.traffic


def begin(subject: Subject, status: CanaryDeploymentStatus, now: datetime) -> CanaryDeploymentStatus:
    """The status of a rollout that begins now, by a copy of the plan."""
    started = f"{subject.uid}/{subject.release}/{subject.template}/{now.isoformat()}"
    plan = subject.plan
    rollout = RolloutStatus(
        id=f"{subject.name}-{hashlib.sha256(started.encode()).hexdigest()[:8]}",
        started_at=now,
        release=subject.release,
        policy_hash=plan.digest(),
        snapshot=plan.pack(),
        # The weights of the one before may still be on their way to the proxies.
        settling_since=status.rollout.settling_since if status.rollout else None,
        last_hash=status.rollout.last_hash if status.rollout else "",
    )
    verdict = VerdictStatus(verdict="hold", reason="Preparing", message="bringing all traffic to stable", time=now)
    return moved(
        status,
        Event.RELEASED,
        rollout=rollout,
        verdict=verdict,
        steps=len(plan.ladder),
        step=None,
        next_step_time=None,
        observed_share=None,
        observed_requests=None,
        comparison=(),
    )
