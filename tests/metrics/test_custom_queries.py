"""Queries of the user's own: filled in for each arm, fenced, and never a way out of a matcher (I10)."""

import json
import urllib.parse
import urllib.request
from dataclasses import replace
from typing import Any

import pytest

from lab.stack.alone import Alone
from serinus.api import Metric
from serinus.metrics import Arm, Arms, QueryError
from serinus.metrics.custom import counter, expression
from serinus.metrics.custom_question import custom_question
from serinus.metrics.promql import Matcher, Selector

ARMS = Arms(
    "ml",
    "predictor.ml.svc.cluster.local",
    "destination",
    stable=Arm("stable", (("destination_version", "v1"),), (("version", "v1"),)),
    canary=Arm("canary", (("destination_version", "v2"),), (("version", "v2"),)),
)
FENCED = replace(ARMS, fence=(("namespace", "ml"),))


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("hits_total{{{arm}}}", 'hits_total{destination_version="v2"}'),
        ('hits_total{a="b",{{ arm }}}', 'hits_total{a="b",destination_version="v2"}'),
        ('hits_total{v="{{labels.version}}",ns="{{namespace}}"}', 'hits_total{v="v2",ns="ml"}'),
        ("job:hits:sum{s='x-{{subset}}'}", "job:hits:sum{s='x-canary'}"),
        ('h{v=~"{{labels.version}}.*",h=~"{{host}}"}', r'h{v=~"v2.*",h=~"predictor\\.ml\\.svc\\.cluster\\.local"}'),
        ('h{{{arm}},} # all of them"', 'h{destination_version="v2"}'),
    ],
)
def test_placeholders_are_filled_in(text: str, resolved: str) -> None:
    assert counter(text, ARMS, "canary").promql() == resolved


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rate(hits_total{{{arm}}}[5m])", "one selector of counters"),
        ("hits_total{{{arm}}}[5m]", "nothing may follow"),
        ("hits_total{{{arm}}} + 1", "nothing may follow"),
        ('{__name__="hits_total",{{arm}}}', "one selector of counters"),
        ("hits_total", "nothing in it tells the arms apart"),
        ('hits_total{ns="{{namespace}}"}', "nothing in it tells the arms apart"),
        ('hits_total{v="{{version}}"}', "no placeholder {{version}}; there are host, labels.destination_version"),
        ("hits_total{v=`{{subset}}`}", "not between backticks"),
        ("hits_total{{{subset}}}", "only {{arm}} may stand alone"),
        ("hits_total{a=b,{{arm}}}", "must stand in quotes"),
        ('hits_total{a="b" {{arm}}}', "separated by commas"),
        ("hits_total{{{arm}}", "separated by commas and closed"),
        ('hits_total{a="b', "character 14 is not PromQL"),
        ("", "one selector of counters"),
    ],
)
def test_a_query_of_counters_that_cannot_be_used_says_why(text: str, told: str) -> None:
    with pytest.raises(QueryError) as raised:
        counter(text, ARMS, "canary")
    assert told in str(raised.value)


EXPRESSIONS = (
    "max by (pod) (memory_bytes{{{arm}}})",
    "sum(a{{{arm}}}) by (pod) / on (pod) group_left (x) sum by (pod) (b) or vector(0)",
    'avg_over_time(rate(a{{{arm}}}[5m])[10m:1m] offset -5m) > bool 1e3 and {a="b"} unless x offset 1m',
    'label_replace(a{{{arm}}}, "x", "$1", "y", "(.*)") * a @ end() * -2.5 + scalar(c) == inf',
    'topk(3, a{{{arm}}}) without (pod) ^ 2 % 3 atan2 nan and on () up{job=~"a|b"}',
    "histogram_quantile(0.9, sum by (le) (rate(a_bucket{{{arm}}}[1m30s] @ 1795000000.5)))",
    "a{{{arm}}} # a comment ) or secret\n + b",
    "quantile_over_time(.5, job:a:sum{{{arm}}}[1h:]) - ignoring (x) group_right b{x!~'y\\'z'}",
)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_every_selector_of_an_expression_is_fenced_as_prometheus_reads_it_I10(text: str, parser: str) -> None:
    selectors = [node for node in walk(parsed(parser, expression(text, FENCED, "canary"))) if is_selector(node)]
    assert selectors
    for selector in selectors:
        assert {"name": "namespace", "type": "=", "value": "ml"} in selector["matchers"]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_without_a_fence_an_expression_means_what_it_meant(text: str, parser: str) -> None:
    plain = text.replace("{{arm}}", 'destination_version="v2"')
    assert parsed(parser, expression(text, ARMS, "canary")) == parsed(parser, plain)


