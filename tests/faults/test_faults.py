"""Faults on the real stack: the weight stays where it is, and two ticks after the end all is well again (I3, I4)."""

import pytest

from tests.faults import faults
from tests.faults.side_by_side import Scene, SideBySide

pytestmark = pytest.mark.api_server

FAULTS = [
    faults.api_server_is_gone_for_half_a_minute,
    faults.watch_is_silently_dead,
    faults.prometheus_is_away,
    faults.clock_is_set_an_hour_forward,
    faults.clock_is_set_an_hour_back,
    faults.others_write_every_tenth_of_a_second,
]


@pytest.mark.parametrize("scene", FAULTS, ids=lambda scene: scene.__name__)
def test_the_weight_stays_and_two_ticks_after_it_all_is_well_I3_I4(played: SideBySide, scene: Scene) -> None:
    played.result(scene)
