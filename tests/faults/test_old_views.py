"""An operator with a wrong view of the cluster repeats no step, skips none and writes no old weight (I4)."""

import pytest

from tests.faults import views
from tests.faults.side_by_side import Scene, SideBySide

pytestmark = pytest.mark.api_server

VIEWS = [
    views.an_old_view_repeats_no_step,
    views.an_old_view_rolls_no_later_release_back,
    views.an_old_view_finishes_no_decision_of_an_earlier_rollout,
    views.what_happened_in_between_is_not_needed,
    views.an_object_of_the_same_name_is_another_one,
]


@pytest.mark.parametrize("scene", VIEWS, ids=lambda scene: scene.__name__)
def test_a_wrong_view_does_no_harm_I4(played: SideBySide, scene: Scene) -> None:
    played.result(scene)
