"""The alerts in a real Prometheus: each tells its own ill and no other, and nothing of an operator that is well."""

import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.programs.parts import PROMTOOL
from lab.stack import web
from lab.stack.alone import prometheus_alone
from tests.deploy.manifests import kustomized, of_kind, ran
from tests.deploy.test_monitoring import alerts, queries
from tests.metrics.remote_write import FLAGS, Series, write

HOUR, SCRAPE, SCRAPES = 3600.0, 30.0, 20
CANARY = {"namespace": "ml", "name": "predictor"}
OPERATOR = {"namespace": "serinus-system"}

Told = dict[str, list[tuple[dict[str, str], Callable[[int], float]]]]
"""Of each metric: the series' labels, and the value at each scrape."""


def at(value: float) -> Callable[[int], float]:
    return lambda _: value


def rising(by: float) -> Callable[[int], float]:
    return lambda scrape: by * scrape


def lag(late: float) -> list[tuple[dict[str, str], Callable[[int], float]]]:
    """A histogram of which `late` of 100 observations are between 10 and 30 s, the others below 10 ms."""
    return [
        (OPERATOR | {"pod": "a", "le": le}, rising(100 - late if le in ("0.01", "10.0") else 100))
        for le in ("0.01", "10.0", "30.0", "+Inf")
    ]


WELL: Told = {
    "serinus_shards": [(OPERATOR | {"pod": pod}, at(2)) for pod in "ab"],
    "serinus_shards_held": [(OPERATOR | {"pod": pod}, at(1)) for pod in "ab"],
    "serinus_queue_lag_seconds_bucket": lag(late=0),
    "serinus_reconcile_failures_total": [(OPERATOR | {"pod": "a"}, at(3))],
    "serinus_api_requests_total": [
        (OPERATOR | {"pod": "a", "result": "done"}, rising(10)),
        (OPERATOR | {"pod": "a", "result": "conflict"}, rising(1)),
        (OPERATOR | {"pod": "a", "result": "failed"}, at(3)),
    ],
    "serinus_queries_total": [
        (OPERATOR | {"pod": "a", "result": "done"}, rising(10)),
        (OPERATOR | {"pod": "a", "result": "no series"}, rising(1)),
    ],
    "serinus_canary_verdict": [(CANARY | {"verdict": "hold", "reason": "WindowOpen"}, at(1))],
}
ILLS: dict[str, Told] = {
    "SerinusNobodyActs": {
        "serinus_shards_held": [(OPERATOR | {"pod": "a"}, at(1)), (OPERATOR | {"pod": "b"}, at(0))],
    },
    "SerinusIsLate": {"serinus_queue_lag_seconds_bucket": lag(late=5)},
    "SerinusReconcilesFail": {"serinus_reconcile_failures_total": [(OPERATOR | {"pod": "a"}, rising(1))]},
    "SerinusWritesFail": {
        "serinus_api_requests_total": [
            (OPERATOR | {"pod": "a", "result": "done"}, rising(10)),
            (OPERATOR | {"pod": "a", "result": "failed"}, rising(1)),
        ],
    },
    "SerinusQueriesFail": {
        "serinus_queries_total": [
            (OPERATOR | {"pod": "a", "result": "done"}, rising(1)),
            (OPERATOR | {"pod": "a", "result": "Prometheus unreachable"}, rising(2)),
        ],
    },
    "SerinusCanaryStalled": {"serinus_canary_stalled": [(CANARY | {"reason": "RouteTaken"}, at(1))]},
    "SerinusCanaryWithoutEvidence": {
        "serinus_canary_verdict": [(CANARY | {"verdict": "hold", "reason": "StaleData"}, at(1))],
    },
}
"""What an operator tells where one thing is wrong with it, in place of what it tells when it is well."""
CASES: dict[str | None, Told] = {None: WELL, "SerinusIsAway": {}, **{name: WELL | ill for name, ill in ILLS.items()}}


class Past:
    """A Prometheus that has seen each case in an hour of its own."""

    def __init__(self, address: str) -> None:
        self.address = address
        begin = time.time() // HOUR * HOUR - (len(CASES) + 1) * HOUR
        self.begins = {alert: begin + number * HOUR for number, alert in enumerate(CASES)}
        write(address, [each for alert, told in CASES.items() for each in self._series(alert, told)])

    def _series(self, alert: str | None, told: Told) -> Iterator[Series]:
        for metric, lines in told.items():
            for labels, value in lines:
                samples = [(self.begins[alert] + scrape * SCRAPE, value(scrape)) for scrape in range(SCRAPES)]
                yield Series({"__name__": metric} | labels, [*samples])

    def firing(self, case: str | None) -> set[str]:
        """The alerts that are true at the end of a case."""
        end = self.begins[case] + (SCRAPES - 1) * SCRAPE
        return {name for name, alert in alerts().items() if self.ask(alert["expr"], end)}

    def ask(self, query: str, at: float) -> list[Any]:
        answer = web.get(f"{self.address}/api/v1/query?{urllib.parse.urlencode({'query': query, 'time': at})}")
        assert answer is not None
        assert answer.status == 200, f"{query}: {answer.body}"
        found: list[Any] = answer.json()["data"]["result"]
        return found


@pytest.fixture(scope="module")
def past() -> Iterator[Past]:
    with prometheus_alone() as servers:
        yield Past(servers.start("alerts", "global: {}", FLAGS))


def test_every_alert_has_its_case() -> None:
    assert CASES.keys() - {None} == alerts().keys()


@pytest.mark.parametrize("case", CASES)
def test_each_alert_tells_its_own_ill_and_no_other(case: str | None, past: Past) -> None:
    assert past.firing(case) == ({case} if case else set())


def test_promtool_has_nothing_to_say_against_the_rules(tmp_path: Path) -> None:
    (rules,) = of_kind(kustomized("monitoring"), "PrometheusRule")
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump(rules["spec"]))
    told = ran(PROMTOOL, "check", "rules", "--lint=all", "--lint-fatal", str(file))
    assert f"SUCCESS: {len(alerts())} rules found" in told


def test_prometheus_reads_every_query_of_the_dashboard(past: Past) -> None:
    for query in queries():
        if not query.startswith("label_values("):  # Grafana's own
            past.ask(query.replace("$__rate_interval", "2m"), past.begins[None])
