"""An answer with the same series as the one before is not read again, in whatever order they come."""

import json
from collections.abc import Mapping

import pytest

from serinus.metrics import SourceError
from serinus.metrics.answers import Vector
from serinus.metrics.places import Owner, Place, Places
from serinus.metrics.reading import Spot


class Reader:
    """Reads labels, and counts how often."""

    def __init__(self) -> None:
        self.read = 0
        self.places = Places(self.place)

    def place(self, labels: Mapping[str, str]) -> Place:
        self.read += 1
        return Place(Owner("h", "", ()), Spot("", (labels["code"],)))

    def rises(self, at: float, told: list[tuple[str, float]]) -> Mapping[tuple[str, ...], float]:
        answer = Vector([json.dumps({"code": code}).encode() for code, _ in told], [value for _, value in told])
        layout, values = self.places.layout(answer, at)
        return layout.parts("anybody", "h", lambda _: "requests")["requests"].counted(values).rises


def test_the_same_series_are_read_once_in_whatever_order_they_come() -> None:
    reader = Reader()
    assert reader.rises(15, [("200", 1), ("404", 2)]) == {("200",): 1, ("404",): 2}
    assert reader.rises(30, [("404", 3), ("200", 4)]) == {("200",): 4, ("404",): 3}
    assert reader.read == 2


def test_a_new_series_alone_is_read() -> None:
    reader = Reader()
    reader.rises(15, [("200", 1)])
    assert reader.rises(30, [("200", 1), ("500", 2)]) == {("200",): 1, ("500",): 2}
    assert reader.read == 2


def test_a_series_that_is_told_no_more_counts_no_more_and_is_forgotten() -> None:
    reader = Reader()
    reader.rises(15, [("200", 1), ("500", 2)])
    assert reader.rises(30, [("200", 1)]) == {("200",): 1}
    reader.rises(45, [("200", 1)])
    reader.rises(60, [("200", 1), ("500", 2)])
    assert reader.read == 3


def test_a_series_told_twice_in_the_place_of_another_is_not_taken_for_it() -> None:
    reader = Reader()
    reader.rises(15, [("200", 1), ("500", 2)])
    answer = Vector([b'{"code": "200"}'] * 2, [1.0, 1.0])
    layout, values = reader.places.layout(answer, 30)
    assert layout.parts("anybody", "h", lambda _: "requests")["requests"].counted(values).flaw == "duplicate series"


def test_labels_that_are_none_are_no_answer() -> None:
    with pytest.raises(SourceError, match="has not the form"):
        Reader().places.layout(Vector([b"3"], [1.0]), 15)
