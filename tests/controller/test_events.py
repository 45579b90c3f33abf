"""Events: each piece of news is told once, what happens again is counted, and nothing storms."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.stack import Lab
from serinus.api import ConditionStatus
from serinus.controller.events import News, news_of_conditions
from serinus.controller.herald import Herald
from serinus.controller.kube import Kube

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
CANARY = """
apiVersion: v1
kind: Namespace
metadata: {name: told}
---
apiVersion: serinus.io/v1alpha1
kind: CanaryDeployment
metadata: {name: NAME, namespace: told}
spec:
  stable: {subset: stable, labels: {version: v1}}
  canary: {subset: canary, labels: {version: v2}}
  traffic: {host: predictor, virtualServices: [{name: predictor}], destinationRule: predictor}
"""


def condition(kind: str, word: Any, reason: str) -> ConditionStatus:
    return ConditionStatus(type=kind, status=word, reason=reason, message="why", last_transition_time=START)


def reasons(before: list[ConditionStatus], after: list[ConditionStatus]) -> list[str]:
    return [news.reason for news in news_of_conditions({}, before, after, START)]


def test_what_goes_wrong_is_news_once() -> None:
    fine, stalled = condition("Stalled", "False", "NothingInTheWay"), condition("Stalled", "True", "PolicyNotFound")
    assert reasons([], [fine]) == []
    assert reasons([fine], [stalled]) == ["PolicyNotFound"]
    assert reasons([stalled], [stalled]) == []
    assert reasons([stalled], [condition("Stalled", "True", "RouteTaken")]) == ["RouteTaken"]
    assert reasons([stalled], [fine]) == []


@pytest.mark.parametrize(
    ("kind", "word", "reason"),
    [
        ("TrafficAligned", "False", "WeightsChanged"),
        ("MetricsAvailable", "False", "PrometheusUnreachable"),
        ("Undecided", "True", "DeadlineExpired"),
    ],
)
def test_what_people_must_look_at_is_news(kind: str, word: str, reason: str) -> None:
    other = "True" if word == "False" else "False"
    assert reasons([condition(kind, other, "Fine")], [condition(kind, word, reason)]) == [reason]
    assert reasons([condition(kind, word, reason)], [condition(kind, other, "Fine")]) == []


def test_the_way_of_a_rollout_is_told_by_its_records_alone() -> None:
    after = [condition("Promoted", "True", "Promoted"), condition("Ready", "True", "Promoted")]
    assert reasons([], after) == []


class Told:
    """What `kubectl describe` shows of one CanaryDeployment."""

    def __init__(self, lab: Lab, kube: Kube, name: str) -> None:
        self.lab = lab
        self.herald = Herald(kube)
        lab.apply(CANARY.replace("NAME", name))
        self.owner = json.loads(lab.kubectl("get", "cdep", name, "--namespace=told", "--output=json"))

    async def tell(self, note: str, minute: float = 0.0, reason: str = "WeightsChanged") -> None:
        time = START + timedelta(minutes=minute)
        await self.herald.tell(News(self.owner, reason, note, "repair", warning=True, time=time))

    def events(self) -> list[tuple[str, int]]:
        """Note and count of each."""
        listed = self.lab.kubectl("get", "events.events.k8s.io", "--namespace=told", "--output=json")
        found = [
            each for each in json.loads(listed)["items"] if each["regarding"]["name"] == self.owner["metadata"]["name"]
        ]
        return [(each["note"], each.get("series", {}).get("count", 1)) for each in found]


@pytest.mark.api_server
async def test_what_happens_again_is_counted_on_the_event_that_is_there(api_server: Lab, kube: Kube) -> None:
    told = Told(api_server, kube, "again")
    for minute in (0, 1, 2, 5):
        await told.tell("37 % instead of 50 %", minute)
    assert told.events() == [("37 % instead of 50 %", 4)]


@pytest.mark.api_server
async def test_what_happens_again_much_later_is_new(api_server: Lab, kube: Kube) -> None:
    told = Told(api_server, kube, "later")
    for minute in (0, 60):
        await told.tell("37 % instead of 50 %", minute)
    assert [count for _, count in told.events()] == [1, 1]


@pytest.mark.api_server
async def test_a_storm_of_different_notes_becomes_a_few_events_and_few_writes(api_server: Lab, kube: Kube) -> None:
    told = Told(api_server, kube, "storm")
    for number in range(200):
        await told.tell(f"{number} % instead of 50 %", number / 100)
    events = told.events()
    assert len(events) == 5
    assert max(count for _, count in events) > 100


@pytest.mark.api_server
async def test_other_reasons_and_other_objects_are_told_for_themselves(api_server: Lab, kube: Kube) -> None:
    told = Told(api_server, kube, "one")
    await told.tell("gone", reason="SubsetMissing")
    await told.tell("changed")
    assert sorted(told.events()) == [("changed", 1), ("gone", 1)]
    other = Told(api_server, kube, "other")
    other.herald = told.herald
    await other.tell("changed")
    assert other.events() == [("changed", 1)]


@pytest.mark.api_server
async def test_an_event_that_is_gone_is_told_anew_the_next_time(api_server: Lab, kube: Kube) -> None:
    told = Told(api_server, kube, "gone")
    await told.tell("changed")
    api_server.kubectl("delete", "events", "--all", "--namespace=told")
    await told.tell("changed", 2)
    await told.tell("changed", 4)
    assert told.events() == [("changed", 1)]


@pytest.mark.api_server
async def test_an_event_that_is_refused_stops_nothing(
    api_server: Lab, kube: Kube, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told(api_server, kube, "refused")
    told.owner["metadata"]["namespace"] = "nowhere"
    await told.tell("changed")
    assert "an Event was refused" in caplog.text or told.events() == []
