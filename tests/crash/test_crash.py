"""Killed at any instruction (I4): before and after every write of a two-step rollout, and with its answer lost.

`make torture` has the long version: other ways through a rollout, and more random kills.
"""

import pytest

from tests.crash.conftest import Stage
from tests.crash.faults import GOOD, Scenario, at_every_write, killed_at_random
from tests.crash.proxy import Fate

pytestmark = pytest.mark.api_server

PROMOTION = Scenario(end="Promoted", steps=GOOD)


@pytest.mark.parametrize("fate", [Fate.KILLED_BEFORE, Fate.KILLED_AFTER, Fate.ANSWER_LOST], ids=lambda fate: fate.value)
def test_a_fault_at_every_write_of_a_promotion_leaves_no_trace_I4(stage: Stage, fate: Fate) -> None:
    at_every_write(stage, PROMOTION, fate)


def test_killed_at_twenty_random_moments_I4(stage: Stage) -> None:
    killed_at_random(stage, 20, seed=6)
