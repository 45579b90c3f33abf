"""Numbers that cannot be counts: the arm's evidence is partial and says why, and nothing else is affected (I3)."""

import asyncio
from collections.abc import Collection, Mapping
from math import inf, nan

import pytest

from serinus.api import DEFAULT_POLICY, CanaryPolicySpec
from serinus.judge import GUARD, Counts, Missing
from serinus.metrics import Arm, Arms, Collected, Silence, Slot, collect, inquiries
from serinus.metrics.answers import Row
from serinus.metrics.desk import Answer, Question
from serinus.metrics.reading import Spot, counted

ARMS = Arms(
    "ml",
    "h",
    "destination",
    stable=Arm("stable", (("destination_version", "v1"),)),
    canary=Arm("canary", (("destination_version", "v2"),)),
)
SLOT = Slot(1_795_000_005.0, 1_795_000_020.0)


def row(version: str, value: float, **labels: str) -> Row:
    return Row({"destination_service": "h", "destination_version": version, **labels}, value)


SCRAPED = [row(version, SLOT.end - 1, serinus_what="scraped") for version in ("v1", "v2")]
GOOD = [row("v1", 90, response_code="200"), row("v2", 10, response_code="200"), *SCRAPED]


class Rows:
    """Always the same rows."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    async def read_all(self, questions: Collection[Question], slot: Slot) -> Mapping[Question, Answer]:
        return {question: question.read(self._rows) for question in questions}


def collected(rows: list[Row], policy: CanaryPolicySpec) -> Collected:
    return asyncio.run(collect(Rows(rows), inquiries(policy, ARMS), SLOT, weight=10, silence=Silence()))


def seen(*more: Row) -> Collected:
    return collected([*GOOD, *more], DEFAULT_POLICY)


def test_good_numbers_are_believed() -> None:
    found = seen(row("v2", 2, response_code="503")).evidence[GUARD]
    assert (found.canary, found.stable, found.missing) == (Counts(12, 2), Counts(90, 0), None)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (row("v2", nan, response_code="503"), "a value of nan"),
        (row("v2", inf, response_code="503"), "a value of inf"),
        (row("v2", -3, response_code="503"), "a count of -3"),
        (row("v2", 10, response_code="200"), "duplicate series"),
    ],
)
def test_what_is_no_count_is_named_with_its_query(bad: Row, told: str) -> None:
    found = seen(bad)
    assert found.evidence[GUARD].missing is Missing.PARTIAL
    assert found.evidence[GUARD].canary is None
    assert told in str(found.doubts[0])
    assert "istio_requests_total{" in str(found.doubts[0])


LATENCY = CanaryPolicySpec.model_validate(
    {"metrics": [{"name": "it", "template": "istio-latency", "tolerance": {"duration": "50ms"}}]}
)


@pytest.mark.parametrize(
    ("buckets", "told"),
    [
        ({"10": 5, "100": 3, "+Inf": 5}, "the buckets do not add up"),
        ({"10": 5, "NaN": 5, "+Inf": 5}, "the label `le` must hold numbers"),
        ({"10": 5, "fast": 5, "+Inf": 5}, "the label `le` must hold numbers"),
        ({"10": 5, "100": 5}, 'a bucket le="+Inf" is missing'),
    ],
)
def test_buckets_that_are_none_are_named_with_their_query(buckets: dict[str, float], told: str) -> None:
    rows = [row(version, count, le=le) for le, count in buckets.items() for version in ("v1", "v2")]
    found = collected([*SCRAPED, *rows], LATENCY)
    assert found.evidence["it"].missing is Missing.PARTIAL
    assert told in str(found.doubts[-1])
    assert "istio_request_duration_milliseconds_bucket{" in str(found.doubts[-1])


def test_more_series_than_any_metric_has_are_not_read() -> None:
    many = counted((Spot("", (str(number),)), 1.0) for number in range(1001))
    assert many.rises == {}
    assert "1001 series" in many.flaw


def test_series_of_neither_arm_are_nobodys() -> None:
    stranger = row("v9", 1000, response_code="500")
    assert seen(stranger).evidence == seen().evidence


def test_errors_that_reached_no_workload_hold() -> None:
    lost = Row({"destination_service": "h", "serinus_of": "unattributed errors"}, 5.0)
    found = seen(lost)
    assert found.evidence[GUARD].missing is Missing.UNATTRIBUTED
    assert found.reach is not None
    assert found.reach.unattributed == 5
