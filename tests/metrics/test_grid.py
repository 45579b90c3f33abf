"""The tick grid: every instant lies in one slot, and canaries are judged in three turns."""

from collections import Counter
from itertools import pairwise
from uuid import UUID

import pytest

from serinus.metrics import Grid, Slot, turn_of

NOW = 1_795_000_000.0


@pytest.mark.parametrize("interval", [2.5, 7.5, 15.0, 60.0])
@pytest.mark.parametrize("uid", ["a", "b", "c", "d"])
def test_slots_are_disjoint_and_leave_no_gap(interval: float, uid: str) -> None:
    grid = Grid(interval, lateness=1, phase=turn_of(uid, interval))
    slots = grid.whole_slots(NOW, NOW + 100 * interval)
    assert all(one.end == other.start for one, other in pairwise(slots))
    assert all(slot.seconds == interval and grid.is_boundary(slot.start) for slot in slots)
    assert all(grid.next_end(slot.start, elevated=False) == slot.end for slot in slots)
    assert slots[0].start - NOW < interval
    assert grid.complete_at(slots[-1].end) <= NOW + 100 * interval


@pytest.mark.parametrize("uid", ["a", "b", "c"])
def test_an_elevated_slot_is_cut_into_parts_that_make_it_up(uid: str) -> None:
    grid = Grid(15, lateness=1, phase=turn_of(uid, 15))
    start = grid.start(NOW)
    ends = [start]
    while ends[-1] < start + 15:
        ends.append(grid.next_end(ends[-1], elevated=True))
    assert ends == [start + part for part in (0, 3, 6, 9, 12, 15)]


def test_a_third_of_the_canaries_has_each_turn_and_all_have_whole_seconds() -> None:
    turns = Counter(turn_of(str(UUID(int=number)), 15.0) for number in range(3000))
    assert sorted(turns) == [0, 5, 10]
    assert min(turns.values()) > 850
    assert turn_of("always the same", 15.0) == turn_of("always the same", 15.0)
    assert {turn_of(str(number), 2.5) for number in range(30)} == {0.0}


def test_one_whose_turn_is_new_has_a_short_tick_and_none_twice() -> None:
    """The cursor is where it was: the first tick ends at the first boundary of its own turn after it."""
    grid = Grid(15, lateness=1, phase=5)
    before = Grid(15, lateness=1).start(NOW)
    assert Slot(before, grid.next_end(before, elevated=False)).seconds == 5
