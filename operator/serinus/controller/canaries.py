"""The metrics of each CanaryDeployment, as its status says when somebody asks."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from serinus.api import Phase
from serinus.controller.cache import Key, Object, key_of
from serinus.controller.statuses import status_text

_OBJECT = ("namespace", "name")


def canary_metrics(owners: Iterable[Object], judged_until: Mapping[Key, datetime]) -> Iterator[Metric]:
    """Phase, weight, evidence and obstacle of these objects; of one that has ended, no evidence.

    `judged_until`: where it is known that a rollout has been judged further than its status says.
    """
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
    judged = GaugeMetricFamily(
        "serinus_canary_judged_until_timestamp_seconds",
        "The end of the last tick that has been judged (Unix time).",
        labels=_OBJECT,
    )
    stalled = GaugeMetricFamily("serinus_canary_stalled", "1 for what stands in its way.", labels=(*_OBJECT, "reason"))
    for owner in owners:
        key, status = key_of(owner), _STATUS.decode(status_text(owner))
        phase.add_metric((*key, status.phase), 1)
        weight.add_metric(key, status.weight)
        for condition in status.conditions:
            if condition.type == "Stalled" and condition.status == "True":
                stalled.add_metric((*key, condition.reason), 1)
        if Phase(status.phase).is_end:
            continue
        if until := judged_until.get(key) or (status.rollout and status.rollout.judged_until):
            judged.add_metric(key, until.timestamp())
        if status.verdict:
            verdict.add_metric((*key, status.verdict.verdict, status.verdict.reason), 1)
        for row in status.comparison:
            evidence.add_metric((*key, row.metric, "rollback"), row.rollback)
            evidence.add_metric((*key, row.metric, "promote"), row.promote)
    yield from (phase, weight, verdict, evidence, judged, stalled)


class _Condition(msgspec.Struct):
    type: str
    status: str
    reason: str


class _Verdict(msgspec.Struct):
    verdict: str
    reason: str


class _Row(msgspec.Struct):
    metric: str
    rollback: float
    promote: float


class _Rollout(msgspec.Struct, rename="camel"):
    judged_until: datetime | None = None


class _Status(msgspec.Struct):
    """What the metrics are made of: to read no more of a status takes a fraction of the time."""

    phase: str = Phase.PENDING.value
    weight: int = 0
    conditions: list[_Condition] = []
    verdict: _Verdict | None = None
    comparison: list[_Row] = []
    rollout: _Rollout | None = None


_STATUS = msgspec.json.Decoder(_Status)
