"""The operator looks at a rollout once: when it is prepared, before any user has met the canary."""

from dataclasses import dataclass, field, replace
from typing import Any

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.controller.beginning import is_prepared_now
from serinus.rollout import Outcome
from tests.rollout.conftest import Play


@dataclass
class Watched(Play):
    """A rollout, and the phases in which it was looked at."""

    looked: list[Phase] = field(default_factory=list)

    def turn(self, *told: Any, **how: Any) -> Outcome:
        before = self.status
        outcome = super().turn(*told, **how)
        if is_prepared_now(before, self.status):
            self.looked.append(before.phase)
        return outcome


def test_a_rollout_is_looked_at_once_when_its_preparation_is_over() -> None:
    play = Watched()
    play.live = replace(play.live, canary=None)  # the preparation makes its subset
    play.settle()
    for _ in range(2):
        play.judged("promote", after=45)
    assert play.status.phase is Phase.PROMOTED
    assert play.looked == [Phase.PENDING]


def test_an_object_without_a_rollout_is_not_looked_at() -> None:
    assert not is_prepared_now(CanaryDeploymentStatus(), CanaryDeploymentStatus())
