"""What the operator says of the evidence when a rollout begins: by doctor's checks, and nothing that is too early."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from serinus.doctor import arms_of, read_plan
from serinus.doctor.beginning import look_at_evidence
from serinus.doctor.finding import Finding
from serinus.judge import Missing
from serinus.metrics import Prometheus, SourceError, inquiries
from serinus.metrics.answers import Row, Vector
from tests.doctor.facts import facts, manifest

BEGUN = 1_795_000_003.0
TEN_MINUTES = 600.0
ERRORS = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
LATENCY = {"name": "latency", "template": "istio-latency", "quantiles": [0.9], "tolerance": {"duration": "50ms"}}
SALES = {
    "name": "sales",
    "kind": "proportion",
    "query": {"events": "bought_total{ {{arm}} }", "total": "visits_total{ {{arm}} }"},
    "tolerance": {"absolute": 0.1},
}
OWN = {"destination_service": "predictor.ml.svc.cluster.local", "destination_version": "v1"}


def requests(count: float, *, seen: float = BEGUN) -> list[Row]:
    """The stable's requests, scraped last at that time."""
    return [Row({**OWN, "response_code": "200"}, count), Row({**OWN, "serinus_what": "scraped"}, seen)]


def sales(side: str) -> list[Row]:
    """One arm's visits, a tenth of which were sales."""
    told = ((name, what) for name in ("total", "events") for what in ("", "scraped"))
    counts = {"total": 60_000.0, "events": 6_000.0}
    return [
        Row({"serinus_of": f"{side} {name}", "serinus_what": what}, BEGUN if what else counts[name])
        for name, what in told
    ]


Answer = Sequence[Row] | SourceError


@dataclass
class Server:
    """A Prometheus whose answers are given: about ten minutes by what they are of, and to what was there before."""

    requests: Answer = field(default_factory=lambda: requests(60_000))
    durations: Answer = ()
    sales: Answer = ()
    before: Answer = field(default_factory=lambda: requests(6_000, seen=BEGUN - TEN_MINUTES))
    heard: list[tuple[str, float]] = field(default_factory=list)
    """Queries, and the times that they were about."""

    async def query(self, promql: str, at: float) -> Vector:
        self.heard.append((promql, at))
        answer = self._answer(promql, at)
        if isinstance(answer, SourceError):
            raise answer
        return Vector.of(answer)

    def _answer(self, promql: str, at: float) -> Answer:
        if at < BEGUN:
            return self.before
        if "visits_total" in promql:
            return self.sales
        return self.durations if "duration_milliseconds" in promql else self.requests


async def told(server: Server, *metrics: dict[str, Any], **policy: Any) -> tuple[str, ...]:
    there = facts(manifest(policy={"metrics": [ERRORS, *metrics], **policy}))
    read = read_plan(there)
    assert not isinstance(read, Finding)
    arms = arms_of(there, read.plan, "source", None)
    assert not isinstance(arms, Finding)
    asked = inquiries(read.plan.policy, arms)
    return await look_at_evidence(read.plan, asked, cast(Prometheus, server), BEGUN)


async def test_of_evidence_as_it_should_be_there_is_nothing_to_say() -> None:
    assert await told(Server()) == ()


async def test_a_look_is_one_query_for_each_question_and_one_for_what_was_before() -> None:
    """Of what was before the rollout began: the guard and the error rate are of the same requests."""
    server = Server(sales=sales("stable"))
    await told(server, LATENCY, SALES)
    assert sorted(at for _, at in server.heard) == [BEGUN - TEN_MINUTES, BEGUN, BEGUN, BEGUN]


async def test_a_query_without_series_is_told_once_by_the_metric_that_has_it() -> None:
    (line,) = await told(Server(requests=[], before=[]))
    assert line.startswith("evidence: error-rate: no series in the last 10m: istio_requests_total{")


async def test_each_metric_of_ones_own_that_has_no_series_is_told() -> None:
    (line,) = await told(Server(), SALES)
    assert line.startswith("evidence: sales: no series in the last 10m: bought_total{")


async def test_that_the_canary_has_no_series_yet_is_not_told() -> None:
    """Doctor says it; here the canary has met nobody, and the rollout's ticks say it as soon as that is wrong."""
    assert await told(Server(sales=sales("stable")), SALES) == ()


async def test_a_pod_that_came_or_restarted_within_the_ten_minutes_is_not_told() -> None:
    for momentary in ("baselines", "resets"):
        answer = [*requests(60_000), Row({**OWN, "serinus_what": momentary}, 1.0)]
        assert await told(Server(requests=answer)) == ()


async def test_too_little_traffic_is_told_where_it_was_counted_all_the_time() -> None:
    (line,) = await told(Server(requests=requests(300)))
    assert line.startswith("traffic: 0.5 requests a second are too few for minRequests (100) in the window: 10 % needs")


async def test_a_stable_that_came_within_the_ten_minutes_is_not_said_to_have_too_little_traffic() -> None:
    new = [*requests(300), Row({**OWN, "serinus_what": "baselines"}, 1.0)]
    for server in (Server(requests=requests(300), before=[]), Server(requests=new)):
        assert await told(server) == ()


async def test_a_stable_that_nobody_has_scraped_is_told() -> None:
    (line,) = await told(Server(requests=requests(0, seen=BEGUN - TEN_MINUTES - 60)))
    assert line.startswith("evidence: error-rate: stale")


async def test_buckets_that_do_not_resolve_the_tolerance_are_told() -> None:
    bounds = {"100": 6_000.0, "1000": 59_000.0, "+Inf": 60_000.0}
    rises = [Row({**OWN, "le": bound}, count) for bound, count in bounds.items()]
    (line,) = await told(Server(durations=[*rises, Row({**OWN, "serinus_what": "scraped"}, BEGUN)]), LATENCY)
    assert line.startswith("histograms: no bucket bound is near enough for +50 ms: latency p90")


async def test_a_prometheus_that_does_not_answer_is_one_line_however_many_metrics_there_are() -> None:
    away = SourceError(Missing.UNREACHABLE, "http://127.0.0.1:9090: no answer within 5 s")
    server = Server(requests=away, durations=away, sales=away, before=away)
    expected = "evidence: Prometheus cannot be asked: http://127.0.0.1:9090: no answer within 5 s"
    assert await told(server, LATENCY, SALES) == (expected,)