@pytest.mark.parametrize(
    "text",
    [
        "a{{{arm}}}) or (secret",
        "(a{{{arm}}}",
        "a{{{arm}}} secret",
        "or{{{arm}}}",
        "by{{{arm}}}",
        "sum by (pod (secret{{{arm}}})",
        "a{{{arm}}} [5m secret]",
        "{{arm}}",
        "a{{{arm}}} } secret",
        "a;secret{{{arm}}}",
    ],
)
def test_what_cannot_be_read_for_certain_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        expression(text, FENCED, "canary")


EVIL = (
    'v2"} or secret{x="',
    "v2'} or secret{x='",
    "v2\\",
    'v2\n"',
    "v2|.*",
    ".*",
    "{{arm}}",
    "v2}} or secret{{",
    "ü #",
)


@pytest.mark.parametrize("value", EVIL)
@pytest.mark.parametrize("text", ['a{v="{{labels.v}}"}', "a{v='{{labels.v}}'}", 'a{v=~"{{labels.v}}"}', "a{{{arm}}}"])
def test_a_value_never_leaves_its_matcher_I10(value: str, text: str, parser: str) -> None:
    arms = replace(ARMS, canary=Arm("canary", (("v", value),)))
    (selector,) = [node for node in walk(parsed(parser, counter(text, arms, "canary").promql())) if is_selector(node)]
    (matcher,) = [each for each in selector["matchers"] if each["name"] == "v"]
    if matcher["type"] == "=":
        assert matcher["value"] == value
    else:
        assert matcher["value"].replace("\\", "") == value.replace("\\", "")
        assert parsed(parser, Selector("a", (Matcher.one_of("v", [value, "other"]),)).promql())


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "proportion", "query": {"events": 'hits{result="a",{{arm}}}', "total": "hits{{{arm}}}"}},
        {"kind": "gauge", "query": {"value": "max by (pod) (a{{{arm}}}) > 1 or b{{{arm}}}"}},
    ],
    ids=["counters", "a gauge"],
)
def test_what_is_shown_of_a_metric_can_be_pasted_into_prometheus(query: dict[str, Any], parser: str) -> None:
    metric = Metric.model_validate({"name": "it", "tolerance": {"relative": 0.1}, **query})
    assert len([node for node in walk(parsed(parser, custom_question(metric, ARMS).text)) if is_selector(node)]) == 4


@pytest.fixture(scope="module")
def parser(alone: Alone) -> str:
    """Prometheus itself, which shows how it reads a query."""
    return alone.start("parser", "global: {}")


def parsed(address: str, query: str) -> Any:
    url = f"{address}/api/v1/parse_query?query={urllib.parse.quote(query)}"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return without_positions(json.load(answer)["data"])


def without_positions(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: without_positions(value) for name, value in node.items() if "pos" not in name.lower()}
    return [without_positions(each) for each in node] if isinstance(node, list) else node


def walk(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for each in node for found in walk(each)]
    if not isinstance(node, dict):
        return []
    return [node, *(found for value in node.values() for found in walk(value))]


def is_selector(node: dict[str, Any]) -> bool:
    return node.get("type") in ("vectorSelector", "matrixSelector")
