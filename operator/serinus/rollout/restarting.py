"""A step that was disturbed from outside begins again: its window, and what a promotion would be proven by."""

from serinus.api import CanaryDeploymentStatus
from serinus.judge import State
from serinus.rollout.changes import in_rollout, moved, rollout_of
from serinus.rollout.phases import Event
from serinus.rollout.turn import Turn


def restart_step(turn: Turn, status: CanaryDeploymentStatus) -> CanaryDeploymentStatus:
    """The status whose step begins now. What speaks for a rollback is kept: it holds whatever the disturbance was."""
    rollout, plan = rollout_of(status), turn.plan
    judge = rollout.judge
    if judge:
        judge = State.unpack(judge, plan.judged_by).disturbed().pack()
    status = in_rollout(status, step_started_at=turn.now, undecided_at=None, judge=judge)
    return moved(status, Event.STEP_RESTARTED, next_step_time=turn.now + plan.ladder[rollout.step].window)
