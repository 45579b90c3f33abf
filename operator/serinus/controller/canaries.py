"""The metrics of each CanaryDeployment, as its status says when somebody asks."""

from collections.abc import Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from serinus.api import Phase
from serinus.controller.cache import Object, key_of
from serinus.controller.statuses import status_of

_OBJECT = ("namespace", "name")


def canary_metrics(owners: Iterable[Object]) -> Iterator[Metric]:
    """Phase, weight, evidence and obstacle of these objects; of one that has ended, no evidence."""
    phase = GaugeMetricFamily("serinus_canary_phase", "1 for the phase that it is in.", labels=(*_OBJECT, "phase"))
    weight = GaugeMetricFamily(
        "serinus_canary_weight_percent", "Percent of the traffic meant for the canary.", labels=_OBJECT
    )
    verdict = GaugeMetricFamily(
        "serinus_canary_verdict", "1 for its latest verdict.", labels=(*_OBJECT, "verdict", "reason")
    )
    evidence = GaugeMetricFamily(
        "serinus_canary_evidence_ratio",
        "How far the wealth of a metric is on its way to a verdict: 0 to 1.",
        labels=(*_OBJECT, "metric", "verdict"),
    )
    stalled = GaugeMetricFamily("serinus_canary_stalled", "1 for what stands in its way.", labels=(*_OBJECT, "reason"))
    for owner in owners:
        key, status = key_of(owner), status_of(owner)
        now = status.get("phase", Phase.PENDING.value)
        phase.add_metric((*key, now), 1)
        weight.add_metric(key, status.get("weight", 0))
        for condition in status.get("conditions") or ():
            if condition["type"] == "Stalled" and condition["status"] == "True":
                stalled.add_metric((*key, condition["reason"]), 1)
        if Phase(now).is_end:
            continue
        if latest := status.get("verdict"):
            verdict.add_metric((*key, latest["verdict"], latest["reason"]), 1)
        for row in status.get("comparison") or ():
            for word in ("rollback", "promote"):
                evidence.add_metric((*key, row["metric"], word), row[word])
    yield from (phase, weight, verdict, evidence, stalled)
