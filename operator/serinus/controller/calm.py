"""Turns that leave nothing to do: nearly all of a rollout's, so what an operator costs is what they cost."""

from dataclasses import dataclass

from serinus.api import CanaryDeploymentStatus
from serinus.controller.progress import Progress
from serinus.rollout import Live, Subject, is_uneventful


@dataclass(frozen=True, slots=True)
class Calm:
    """The world as a turn found it that left nothing to do."""

    subject: Subject
    live: Live

    def lasts(self, status: CanaryDeploymentStatus, subject: Subject, live: Live, progress: Progress) -> bool:
        """Whether it is as it was, and the ticks in `progress` change nothing but what is known of the evidence.

        Then the status that the turn left can wait for them: they need not be put into words.
        """
        newest, until = progress.newest, progress.until
        if newest is None or until is None or (subject, live) != (self.subject, self.live):
            return False
        hold = newest.lasting_hold
        return hold is not None and is_uneventful(status, hold, until)
