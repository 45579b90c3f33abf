"""Every kind of metric from a real Prometheus, with known numbers in it (R19, R20)."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lab.stack.alone import Alone
from serinus.api import CanaryPolicySpec
from serinus.judge import GUARD, Counts, Missing
from serinus.judge.evidence import Classes, Events, Evidence, Histogram, Past, Values
from serinus.metrics import (
    Arm,
    Arms,
    Collected,
    Connection,
    Desk,
    Prometheus,
    Slot,
    catch_up,
    collect,
    history,
    inquiries,
)
from serinus.metrics.istio import IstioQuestion
from tests.metrics.remote_write import FLAGS, Native, Series, counter, write

TICK = 15.0
END = 1_795_000_500.0
"""Of the tick that most tests look at."""
TIMES = [END - 7500 + 15 * number for number in range(501)]
"""Of the samples: a scrape for each tick, two hours and more."""
HOST = "predictor.ml.svc.cluster.local"
ARMS = Arms(
    "ml",
    HOST,
    "destination",
    stable=Arm("stable", (("destination_version", "v1"),), (("version", "v1"),)),
    canary=Arm("canary", (("destination_version", "v2"),), (("version", "v2"),)),
)


def pod(version: str, number: int = 0, **labels: str) -> dict[str, str]:
    return {"job": "pods", "instance": f"{version}-{number}", "namespace": "ml", "version": version, **labels}


def istio(name: str, version: str, number: int = 0, host: str = HOST, **labels: str) -> dict[str, str]:
    return pod(
        version,
        number,
        __name__=name,
        reporter=labels.pop("reporter", "destination"),
        destination_service=host,
        destination_version=version,
        destination_workload=labels.pop("destination_workload", f"predictor-{version}"),
        **labels,
    )


def everything() -> Iterator[Series]:
    for version in ("v1", "v2"):
        for number in (0, 1):
            yield counter(pod(version, number, __name__="up"), TIMES, 0, 1)
            yield counter(pod(version, number, __name__="scrape_duration_seconds"), TIMES, 0, 0.25)
            yield counter(
                pod(version, number, __name__="memory_bytes"), TIMES, 0, {"v1": 100.0, "v2": 130.0}[version] + number
            )
    yield from requests()
    yield from durations()
    yield from of_the_users_own()


def requests() -> Iterator[Series]:
    name = "istio_requests_total"
    for version, ok, failed, refused in (("v1", 90, 1, 4), ("v2", 9, 2, 1)):
        for number in (0, 1):
            yield counter(istio(name, version, number, response_code="200", grpc_response_status="0"), TIMES, ok)
            yield counter(istio(name, version, number, response_code="503"), TIMES, failed)
            yield counter(istio(name, version, number, response_code="429"), TIMES, refused)
        yield counter(istio(name, version, reporter="source", response_code="200"), TIMES, 2 * (ok + failed + refused))
    yield counter(istio(name, "v2", response_code="200", grpc_response_status="14"), TIMES, 3)
    lost = istio(name, "unknown", reporter="source", destination_workload="unknown", response_code="503")
    yield counter(lost | {"instance": "v1-0"}, TIMES, 0, 7)


def durations() -> Iterator[Series]:
    name = "istio_request_duration_milliseconds"
    for version, buckets in (("v1", {"10": 50, "100": 90, "+Inf": 100}), ("v2", {"10": 4, "100": 8, "+Inf": 10})):
        for number in (0, 1):
            for bound, rise in buckets.items():
                yield counter(istio(f"{name}_bucket", version, number, le=bound), TIMES, rise)
    for version, rises in (("v1", {0: 30, 8: 60, 24: 10}), ("v2", {0: 3, 8: 3, 24: 4})):
        samples = [
            (at, Native(3, {index: step * count for index, count in rises.items()})) for step, at in enumerate(TIMES, 1)
        ]
        yield Series(istio(name, version, host="native.ml.svc.cluster.local"), list(samples))


def of_the_users_own() -> Iterator[Series]:
    for version, hits, misses in (("v1", 80, 20), ("v2", 6, 4)):
        yield counter(pod(version, __name__="cache_requests_total", result="hit"), TIMES, hits)
        yield counter(pod(version, __name__="cache_requests_total", result="miss"), TIMES, misses)
        yield counter(pod(version, __name__="seconds_total"), TIMES, 15)
        for kind, rise in (("positive", hits), ("negative", misses)):
            yield counter(pod(version, __name__="predictions_total", prediction=kind), TIMES, rise)
        for bound, rise in (("0.05", hits), ("0.5", hits + misses), ("+Inf", hits + misses)):
            yield counter(pod(version, __name__="work_seconds_bucket", le=bound), TIMES, rise)
    yield counter(pod("v2", __name__="predictions_total", prediction="new"), TIMES, 1)


@pytest.fixture(scope="module")
def address(alone: Alone) -> str:
    address = alone.start("kinds", "global: {}", [*FLAGS, "--storage.tsdb.retention.time=100y"])
    write(address, everything())
    return address


def policy(*metrics: dict[str, Any]) -> CanaryPolicySpec:
    gate = {"name": "gate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
    return CanaryPolicySpec.model_validate({"metrics": [gate, *metrics]})


def seen(address: str, *metrics: dict[str, Any], arms: Arms = ARMS, end: float = END, weight: int = 10) -> Collected:
    async def ask() -> Collected:
        desk = Desk(Prometheus(Connection(address)))
        try:
            asked = inquiries(policy(*metrics), arms)
            return await collect(desk, asked, Slot(end - TICK, end), weight=weight, silence=desk.silence)
        finally:
            await desk.prometheus.close()

    return asyncio.run(ask())


def of(address: str, metric: dict[str, Any], arms: Arms = ARMS) -> Evidence:
    found = seen(address, {"name": "it", "tolerance": {"relative": 0.1}, **metric}, arms=arms)
    assert found.evidence["it"].missing is None, [str(doubt) for doubt in found.doubts]
    return found.evidence["it"]


def test_errors_are_5xx_and_the_grpc_statuses_that_a_server_is_to_blame_for(address: str) -> None:
    """gRPC failures ride on HTTP 200."""
    assert seen(address).evidence[GUARD] == Evidence(canary=Counts(27, 7), stable=Counts(190, 2))


def test_what_counts_as_failed_can_be_said(address: str) -> None:
    metric = {"template": "istio-errors", "failures": {"codes": ["429", "5xx"], "grpc": [13]}}
    assert of(address, metric) == Evidence(canary=Counts(27, 6), stable=Counts(190, 10))


def test_success_is_the_rest(address: str) -> None:
    assert of(address, {"template": "istio-success"}) == Evidence(canary=Counts(27, 20), stable=Counts(190, 188))


def test_throughput_share_is_counted_where_requests_are_sent_against_the_weight_R17(address: str) -> None:
    found = of(address, {"template": "istio-throughput"})
    assert (found.canary, found.stable) == (Events(24, 10), Events(190, 90))


def test_latency_from_classic_histograms(address: str) -> None:
    found = of(address, {"template": "istio-latency", "tolerance": {"duration": "50ms"}})
    assert isinstance(found.canary, Histogram)
    assert isinstance(found.stable, Histogram)
    assert found.canary.bounds == found.stable.bounds == (10.0, 100.0, np.inf)
    assert found.canary.cumulative.tolist() == [8, 16, 20]
    assert found.stable.cumulative.tolist() == [100, 180, 200]


def test_durations_of_young_pods_are_left_out_and_their_errors_are_not_R09(address: str) -> None:
    arms = replace(ARMS, young=("v2-1", "10.0.0.7"))
    latency = {"name": "it", "template": "istio-latency", "tolerance": {"duration": "50ms"}}
    found = seen(address, latency, arms=arms).evidence
    canary, stable = found["it"].canary, found["it"].stable
    assert isinstance(canary, Histogram)
    assert isinstance(stable, Histogram)
    assert canary.cumulative.tolist() == [4, 8, 10]
    assert stable.cumulative.tolist() == [100, 180, 200]
    assert found[GUARD] == seen(address).evidence[GUARD]


def test_latency_from_native_histograms_has_the_same_bounds_in_both_arms(address: str) -> None:
    arms = replace(ARMS, host="native.ml.svc.cluster.local")
    found = seen(address, {"name": "it", "template": "istio-latency", "tolerance": {"duration": "50ms"}}, arms=arms)
    canary, stable = found.evidence["it"].canary, found.evidence["it"].stable
    assert found.evidence["it"].missing is None, [str(doubt) for doubt in found.doubts]
    assert isinstance(canary, Histogram)
    assert isinstance(stable, Histogram)
    assert canary.bounds == stable.bounds
    assert 0.1 <= canary.bounds[0] < 0.11
    assert [canary.cumulative[canary.bounds.index(bound)] for bound in (1.0, 2.0, 8.0, np.inf)] == [3, 6, 10, 10]
    assert [stable.cumulative[stable.bounds.index(bound)] for bound in (1.0, 2.0, 8.0, np.inf)] == [30, 90, 100, 100]


def test_a_proportion_of_the_users_own(address: str) -> None:
    series = "cache_requests_total"
    query = {
        "events": f'{series}{{result="hit",version="{{{{labels.version}}}}"}}',
        "total": f"{series}{{{{{{arm}}}}}}",
    }
    arms = replace(ARMS, stable=Arm("stable", (("version", "v1"),)), canary=Arm("canary", (("version", "v2"),)))
    found = of(address, {"kind": "proportion", "better": "higher", "query": query}, arms)
    assert (found.canary, found.stable) == (Counts(10, 6), Counts(100, 80))


OWN = replace(
    ARMS,
    stable=Arm("stable", ARMS.stable.series, (("version", "v1"),)),
    canary=Arm("canary", ARMS.canary.series, (("version", "v2"),)),
)
MINE = '{version="{{labels.version}}"}'


def test_predictions_by_class_R20(address: str) -> None:
    metric = {"kind": "distribution", "by": "prediction", "query": {"classes": f"predictions_total{MINE}"}}
    found = of(address, {**metric, "tolerance": {"totalVariation": 0.05}})
    assert isinstance(found.canary, Classes)
    assert isinstance(found.stable, Classes)
    assert found.canary.names == found.stable.names == ("negative", "new", "positive")
    assert found.canary.counts.tolist() == [4, 1, 6]
    assert found.stable.counts.tolist() == [20, 0, 80]


def test_a_rate_per_exposure(address: str) -> None:
    query = {"events": f"cache_requests_total{MINE}", "total": f"seconds_total{MINE}"}
    found = of(
        address, {"kind": "rate", "query": {**query, "events": query["events"].replace("{v", '{result="miss",v')}}
    )
    assert (found.canary, found.stable) == (Events(4, 15), Events(20, 15))


def test_buckets_of_the_users_own_are_in_seconds_unless_they_say_otherwise(address: str) -> None:
    metric = {"kind": "latency", "query": {"buckets": f"work_seconds_bucket{MINE}"}, "tolerance": {"duration": "50ms"}}
    found = of(address, metric)
    assert isinstance(found.canary, Histogram)
    assert found.canary.bounds == (50.0, 500.0, np.inf)
    assert found.canary.cumulative.tolist() == [6, 10, 10]
    milliseconds = of(address, {**metric, "unit": "ms"}).canary
    assert isinstance(milliseconds, Histogram)
    assert milliseconds.bounds == (0.05, 0.5, np.inf)


def test_a_gauge_has_a_value_for_each_pod(address: str) -> None:
    found = of(address, {"kind": "gauge", "query": {"value": f"max by (instance) (memory_bytes{MINE})"}})
    assert isinstance(found.canary, Values)
    assert isinstance(found.stable, Values)
    assert sorted(found.canary.values) == [130, 131]
    assert sorted(found.stable.values) == [100, 101]


MEMORY = f"memory_bytes{MINE}"


@pytest.mark.parametrize(
    ("value", "missing", "told"),
    [
        (f"scalar({MEMORY})", Missing.NO_SERIES, "refuses the query"),
        (f'{MEMORY} or "a string"', Missing.NO_SERIES, "refuses the query"),
        (f"{MEMORY}[5m]", Missing.NO_SERIES, "refuses the query"),
        (f'label_replace({MEMORY}, "instance", "x", "", "")', Missing.NO_SERIES, "refuses the query"),
        (f"up * on (job) {MEMORY}", Missing.NO_SERIES, "refuses the query"),
        (f"{MEMORY} / 0", Missing.PARTIAL, "a value of inf"),
        (f"0 * {MEMORY} / 0", Missing.PARTIAL, "a value of nan"),
        (f"memory_byte{MINE}", Missing.NO_SERIES, ""),
    ],
)
def test_a_query_that_gives_no_numbers_is_named_and_harms_no_other_metric_I3(
    value: str, missing: Missing, told: str, address: str
) -> None:
    found = seen(address, {"name": "it", "kind": "gauge", "query": {"value": value}, "tolerance": {"relative": 1.0}})
    assert (found.evidence["it"].missing, found.evidence["gate"].missing) == (missing, None)
    (doubt,) = found.doubts
    assert told in doubt.detail
    assert 'version="v2"' in doubt.query


def test_a_misspelled_metric_is_no_series_and_after_two_minutes_somebody_must_look(address: str) -> None:
    async def ask() -> list[Collected]:
        desk = Desk(Prometheus(Connection(address)))
        metric = {
            "name": "it",
            "kind": "gauge",
            "query": {"value": f"memory_byte{MINE}"},
            "tolerance": {"relative": 1.0},
        }
        asked = inquiries(policy(metric), ARMS)
        try:
            return [
                await collect(desk, asked, Slot(end - TICK, end), weight=10, silence=desk.silence)
                for end in np.arange(END - 120, END + 1, TICK)
            ]
        finally:
            await desk.prometheus.close()

    doubts = [found.doubts for found in asyncio.run(ask())]
    assert all(each.missing is Missing.NO_SERIES and "memory_byte{" in each.query for (each,) in doubts)
    assert [each.lasting for (each,) in doubts] == [False] * 6 + [True] * 3


def test_an_arm_that_is_given_no_traffic_need_not_have_any(address: str) -> None:
    nobody = replace(ARMS, canary=Arm("canary", (("destination_version", "v9"),)))
    assert seen(address, arms=nobody, weight=0).evidence[GUARD].missing is None
    assert seen(address, arms=nobody, weight=10).evidence[GUARD].missing is Missing.NO_TRAFFIC


def test_after_the_last_scrape_the_evidence_is_stale(address: str) -> None:
    assert seen(address, end=END + 30).evidence[GUARD].missing is Missing.STALE


def test_a_fence_hides_the_series_of_others(address: str) -> None:
    assert seen(address, arms=replace(ARMS, fence=(("namespace", "ml"),))).evidence[GUARD].missing is None
    fenced = replace(ARMS, fence=(("namespace", "other"),))
    assert seen(address, arms=fenced).evidence[GUARD].missing is Missing.NO_SERIES
    metric = {"kind": "gauge", "query": {"value": f"memory_bytes{MINE}"}, "tolerance": {"relative": 1.0}}
    assert seen(address, {"name": "it", **metric}, arms=fenced).evidence["it"].missing is Missing.NO_SERIES


def test_a_shared_query_says_the_same_as_a_single_one(address: str) -> None:
    async def ask() -> None:
        server = Prometheus(Connection(address))
        desk, slot = Desk(server), Slot(END - TICK, END)
        everyone = [
            IstioQuestion(topic, replace(ARMS, host=host), "destination")
            for topic in ("requests", "durations")
            for host in (HOST, "native.ml.svc.cluster.local", "nobody.ml.svc.cluster.local")
        ]
        try:
            shared = await asyncio.gather(*(desk.read(question, slot) for question in everyone))
            for question, reading in zip(everyone, shared, strict=True):
                alone = question.read((await server.query(question.promql(TICK), END)).rows())
                for side in ("canary", "stable"):
                    one, other = reading.of(side, question.topic), alone.of(side, question.topic)
                    assert (one.rises, one.native, one.scraped) == (other.rises, other.native, other.scraped)
        finally:
            await server.close()

    asyncio.run(ask())


def test_the_past_of_the_stable_arm_and_how_it_clusters(address: str) -> None:
    async def ask() -> dict[str, Past]:
        desk = Desk(Prometheus(Connection(address)))
        latency = {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}}
        memory = {
            "name": "memory",
            "kind": "gauge",
            "query": {"value": f"memory_bytes{MINE}"},
            "tolerance": {"relative": 1.0},
        }
        try:
            return dict(await history(desk, inquiries(policy(latency, memory), ARMS), END, TICK))
        finally:
            await desk.prometheus.close()

    pasts = asyncio.run(ask())
    assert pasts["gate"].stable == Counts(190.0 * 480, 2.0 * 480)
    assert pasts["gate"].excess == (0.0,), "its pods always have the same counts"
    assert isinstance(pasts["latency"].stable, Histogram)
    assert pasts["latency"].stable.cumulative.tolist() == [100 * 480, 180 * 480, 200 * 480]
    assert len(pasts["latency"].excess) == 4, "one for each quantile"
    assert pasts["memory"].spread is not None


def test_catch_up_with_one_range_query_is_the_same_as_live(address: str) -> None:
    """See test_catch_up_on_prometheus.py for a thousand ticks in which pods come and go."""

    async def ask() -> None:
        desk = Desk(Prometheus(Connection(address)))
        metric = {
            "name": "it",
            "kind": "gauge",
            "query": {"value": f"memory_bytes{MINE}"},
            "tolerance": {"relative": 1.0},
        }
        asked = inquiries(policy(metric), ARMS)
        slots = [Slot(END - 300 + TICK * number, END - 285 + TICK * number) for number in range(20)]
        try:
            reader = await catch_up(desk, [each.question for each in asked], slots)
            for slot in slots:
                live = await collect(desk, asked, slot, weight=10, silence=desk.silence)
                later = await collect(reader, asked, slot, weight=10, silence=desk.silence)
                assert repr(later.evidence) == repr(live.evidence)
                assert (later.reach, later.doubts) == (live.reach, live.doubts)
        finally:
            await desk.prometheus.close()

    asyncio.run(ask())


def test_how_long_scrapes_take_is_known(address: str) -> None:
    assert seen(address).scrape_duration == 0.25
