"""What stops a promotion besides the evidence: people who hold it, and gates that wait for them.

Evidence counts all the same: a regression rolls back whoever waits for what.
"""

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.rollout.changes import moved, recorded, rollout_of, saying
from serinus.rollout.phases import Event
from serinus.rollout.turn import Outcome, Turn


def is_held(turn: Turn, status: CanaryDeploymentStatus) -> bool:
    """Whether the spec or a person says that nothing is to be promoted."""
    return turn.subject.paused or rollout_of(status).held_by is not None


def held_message(turn: Turn, status: CanaryDeploymentStatus) -> str:
    """Who says so."""
    return "spec.paused is true" if turn.subject.paused else f"held by {rollout_of(status).held_by}"


def at_gate(turn: Turn, status: CanaryDeploymentStatus) -> Outcome | None:
    """Where the step waits for an approval. None where nothing is waited for."""
    rollout = rollout_of(status)
    if turn.plan.ladder[rollout.step].gate is None or rollout.approved_step == rollout.step:
        return None
    told = f"step {rollout.step + 1} is within every margin and waits for an approval"
    return waiting(turn, status, "AwaitingApproval", told)


def waiting(turn: Turn, status: CanaryDeploymentStatus, reason: str, told: str) -> Outcome:
    """The step is proven, and something else is waited for; the first time, that is a record."""
    held = saying(status, turn.now, reason, told)
    if status.phase is Phase.HOLDING and status.history and status.history[-1].reason == reason:
        return Outcome(held)
    held, record = recorded(turn, held, "hold", reason, told)
    if held.phase is not Phase.HOLDING:
        held = moved(held, Event.UNDECIDED)
    return Outcome(held, records=(record,))
