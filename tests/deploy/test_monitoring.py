"""Alerts and dashboard ask for what the operator really tells: metrics, labels and words that exist."""

import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from prometheus_client.metrics import MetricWrapperBase

from serinus.api import Phase
from serinus.controller import figures
from serinus.controller.cache import key_of
from serinus.controller.canaries import canary_metrics
from serinus.rollout.conditions import _DATA_REASONS
from tests.deploy.manifests import DEPLOY, kustomized, of_kind, pod_of

OF_THE_SCRAPE = {"namespace", "pod"}
"""Labels that every series gets when it is scraped."""
CANARY = {
    "metadata": {"namespace": "ml", "name": "predictor"},
    "status": {
        "phase": Phase.PROGRESSING.value,
        "verdict": {"verdict": "hold", "reason": "NoSeries"},
        "comparison": [{"metric": "error-rate", "rollback": 0.1, "promote": 0.2}],
        "conditions": [{"type": "Stalled", "status": "True", "reason": "RouteTaken"}],
    },
}

JUDGED = {key_of(CANARY): datetime(2026, 11, 22, tzinfo=UTC)}


@cache
def told() -> dict[str, set[str]]:
    """Each series that the operator tells, with its labels."""
    found = {s.name: set(s.labels) for family in canary_metrics([CANARY], JUDGED) for s in family.samples}
    for figure in vars(figures).values():
        if isinstance(figure, MetricWrapperBase):
            (family,) = figure.describe()
            labels = set(figure._labelnames)
            match family.type:
                case "counter":
                    found[f"{family.name}_total"] = labels
                case "histogram":
                    found |= {f"{family.name}_{part}": labels for part in ("sum", "count")}
                    found[f"{family.name}_bucket"] = labels | {"le"}
                case _:
                    found[family.name] = labels
    return found


def alerts() -> dict[str, dict[str, Any]]:
    (rules,) = of_kind(kustomized("monitoring"), "PrometheusRule")
    return {rule["alert"]: rule for group in rules["spec"]["groups"] for rule in group["rules"]}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "monitoring" / "dashboard.json").read_text())
    return found


def panels() -> dict[str, list[str]]:
    """The queries of each panel."""
    return {
        panel["title"]: [target["expr"] for target in panel["targets"]]
        for panel in dashboard()["panels"]
        if panel["type"] != "row"
    }


def queries() -> list[str]:
    """All that is asked, by alerts, panels and the dashboard's variables."""
    variables = [each["query"] for each in dashboard()["templating"]["list"] if each["type"] == "query"]
    return [
        *(alert["expr"] for alert in alerts().values()),
        *(query for panel in panels().values() for query in panel),
        *variables,
    ]


def asked(query: str) -> dict[str, set[str]]:
    """The series in a query, each with all labels that the query speaks of."""
    names = re.findall(r"\bserinus_\w+", query)
    matched = re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', query)
    grouped = [label for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(", ")]
    return {name: {*matched, *grouped} for name in names}


def test_what_is_asked_is_told() -> None:
    unknown = {name for query in queries() for name in asked(query)} - told().keys()
    assert unknown == set()
    mistaken = {
        query: labels - told()[name] - OF_THE_SCRAPE
        for query in queries()
        for name, labels in asked(query).items()
        if labels - told()[name] - OF_THE_SCRAPE
    }
    assert mistaken == {}


def test_every_query_asks_for_something_of_the_operators() -> None:
    assert [query for query in queries() if not asked(query)] == []


def test_the_dashboard_shows_all_that_the_operator_counts() -> None:
    """Of a histogram, its buckets."""
    shown = {name for queries_of in panels().values() for query in queries_of for name in asked(query)}
    assert {name for name in told() if not name.endswith(("_sum", "_count"))} - shown == set()


def test_the_words_in_the_alerts_exist() -> None:
    """Reasons that the judge gives, and results that are counted."""
    reasons = re.search(r'reason=~"([^"]+)"', alerts()["SerinusCanaryWithoutEvidence"]["expr"])
    assert reasons
    assert set(reasons.group(1).split("|")) < set(_DATA_REASONS)
    assert 'result="failed"' in alerts()["SerinusWritesFail"]["expr"]
    assert "failed" in figures.WRITES._documentation


def test_an_alert_speaks_only_of_labels_that_its_result_has() -> None:
    for alert in alerts().values():
        spoken = set(re.findall(r"\$labels\.(\w+)", " ".join(alert["annotations"].values())))
        groups = re.findall(r"\bby \(([^)]*)\)", alert["expr"])
        assert spoken <= set(groups[0].split(", ") if groups else ())
        assert alert["annotations"].keys() == {"summary", "description"}
        assert alert["labels"]["severity"] in ("critical", "warning")


def test_every_alert_is_documented() -> None:
    page = (DEPLOY.parent / "docs" / "installation.md").read_text()
    assert re.findall(r"^\| `(Serinus\w+)`", page, flags=re.MULTILINE) == [*alerts()]


def test_the_canarys_namespace_stays_its_own_when_it_is_scraped() -> None:
    (monitor,) = of_kind(kustomized("monitoring"), "ServiceMonitor")
    (service,) = of_kind(kustomized("monitoring"), "Service")
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True
    assert [port["name"] for port in service["spec"]["ports"]] == [endpoint["port"]]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()


def test_what_is_scraped_is_the_operators_port() -> None:
    (service,) = of_kind(kustomized("monitoring"), "Service")
    (deployment,) = of_kind(kustomized("base"), "Deployment")
    (container,) = pod_of(kustomized("base"))["containers"]
    (port,) = service["spec"]["ports"]
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert {each["name"]: each["containerPort"] for each in container["ports"]} == {port["targetPort"]: port["port"]}
    assert {"name": "SERINUS_LISTEN", "value": f"0.0.0.0:{port['port']}"} in container["env"]


def test_panels_do_not_overlap_and_have_their_own_ids() -> None:
    found = dashboard()["panels"]
    assert len({panel["id"] for panel in found}) == len(found)
    cells = [
        (x, y)
        for panel in found
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_grafana_finds_the_dashboard() -> None:
    (config,) = of_kind(kustomized("monitoring"), "ConfigMap")
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(config["data"]["dashboard.json"]) == dashboard()
