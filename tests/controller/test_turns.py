"""Canaries take turns: their ticks do not all end in the same moment, and always at the same time for one of them."""

from collections import Counter

import pytest

from serinus.controller.turns import phase_of
from serinus.metrics import Grid, Slot

NAMES = [("ml", f"service-{number}") for number in range(1000)]


@pytest.mark.parametrize(
    ("interval", "phases"),
    [(15.0, {0.0, 3.0, 6.0, 9.0, 12.0}), (10.0, {0.0, 2.0, 4.0, 6.0, 8.0}), (3.0, {0.0, 1.0, 2.0}), (0.5, {0.0})],
)
def test_canaries_are_dealt_evenly_over_whole_seconds_of_the_interval(interval: float, phases: set[float]) -> None:
    dealt = Counter(phase_of(name, interval) for name in NAMES)
    assert dealt.keys() == phases
    assert max(dealt.values()) < 1.2 * len(NAMES) / len(phases)


def test_another_process_deals_as_this_one_I4() -> None:
    assert [phase_of(name, 15.0) for name in NAMES[:5]] == [0.0, 6.0, 6.0, 12.0, 6.0]


@pytest.mark.parametrize("phase", [0.0, 5.0, 10.0])
def test_slots_of_every_phase_follow_each_other_without_gap_or_overlap(phase: float) -> None:
    grid, begin = Grid(15.0, 1.0, phase), 1_795_000_005.0
    slots = grid.whole_slots(begin, begin + 60)
    assert [slot.end for slot in slots[:-1]] == [slot.start for slot in slots[1:]]
    assert [(slot.seconds, slot.phase) for slot in slots] == [(15.0, phase)] * len(slots)
    assert slots[0].start == begin + phase
    assert grid.complete_at(slots[-1].end) <= begin + 60 < grid.complete_at(slots[-1].end + 15)


@pytest.mark.parametrize("phase", [0.0, 5.0, 10.0])
def test_a_tick_ends_at_the_first_boundary_after_its_start_also_where_errors_are_elevated_R07(phase: float) -> None:
    grid, boundary = Grid(15.0, 1.0, phase), 1_795_000_005.0 + phase
    assert grid.next_end(boundary, elevated=False) == boundary + 15
    assert grid.next_end(boundary + 7, elevated=False) == boundary + 15
    assert [grid.next_end(boundary + at, elevated=True) for at in (0, 3, 7, 12)] == [
        boundary + end for end in (3, 6, 9, 15)
    ]
    assert grid.is_boundary(boundary)
    assert not grid.is_boundary(boundary + 3)


def test_the_phase_of_a_short_slot_is_less_than_its_length() -> None:
    assert Slot(1_795_000_011.0, 1_795_000_014.0).phase == 0.0
    assert Slot(1_795_000_012.0, 1_795_000_015.0).phase == 1.0
