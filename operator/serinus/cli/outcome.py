"""When a pipeline has waited enough: the rollout has ended, or will not without somebody's help."""

from dataclasses import dataclass

from serinus.api import Phase
from serinus.cli.seen import Seen

PATIENCE = 60.0
"""Seconds for what may pass by itself: an operator that restarts, a policy that is yet to be applied."""


@dataclass(frozen=True)
class Outcome:
    """The end of waiting: whether it was promoted, and why waiting ended where the status does not say it."""

    promoted: bool
    told: str = ""


def outcome(seen: Seen | None, hindered: float) -> Outcome | None:
    """What has come of the release; None while it may still be promoted.

    `seen` is None for one that was deleted; `hindered` for how many seconds it has been as `hindrance` says.
    """
    if seen is None:
        return Outcome(promoted=False, told="it was deleted")
    if seen.has_ended:
        return Outcome(promoted=seen.status.phase is Phase.PROMOTED)
    if hindered >= PATIENCE:
        return Outcome(promoted=False, told=f"for {hindered:.0f} s {hindrance(seen)}")
    return None


def hindrance(seen: Seen) -> str | None:
    """Why nothing will come of the release as things are; None where something may."""
    if stalled := seen.stalled:
        return f"it has been stalled ({stalled.reason}): {stalled.message}"
    if not seen.is_seen:
        return "the operator has not looked at it: is it running?"
    return None


def line(seen: Seen) -> str:
    """Where it stands, in a line of a pipeline's log."""
    status = seen.status
    place = f"{seen.namespace}/{seen.name}: {status.phase.value}"
    place += f", step {status.step}/{status.steps}" if status.step else ""
    said = seen.stalled or status.verdict
    return f"{place}, {status.weight} %" + (f" ({said.reason}): {said.message}" if said else "")
