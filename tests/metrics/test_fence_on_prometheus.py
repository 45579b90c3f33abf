"""The operator's fence: whatever Serinus asks, a tenant sees series of its own namespace only (I10)."""

from dataclasses import replace

import pytest

from lab.stack.alone import Alone
from serinus.api import CanaryPolicySpec
from serinus.metrics import inquiries
from serinus.metrics.arms import SIDES
from serinus.metrics.desk import Question
from serinus.metrics.istio import IstioQuestion, shared_promql
from tests.metrics.test_custom_queries import FENCED, is_selector, parsed, walk

TICK = 15.0
POLICY = CanaryPolicySpec.model_validate(
    {
        "metrics": [
            {"name": "errors", "template": "istio-errors", "tolerance": {"absolute": 0.02}},
            {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}},
            {"name": "share", "template": "istio-throughput", "tolerance": {"relative": 0.1}},
            {
                "name": "hits",
                "kind": "proportion",
                "query": {"events": 'hits_total{result="hit",{{arm}}}', "total": "hits_total{{{arm}}}"},
                "tolerance": {"relative": 0.1},
            },
            {
                "name": "work",
                "kind": "latency",
                "query": {"buckets": "work_seconds_bucket{{{arm}}}"},
                "tolerance": {"relative": 0.1},
            },
            {
                "name": "memory",
                "kind": "gauge",
                "query": {"value": "max by (pod) (memory_bytes{{{arm}}}) + on () group_left () sum(other)"},
                "tolerance": {"relative": 0.1},
            },
        ]
    }
)
OF_TARGETS = {"up", "process_start_time_seconds", "envoy_server_uptime", "scrape_duration_seconds"}
"""Joined by job and instance with series within the fence: they may carry other labels than the application's."""


@pytest.fixture(scope="module")
def parser(alone: Alone) -> str:
    """Prometheus itself, which shows how it reads a query."""
    return alone.start("fence", "global: {}")


def texts(question: Question) -> list[str]:
    """All that may be asked for a question's sake."""
    pods = question.of_pods(("10.0.0.1:15020",))
    asked = [question.promql(TICK), pods.promql(TICK)]
    asked += [series.promql() for side in SIDES if (series := question.series_of(side))]
    if isinstance(question, IstioQuestion):
        asked += [shared_promql([question], TICK, plain_at=phase) for phase in (0.0, 5.0)]
    return asked


def test_every_selector_of_every_query_is_fenced_as_prometheus_reads_it_I10(parser: str) -> None:
    questions = dict.fromkeys(each.question for each in inquiries(POLICY, FENCED))
    for question in questions:
        for text in texts(question):
            own = [node for node in walk(parsed(parser, text)) if is_selector(node)]
            own = [node for node in own if node["name"] not in OF_TARGETS]
            assert own
            for selector in own:
                assert {"name": "namespace", "type": "=", "value": "ml"} in selector["matchers"], text


def test_tenants_who_share_a_query_are_told_apart_by_the_fence_I10() -> None:
    other = replace(FENCED, namespace="shop", fence=(("namespace", "shop"),))
    mine, theirs = (IstioQuestion("requests", arms, "destination") for arms in (FENCED, other))
    assert 'namespace=~"ml|shop"' in shared_promql([mine, theirs], TICK)
    labels = {"destination_service": FENCED.host, "destination_version": "v2"}
    assert FENCED.side_of({**labels, "namespace": "ml"}) == "canary"
    assert FENCED.side_of({**labels, "namespace": "shop"}) is None
