"""The share that the canary got is held against its weight: what chance cannot explain is told (R17)."""

from datetime import timedelta
from typing import Any

import pytest

from serinus.api import CanaryDeploymentStatus, Phase, RolloutStatus
from serinus.rollout.share import find_misalignment
from tests.rollout.conftest import START, subject

TRAFFIC = {"host": "predictor", "virtualServices": [{"name": "predictor"}], "destinationRule": "predictor"}


def status(share: float | None, requests: int, *, after: float = 30, phase: Phase = Phase.PROGRESSING) -> Any:
    rollout = RolloutStatus(
        id="predictor-1",
        started_at=START,
        release="r",
        policy_hash="p",
        snapshot="s",
        step_started_at=START,
        judged_until=START + timedelta(seconds=after),
    )
    return CanaryDeploymentStatus(
        phase=phase, rollout=rollout, weight=25, observed_share=share, observed_requests=requests
    )


def misaligned(seen: CanaryDeploymentStatus, **traffic: Any) -> str | None:
    found = find_misalignment(subject(traffic=TRAFFIC | traffic).plan, seen)
    return found and found.message


def test_a_share_that_chance_explains_is_aligned() -> None:
    assert misaligned(status(29.0, 1000)) is None
    assert misaligned(status(25.9, 1_000_000)) is None
    assert misaligned(status(90.0, 3)) is None


@pytest.mark.parametrize("share", [12.3, 40.0])
def test_a_share_that_chance_does_not_explain_is_told_with_both_numbers(share: float) -> None:
    told = misaligned(status(share, 5000))
    assert told is not None
    assert told.startswith(f"the canary got {share:g} % of 5000 requests, 25 % were decided; look for other routes")


def test_users_of_a_cohort_do_not_send_the_same_number_of_requests() -> None:
    assert misaligned(status(29.5, 1_000_000), cohort={"header": "x-user-id"}) is None
    assert misaligned(status(32.0, 1_000_000), cohort={"header": "x-user-id"})


def test_an_audience_may_be_any_part_of_the_traffic_but_gives_no_more_than_the_weight() -> None:
    audience = [{"header": "x-internal", "exact": "true"}]
    assert misaligned(status(0.1, 100_000), audience=audience) is None
    assert misaligned(status(30.0, 100_000), audience=audience)


def test_what_was_counted_before_the_weight_was_on_the_mesh_is_not_held_against_it() -> None:
    assert misaligned(status(10.0, 5000, after=5)) is None


def test_before_any_evidence_and_after_the_end_nothing_is_said() -> None:
    assert misaligned(status(None, 0)) is None
    assert misaligned(status(0.0, 5000, phase=Phase.ROLLED_BACK)) is None
