"""The operator looks at a rollout once: when it is prepared, before any user has met the canary."""

from dataclasses import replace
from datetime import timedelta

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.controller.beginning import is_prepared_now
from tests.rollout.conftest import Play


def test_a_rollout_is_looked_at_once_when_its_preparation_is_over() -> None:
    play, looked = Play(), []
    play.live = replace(play.live, canary=None)  # the preparation makes its subset
    while play.status.phase is not Phase.PROMOTED:
        before = play.status
        outcome = play.turn("promote" if before.step else None)
        if is_prepared_now(before, play.status):
            looked.append(before.phase)
        play.now = max(outcome.wake or play.now, play.now) + timedelta(seconds=1)
    assert looked == [Phase.PENDING]


def test_an_object_without_a_rollout_is_not_looked_at() -> None:
    assert not is_prepared_now(CanaryDeploymentStatus(), CanaryDeploymentStatus())
