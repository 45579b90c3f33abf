"""The long version of the crash tests, `make torture`: every write of every way through a rollout, and 200 kills."""

import pytest

from tests.crash.cluster import Release
from tests.crash.conftest import Stage
from tests.crash.faults import BAD, GOOD, Scenario, at_every_write, killed_at_random
from tests.crash.proxy import Fate


def _another_release(release: Release) -> None:
    release.edit({"canary": {"subset": "canary", "labels": {"version": "v3"}}})


def _next_release(release: Release) -> None:
    release.edit(
        {
            "stable": {"subset": "stable", "labels": {"version": "v2"}},
            "canary": {"subset": "canary", "labels": {"version": "v3"}},
        }
    )


SCENARIOS = {
    "promotion": Scenario(end="Promoted", steps=GOOD),
    "rollback": Scenario(end="RolledBack", steps=BAD, good=False),
    "override up": Scenario(end="Promoted", steps=GOOD, act=lambda release: release.order("promote"), window="2m"),
    "override down": Scenario(end="RolledBack", steps=BAD, act=lambda release: release.order("rollback"), window="2m"),
    "rebase": Scenario(
        end="Promoted",
        steps=[*GOOD, ("prepare", 0), *GOOD],
        act=_next_release,
        writes=24,
        after_promotion=True,
    ),
    "deletion": Scenario(end="", steps=[], act=Release.delete, window="2m"),
    "another release": Scenario(
        end="Promoted",
        steps=[("start", 50), ("superseded", 0), *GOOD],
        act=_another_release,
        writes=20,
        window="5s",
    ),
}


@pytest.mark.parametrize("fate", [Fate.KILLED_BEFORE, Fate.KILLED_AFTER, Fate.ANSWER_LOST], ids=lambda fate: fate.value)
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_a_fault_at_every_write_leaves_no_trace_I4(stage: Stage, scenario: Scenario, fate: Fate) -> None:
    at_every_write(stage, scenario, fate)


def test_killed_at_two_hundred_random_moments_I4(stage: Stage) -> None:
    killed_at_random(stage, 200, seed=7)
