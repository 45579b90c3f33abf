"""From Prometheus's answer to evidence: exact increments, the right arm, and a name for what is missing (I3)."""

import re

import pytest

from serinus.judge import Counts, Evidence, Missing
from serinus.metrics import Arms, Grid
from serinus.metrics.collect import read_answer
from serinus.metrics.source import Sample
from serinus.metrics.templates import Selector, requests_query

ARMS = Arms(
    "predictor.ml.svc.cluster.local",
    "destination",
    stable=(("destination_version", "v1"),),
    canary=(("destination_version", "v2"),),
)
START = 1_000_000.0


def sample(part: str, value: float, version: str = "", code: str = "", instance: str = "a") -> Sample:
    labels = {"serinus_at": part, "job": "envoy", "instance": instance}
    labels |= {"destination_version": version, "response_code": code} if version else {}
    return Sample(tuple(sorted(labels.items())), value)


def answer(*samples: Sample, scraped: float = START + 10, weight: int = 10) -> Evidence:
    return read_answer([*samples, sample("scraped", scraped)], ARMS, start=START, weight=weight)


BOTH_ARMS = (
    sample("start", 900, "v1", "200"), sample("end", 1790, "v1", "200"),
    sample("start", 10, "v1", "503"), sample("end", 20, "v1", "503"),
    sample("start", 100, "v2", "200"), sample("end", 195, "v2", "200"),
    sample("start", 1, "v2", "500"), sample("end", 6, "v2", "500"),
)  # fmt: skip


def test_increments_are_exact_and_of_the_right_arm() -> None:
    assert answer(*BOTH_ARMS) == Evidence(canary=Counts(100, 5), stable=Counts(900, 10))


def test_series_of_neither_arm_are_nobodys() -> None:
    stranger = (sample("start", 0, "v9", "500"), sample("end", 1000, "v9", "500"))
    assert answer(*BOTH_ARMS, *stranger) == answer(*BOTH_ARMS)


def test_a_new_series_counts_from_zero_if_its_target_was_up() -> None:
    """A version's first 5xx makes a series: its first increment must not be lost."""
    new = (*BOTH_ARMS[:6], sample("end", 5, "v2", "500"), sample("up", 1))
    assert answer(*new).canary == Counts(100, 5)
    assert answer(*new).missing is None


def test_a_new_series_is_a_baseline_if_nobody_knows_since_when_it_counts() -> None:
    """A gap in Prometheus must not count a lifetime's requests as one tick's."""
    unknown = (*BOTH_ARMS[:6], sample("end", 100_000, "v2", "500"))
    assert answer(*unknown) == Evidence(Counts(95, 0), Counts(900, 10), missing=Missing.PARTIAL)


def test_a_reset_counter_is_named_and_never_negative() -> None:
    reset = (*BOTH_ARMS[:4], sample("start", 5000, "v2", "200"), sample("end", 40, "v2", "200"))
    assert answer(*reset) == Evidence(Counts(40, 0), Counts(900, 10), missing=Missing.RESET)


def test_a_series_that_vanished_adds_nothing() -> None:
    gone = (*BOTH_ARMS, sample("start", 77, "v1", "200", instance="b"), sample("end", 77, "v1", "200", instance="b"))
    assert answer(*gone) == answer(*BOTH_ARMS)


def test_nothing_at_all_is_no_series() -> None:
    assert read_answer([], ARMS, start=START, weight=10).missing is Missing.NO_SERIES


def test_without_a_scrape_in_the_slot_the_evidence_is_stale() -> None:
    assert answer(*BOTH_ARMS, scraped=START - 1).missing is Missing.STALE


def test_an_arm_is_without_traffic_when_chance_does_not_explain_it() -> None:
    idle = sample("start", 100, "v2", "200"), sample("end", 100, "v2", "200")
    assert answer(*BOTH_ARMS[:4], *idle, weight=10).missing is Missing.NO_TRAFFIC
    few = sample("start", 0, "v1", "200"), sample("end", 20, "v1", "200")
    assert answer(*few, *idle, weight=10).missing is None
    assert answer(*BOTH_ARMS[4:], sample("end", 3, "v1", "200"), sample("up", 1), weight=100).missing is None


def test_a_label_cannot_break_out_of_its_matcher_I10() -> None:
    evil = 'v1"} or secret{x="'
    query = Selector((("destination_version", (evil, "v2")),)).promql()
    assert query == r'destination_version=~"v1\"\\} or secret\\{x=\"|v2"'


def test_the_query_asks_for_both_ends_of_the_slot_at_once() -> None:
    query = requests_query(ARMS.selector(), 15)
    assert query.count("offset 15000ms") == 2
    assert 'destination_version=~"v1|v2"' in query


def test_slots_are_disjoint_and_complete_only_after_the_late_samples() -> None:
    grid = Grid(interval=15, lateness=1)
    end = grid.next_end(START, elevated=False)
    assert grid.start(START) <= START < end
    assert grid.is_boundary(end)
    assert grid.next_end(end, elevated=False) == end + 15
    assert grid.complete_at(end) == end + 1


@pytest.mark.parametrize(
    ("interval", "ends"),
    [(15.0, [3, 6, 9, 12, 15, 18]), (3.0, [1, 2, 3, 4]), (2.5, [1, 2, 2.5, 3.5]), (1.0, [1, 2, 3])],
)
def test_elevated_ticks_are_parts_of_slots_R07(interval: float, ends: list[float]) -> None:
    grid = Grid(interval, lateness=1)
    at = 0.0
    for end in ends:
        at = grid.next_end(at, elevated=True)
        assert at == pytest.approx(end)


@pytest.mark.parametrize("value", ["v1", "a.b", "x y", "über", "1|2", "(.*)", "a\\b", 'q"q'])
def test_a_label_matches_only_itself(value: str) -> None:
    """As RE2 and PromQL's string syntax read it."""
    text = Selector((("l", (value,)),)).promql()
    pattern = text.removeprefix('l=~"').removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")
    assert re.fullmatch(pattern, value)
    assert not re.fullmatch(pattern, value + "x")
