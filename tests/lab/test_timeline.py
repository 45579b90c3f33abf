"""When what happened is read off what was seen, not off what should have happened."""

from datetime import UTC, datetime

import pytest

from lab.demo.load import LoadSnapshot, VersionCount
from lab.demo.release import WARM_UP, Release
from lab.demo.stage import AFTERMATH, is_over
from lab.demo.timeline import Timeline, timeline
from lab.demo.watch import Sightings, StateSeen, WeightSeen, state_of, weight_of
from serinus.api.status import CanaryDeploymentStatus, Phase, RolloutStatus

V2 = Release("predictor", "v1", "v2")
V3 = Release("predictor", "v2", "v3")


def state(time: float, canary: str, phase: Phase = Phase.PENDING, rollout: str | None = None) -> StateSeen:
    under_way = None
    if rollout:
        started = datetime.fromtimestamp(0, UTC)
        under_way = RolloutStatus(id=rollout, started_at=started, release="", policy_hash="", snapshot="")
    return StateSeen(time, canary, CanaryDeploymentStatus(phase=phase, rollout=under_way))


def load(*versions: VersionCount, time: float = 1000.0) -> LoadSnapshot:
    return LoadSnapshot(0.0, time, versions)


def of(release: Release, seen: Sightings, users: LoadSnapshot) -> Timeline:
    read = timeline(release, seen, users)
    assert read is not None
    return read


# v2 was promoted as rollout r2; then v3 was applied at 100, began at 100.2, and was rolled back.
STATES = (
    state(10, "v2", Phase.PROMOTED, "r2"),
    state(100, "v3", Phase.PROMOTED, "r2"),
    state(100.2, "v3", Phase.PENDING, "r3"),
    state(130, "v3", Phase.WARMING_UP, "r3"),
    state(130 + WARM_UP + 0.1, "v3", Phase.PROGRESSING, "r3"),
    state(140, "v3", Phase.ROLLED_BACK, "r3"),
)
WEIGHTS = (
    WeightSeen(0, 0),
    WeightSeen(1, 10),
    WeightSeen(5, 100),
    WeightSeen(110, 0),
    WeightSeen(132.2, 10),
    WeightSeen(137, 0),
)
USERS = load(VersionCount("v2", 900, 2, 1.0, 999.0), VersionCount("v3", 80, 20, 132.25, 137.02))
ROLLED_BACK = Sightings(WEIGHTS, STATES)


def test_a_release_that_the_api_server_has_not_got_has_no_timeline() -> None:
    assert timeline(V2, Sightings(WEIGHTS, ()), USERS) is None


def test_the_end_of_the_rollout_before_is_not_the_end_of_this_one() -> None:
    just_applied = of(V3, Sightings(WEIGHTS[:3], STATES[:2]), load())
    assert just_applied.accepted == 100
    assert just_applied.end is None
    assert just_applied.status is None


def test_a_rollout_ends_with_its_own_end() -> None:
    rollout = of(V3, ROLLED_BACK, USERS)
    assert rollout.ended == 140
    assert rollout.end is Phase.ROLLED_BACK


def test_the_reaction_leaves_out_what_is_waited_on_purpose() -> None:
    rollout = of(V3, ROLLED_BACK, USERS)
    # 0.2 s until it began, and from the end of the warm-up at 132 to the first request at 132.25.
    assert rollout.reaction == pytest.approx(0.2 + 0.25)


def test_the_weight_that_the_last_release_had_is_not_this_ones() -> None:
    rollout = of(V3, ROLLED_BACK, USERS)
    assert rollout.weight_given == 132.2
    assert rollout.highest_weight == 10


def test_the_exposure_lasts_from_the_first_request_until_the_weights_are_back() -> None:
    rollout = of(V3, ROLLED_BACK, USERS)
    assert rollout.exposure == pytest.approx(137 - 132.25)


def test_a_canary_that_still_has_weight_has_no_exposure_yet() -> None:
    under_way = of(V3, Sightings(WEIGHTS[:-1], STATES[:-1]), USERS)
    assert under_way.weight_back is None
    assert under_way.exposure is None


def test_the_delay_is_the_slower_of_first_and_last_weight() -> None:
    assert of(V3, ROLLED_BACK, USERS).delay == pytest.approx(0.05)
    lagging = load(VersionCount("v3", 80, 20, 132.25, 137.9))
    assert of(V3, ROLLED_BACK, lagging).delay == pytest.approx(0.9)


def test_traffic_that_is_seen_before_its_patch_has_no_delay_below_zero() -> None:
    early = load(VersionCount("v3", 80, 20, 132.19, 136.99))
    assert of(V3, ROLLED_BACK, early).delay == 0


def test_failed_requests_are_the_canarys_own() -> None:
    users = load(VersionCount("", 0, 3, 1.0, 2.0), *USERS.versions)
    assert of(V3, ROLLED_BACK, users).failed == 20


def test_a_rolled_back_rollout_is_over_when_the_weights_are_back_and_users_were_counted_after_that() -> None:
    last = 140 + AFTERMATH
    assert is_over(of(V3, ROLLED_BACK, USERS), load(time=last))
    assert not is_over(of(V3, ROLLED_BACK, USERS), load(time=last - 0.1))
    assert not is_over(of(V3, Sightings(WEIGHTS[:-1], STATES), USERS), load(time=last))
    assert not is_over(of(V3, Sightings(WEIGHTS, STATES[:-1]), USERS), load(time=last))


def test_a_promoted_rollout_is_over_without_its_weights_coming_back() -> None:
    states = (state(1, "v2"), state(2, "v2", Phase.PROGRESSING, "r2"), state(9, "v2", Phase.PROMOTED, "r2"))
    promoted = of(V2, Sightings((WeightSeen(0, 0), WeightSeen(3, 10), WeightSeen(8, 100)), states), load())
    assert is_over(promoted, load(time=9 + AFTERMATH))


def test_the_weight_is_read_off_the_route_by_subset() -> None:
    def to(subset: str, **weight: int) -> dict[str, object]:
        return {"destination": {"host": "predictor", "subset": subset}, **weight}

    given = {"spec": {"http": [{"route": [to("stable", weight=90), to("canary", weight=10)]}]}}
    # Istio leaves a weight of 0 out.
    none = {"spec": {"http": [{"route": [to("stable", weight=100), to("canary")]}]}}
    assert weight_of(5.0, given) == WeightSeen(5.0, 10)
    assert weight_of(5.0, none) == WeightSeen(5.0, 0)


def test_a_canary_deployment_without_a_status_is_pending() -> None:
    seen = state_of(5.0, {"spec": {"canary": {"labels": {"version": "v2"}}}})
    assert seen == StateSeen(5.0, "v2", CanaryDeploymentStatus())
