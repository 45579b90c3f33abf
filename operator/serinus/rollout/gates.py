"""What stops a promotion besides the evidence: people who hold it, and gates that wait for them.

Evidence counts all the same: a regression rolls back whoever waits for what.
"""

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.rollout.changes import moved, recorded, rollout_of, saying
from serinus.rollout.phases import Event
from serinus.rollout.turn import Outcome, Turn

_WAITING = "AwaitingApproval"


def is_held(turn: Turn, status: CanaryDeploymentStatus) -> bool:
    """Whether the spec or a person says that nothing is to be promoted."""
    return turn.subject.paused or rollout_of(status).held_by is not None


def held_message(turn: Turn, status: CanaryDeploymentStatus) -> str:
    """Who says so."""
    return "spec.paused is true" if turn.subject.paused else f"held by {rollout_of(status).held_by}"


def at_gate(turn: Turn, status: CanaryDeploymentStatus) -> Outcome | None:
    """Where the step waits for an approval; the first time, that is a record. None where nothing is waited for."""
    rollout = rollout_of(status)
    if turn.plan.ladder[rollout.step].gate is None or rollout.approved_step == rollout.step:
        return None
    told = f"step {rollout.step + 1} is within every margin and waits for an approval"
    waiting = saying(status, turn.now, _WAITING, told)
    if status.phase is Phase.HOLDING and status.history and status.history[-1].reason == _WAITING:
        return Outcome(waiting)
    waiting, record = recorded(turn, waiting, "hold", _WAITING, told)
    if waiting.phase is not Phase.HOLDING:
        waiting = moved(waiting, Event.UNDECIDED)
    return Outcome(waiting, records=(record,))
