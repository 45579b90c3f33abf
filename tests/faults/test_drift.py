"""Drift on the real API server (I6): see drift.py for what others do, and what is promised of it."""

import pytest

from tests.faults import drift
from tests.faults.side_by_side import Scene, SideBySide

pytestmark = pytest.mark.api_server

DRIFTS = [
    drift.two_writers_do_not_fight,
    drift.weights_are_repaired,
    drift.weights_are_repaired_after_the_promotion,
    drift.weights_are_respected,
    drift.a_subset_is_given_back,
    drift.a_deleted_virtual_service_is_told_and_filled_again,
    drift.an_added_destination_is_told_and_held,
]


@pytest.mark.parametrize("scene", DRIFTS, ids=lambda scene: scene.__name__)
def test_what_others_change_is_told_and_repaired_or_respected_I6(played: SideBySide, scene: Scene) -> None:
    played.result(scene)
