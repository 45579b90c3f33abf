"""Manifests for the tests of the resources: good ones, and bad ones that are each a small change of a good one."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from serinus.api import (
    ArmStatus,
    CanaryDeployment,
    CanaryDeploymentStatus,
    CanaryPolicy,
    ConditionStatus,
    Phase,
    PrintedStatus,
    RecordStatus,
    RolloutStatus,
    RowStatus,
    VerdictStatus,
    WarmUpStatus,
    WorkloadStatus,
)

Manifest = dict[str, Any]

MODELS: dict[str, type[CanaryDeployment | CanaryPolicy]] = {
    "CanaryDeployment": CanaryDeployment,
    "CanaryPolicy": CanaryPolicy,
}

ABSENT = object()
"""As a value in a change: the field is taken away."""


def canary_deployment(**fields: Any) -> Manifest:
    """The smallest CanaryDeployment; `fields` are added to its spec."""
    return {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryDeployment",
        "metadata": {"name": "predictor", "namespace": "default"},
        "spec": {
            "stable": {"subset": "stable", "labels": {"version": "v1"}},
            "canary": {"subset": "canary", "labels": {"version": "v2"}},
            "traffic": {
                "host": "predictor",
                "virtualServices": [{"name": "predictor"}],
                "destinationRule": "predictor",
            },
            **fields,
        },
    }


def canary_policy(*metrics: Manifest, **fields: Any) -> Manifest:
    """A CanaryPolicy with these metrics; `fields` are added to its spec."""
    return {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryPolicy",
        "metadata": {"name": "payments", "namespace": "default"},
        "spec": {"metrics": list(metrics), **fields},
    }


def errors(**fields: Any) -> Manifest:
    return {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}, **fields}


def latency(**fields: Any) -> Manifest:
    return {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}, **fields}


def share(**fields: Any) -> Manifest:
    return {"name": "share", "template": "istio-throughput", "tolerance": {"relative": 0.1}, **fields}


def distribution(**fields: Any) -> Manifest:
    return {
        "name": "prediction",
        "kind": "distribution",
        "query": {"classes": "sum by (prediction) (predictions_total)"},
        "by": "prediction",
        "tolerance": {"totalVariation": 0.05},
        **fields,
    }


def conversion(**fields: Any) -> Manifest:
    return {
        "name": "conversion",
        "kind": "proportion",
        "query": {"events": "sum(orders_total)", "total": "sum(visits_total)"},
        "better": "higher",
        "tolerance": {"relative": 0.03},
        "onRegression": "hold",
        **fields,
    }


def gauge(**fields: Any) -> Manifest:
    return {
        "name": "memory",
        "kind": "gauge",
        "query": {"value": "container_memory_working_set_bytes"},
        "tolerance": {"relative": 0.1},
        **fields,
    }


def rate(**fields: Any) -> Manifest:
    return {
        "name": "orders",
        "kind": "rate",
        "query": {"events": "sum(orders_total)", "total": "sum(seconds_total)"},
        "tolerance": {"relative": 0.05},
        **fields,
    }


def full_status() -> CanaryDeploymentStatus:
    """A status that has every field."""
    now = datetime(2026, 1, 1, 14, 10, tzinfo=UTC)
    arm = ArmStatus(total=1000, events=10.5, estimate=0.0105)
    return CanaryDeploymentStatus(
        observed_generation=3,
        phase=Phase.HOLDING,
        rollout=RolloutStatus(
            id="r1",
            started_at=now,
            ended_at=now,
            release="1234",
            policy_hash="5678",
            snapshot="eJw=",
            step=2,
            step_started_at=now,
            warm_up_started_at=now,
            warm_up=WarmUpStatus(endpoints=2, answered=40),
            stable_workload=WorkloadStatus(template="1a2b", images=("predictor:1",)),
            canary_workload=WorkloadStatus(template="3c4d", images=("predictor:2", "proxy:9")),
            settling_since=now,
            decision="r1-3",
            observed="r1-2",
            judged_until=now,
            undecided_at=now,
            unready_since=now,
            repaired_at=now,
            judge="eJw=",
            last_hash="9abc",
        ),
        step=3,
        steps=5,
        weight=25,
        observed_share=24.8,
        next_step_time=now,
        verdict=VerdictStatus(verdict="hold", reason="WaitingForRequests", message="37 of 100 requests", time=now),
        comparison=(
            RowStatus(
                metric="error-rate",
                kind="proportion",
                verdict="no data",
                missing="no traffic",
                canary=arm,
                stable=arm,
                difference=0.0,
                relative=-0.5,
                low=-0.0031,
                high=0.0037,
                confidence=0.99,
                p_value=1e-12,
                tolerance="+2.0 pp",
                margin="+2.0 pp",
                gating=True,
                rollback=0.25,
                promote=1.0,
                tested="share of requests answered with 5xx",
            ),
        ),
        history=(
            RecordStatus(
                id="r1-2",
                time=now,
                actor="serinus",
                verdict="promote",
                reason="Proven",
                weight_before=10,
                weight_after=25,
                hash="9abc",
            ),
        ),
        conditions=(
            ConditionStatus(
                type="Ready",
                status="False",
                reason="Holding",
                message="waiting for requests",
                last_transition_time=now,
                observed_generation=3,
            ),
        ),
        printed=PrintedStatus(step="3/5", next="14:25Z", share="24.8 %", stable="v1", canary="v2"),
    )


LADDER = [{"weight": 10, "window": "15m"}, {"weight": 50, "window": "15m"}, {"weight": 100, "window": "0s"}]

# Both kinds as the documentation shows them, every field used.
FULL_DEPLOYMENT = canary_deployment(
    stable={"subset": "stable", "labels": {"version": "v1"}, "metricLabels": {"destination_workload": "predictor-v1"}},
    canary={"subset": "canary", "labels": {"version": "v2"}, "metricLabels": {"destination_workload": "predictor-v2"}},
    revision="",
    workloads={
        "stable": {"kind": "Deployment", "name": "predictor-v1"},
        "canary": {"kind": "Deployment", "name": "predictor-v2"},
        "capacity": 0.8,
    },
    author="jo@example.com",
    traffic={
        "host": "predictor",
        "virtualServices": [{"name": "predictor", "routes": ["primary"]}, {"name": "edge/predictor"}],
        "destinationRule": "predictor",
        "cohort": {"header": "x-user-id", "by": "hash"},
        "audience": [
            {"header": "x-internal", "exact": "true", "also": [{"header": "x-region", "prefix": "eu-"}]},
            {"header": "x-team", "regex": "ml|search"},
        ],
        "onDrift": "repair",
    },
    ladder=[
        {"weight": 1, "window": "15m"},
        {"weight": 5, "window": "15m"},
        {"weight": 25, "window": "30m"},
        {"weight": 50, "window": "30m", "gate": "manual"},
        {"weight": 100, "window": "0s"},
    ],
    interval="15s",
    reportEvery="15m",
    warmUp={"duration": "30s", "requests": [{"path": "/predict", "body": '{"text":"hi"}', "count": 20, "port": 80}]},
    prometheus={"address": "http://prometheus:9090", "secretRef": {"name": "prom"}, "reporter": "destination"},
    policyRef={"name": "payments"},
    deadline="3h",
    whenUndecided="hold",
    paused=False,
    hooks=[{"when": "beforeStep", "url": "https://hooks.example.com/ask", "timeout": "10s", "failure": "hold"}],
    notify=[{"secretRef": {"name": "deploy-channel"}}],
)
FULL_POLICY = canary_policy(
    errors(failures={"codes": ["5xx", "429"], "grpc": [13, 14]}),
    latency(quantiles=[0.5, 0.9, 0.99, 0.999]),
    share(onRegression="report"),
    errors(name="checkout", tolerance={"absolute": 0}, margin={"absolute": 0.005}),
    distribution(),
    conversion(),
    falseRollback=0.01,
    falsePromotion=0.05,
    promoteOn="proven",
    minRequests=100,
    spike={"errorRate": 0.10},
    prometheus={"address": "http://prometheus:9090", "secretRef": {"name": "prom"}, "reporter": "source"},
)

GOOD: dict[str, Manifest] = {
    "the smallest CanaryDeployment": canary_deployment(),
    "every field of a CanaryDeployment": FULL_DEPLOYMENT,
    "every field of a CanaryPolicy": FULL_POLICY,
    "a policy inline": canary_deployment(policy={"metrics": [errors()]}),
    "subsets that users keep": canary_deployment(stable={"subset": "v1"}, canary={"subset": "v2"}),
    "a cohort by cookie": canary_deployment(
        traffic={**canary_deployment()["spec"]["traffic"], "cohort": {"cookie": "session"}}
    ),
    "a cohort by a cookie that Serinus sets": canary_deployment(
        traffic={**canary_deployment()["spec"]["traffic"], "cohort": {"cookie": "arm", "by": "setCookie"}}
    ),
    "durations of several units": canary_deployment(interval="1m30s", reportEvery="1h0m", deadline="1h30m"),
    "a bake at 100 that is shorter than the interval": canary_deployment(
        ladder=[{"weight": 10, "window": "15s"}, {"weight": 100, "window": "500ms"}]
    ),
    "a null, which is absence": canary_deployment(author=None, interval=None, policy=None),
    "labels that differ in one of two": canary_deployment(
        stable={"subset": "stable", "labels": {"app": "p", "version": "v1"}},
        canary={"subset": "canary", "labels": {"app": "p", "version": "v2"}},
    ),
    "absolute and relative combined": canary_policy(
        errors(tolerance={"absolute": 0.01, "relative": 0.1}, margin={"absolute": 0.01, "relative": 0.2})
    ),
    "a success rate, higher is better": canary_policy(errors(template="istio-success", better="higher")),
    "a kind that is the template's": canary_policy(latency(kind="latency", gates=[0.9])),
    "a rate, and a gauge that only reports": canary_policy(rate(), gauge()),
    "a gauge that may hold": canary_policy(gauge(onRegression="hold")),
    "whole numbers where fractions are usual": canary_policy(errors(margin={"absolute": 1}), spike={"errorRate": 1}),
}


@dataclass(frozen=True)
class Bad:
    """A good manifest with changes (dotted path and value), and what its refusal must name.

    `field` is the path to blame; `rule` a part of the sentence that says why, in the API server's answer. Where the
    operator's own words or place differ (one element of a list, pydantic's sentence), they are in `python_*`.
    """

    why: str
    base: Manifest
    changes: dict[str, Any]
    field: str
    rule: str

    @property
    def manifest(self) -> Manifest:
        """The manifest with its changes."""
        changed = deepcopy(self.base)
        for path, value in self.changes.items():
            *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
            place: Any = changed["spec"]
            for parent in parents:
                place = place.setdefault(parent, {}) if isinstance(place, dict) else place[parent]
            if value is ABSENT:
                del place[last]
            else:
                place[last] = value
        return changed


def _cd(why: str, changes: dict[str, Any], field: str, rule: str) -> Bad:
    return Bad(why, canary_deployment(ladder=LADDER), changes, f"spec.{field}", rule)


def _metric(why: str, metric: Manifest, changes: dict[str, Any], field: str, rule: str) -> Bad:
    """A change of the first of two metrics; the second gates."""
    base = canary_policy(metric, errors(name="other"))
    changes = {f"metrics.0.{path}": value for path, value in changes.items()}
    return Bad(why, base, changes, f"spec.metrics[0].{field}".removesuffix("."), rule)


def _policy(why: str, changes: dict[str, Any], field: str, rule: str) -> Bad:
    return Bad(why, canary_policy(errors(), errors(name="other")), changes, f"spec.{field}", rule)


DURATION = "[0-9]{1,7}s"  # a part of the pattern
BAD = (
    # What must be there, and nothing else
    _cd("no stable", {"stable": ABSENT}, "stable", "equired"),
    _cd("no canary", {"canary": ABSENT}, "canary", "equired"),
    _cd("no traffic", {"traffic": ABSENT}, "traffic", "equired"),
    _cd("no host", {"traffic.host": ABSENT}, "traffic.host", "equired"),
    _cd("a misspelt field", {"laddder": []}, "laddder", "unknown field"),
    _cd("a misspelt field inside", {"traffic.virtualService": "p"}, "traffic.virtualService", "unknown field"),
    # The arms
    _cd("one subset for both", {"canary.subset": "stable"}, "canary.subset", "must not be the stable's subset"),
    _cd("a subset that Istio refuses", {"canary.subset": "Canary_1"}, "canary.subset", "should match"),
    _cd("the same labels", {"canary.labels": {"version": "v1"}}, "canary.labels", "pods would be in both subsets"),
    _cd(
        "labels that also match the other's pods",
        {"stable.labels": {"app": "p"}, "canary.labels": {"app": "p", "version": "v2"}},
        "canary.labels",
        "pods would be in both subsets",
    ),
    _cd(
        "the same series",
        {"stable.metricLabels": {"job": "p"}, "canary.metricLabels": {"job": "p"}},
        "canary.metricLabels",
        "requests would count for both arms",
    ),
    _cd("no labels in labels", {"canary.labels": {}}, "canary.labels", "at least 1"),
    _cd("a label value with a space", {"canary.labels": {"version": "v 2"}}, "canary.labels.version", "should match"),
    _cd(
        "a port that is none",
        {"warmUp": {"requests": [{"path": "/", "port": 70000}]}},
        "warmUp.requests[0].port",
        "65535",
    ),
    _cd(
        "one workload for both",
        {"workloads": {side: {"kind": "Deployment", "name": "p"} for side in ("stable", "canary")}},
        "workloads.canary",
        "must not be the stable's workload",
    ),
    # Traffic
    _cd("no VirtualService", {"traffic.virtualServices": []}, "traffic.virtualServices", "at least 1"),
    _cd(
        "a VirtualService twice",
        {"traffic.virtualServices": [{"name": "p"}, {"name": "p"}]},
        "traffic.virtualServices[1]",
        "uplicate",
    ),
    _cd("a wildcard host", {"traffic.host": "*.example.com"}, "traffic.host", "should match"),
    _cd(
        "a cohort by header and cookie",
        {"traffic.cohort": {"header": "x-user-id", "cookie": "session"}},
        "traffic.cohort",
        "exactly one of header and cookie",
    ),
    _cd("a cohort by nothing", {"traffic.cohort": {}}, "traffic.cohort", "exactly one of header and cookie"),
    _cd(
        "a cookie to set, without a name",
        {"traffic.cohort": {"header": "x-user-id", "by": "setCookie"}},
        "traffic.cohort.cookie",
        "is required with setCookie",
    ),
    _cd(
        "an audience whose header may have any value",
        {"traffic.audience": [{"header": "x-internal"}]},
        "traffic.audience[0]",
        "exactly one of exact, prefix and regex",
    ),
    _cd(
        "an audience whose header must be two things",
        {
            "traffic.audience": [
                {"header": "x-a", "exact": "1", "also": [{"header": "x-b", "exact": "1", "prefix": "1"}]}
            ]
        },
        "traffic.audience[0].also[0]",
        "exactly one of exact, prefix and regex",
    ),
    _cd(
        "drift neither repaired nor respected", {"traffic.onDrift": "ignore"}, "traffic.onDrift", '"repair", "respect"'
    ),
    # The ladder
    _cd("weights that fall", {"ladder.1.weight": 5}, "ladder", "greater than the one before"),
    _cd("a weight twice", {"ladder.1.weight": 10}, "ladder", "greater than the one before"),
    _cd("a ladder that ends early", {"ladder.2.weight": 90}, "ladder", "the last weight must be 100"),
    _cd("a ladder of 100 alone", {"ladder": [LADDER[-1]]}, "ladder", "a step below 100 is required"),
    _cd("no steps", {"ladder": []}, "ladder", "at least 1"),
    _cd(
        "21 steps",
        {"ladder": [{"weight": weight, "window": "15m"} for weight in (*range(1, 21), 100)]},
        "ladder",
        "at most 20",
    ),
    _cd("weight 0", {"ladder.0.weight": 0}, "ladder[0].weight", "greater than or equal to 1"),
    _cd("weight 101", {"ladder.2.weight": 101}, "ladder[2].weight", "less than or equal to 100"),
    _cd("a weight as text", {"ladder.0.weight": "10"}, "ladder[0].weight", "integer"),
    _cd("half a percent", {"ladder.0.weight": 10.5}, "ladder[0].weight", "integer"),
    _cd("a step without a window", {"ladder.0.window": ABSENT}, "ladder[0].window", "equired"),
    _cd("a window shorter than a tick", {"ladder.0.window": "14s"}, "ladder", "at least the interval"),
    _cd("a window of 0 before the last", {"ladder.1.window": "0s"}, "ladder", "at least the interval"),
    _cd("a gate that nobody keeps", {"ladder.0.gate": "auto"}, "ladder[0].gate", '"manual"'),
    # Durations
    _cd("a duration without a unit", {"interval": "15"}, "interval", DURATION),
    _cd("a duration as a number", {"interval": 15}, "interval", "of type duration"),
    _cd("a duration in days", {"deadline": "1d"}, "deadline", DURATION),
    _cd("an empty duration", {"reportEvery": ""}, "reportEvery", "at least 2"),
    _cd("a tick below a second", {"interval": "900ms"}, "interval", "at least 1s"),
    _cd("reports more often than ticks", {"reportEvery": "10s"}, "reportEvery", "at least the interval"),
    _cd("a deadline of nothing", {"deadline": "0s"}, "deadline", "at least 1s"),
    _cd("a deadline within a window", {"deadline": "15m"}, "deadline", "longer than every window"),
    _cd("a promotion when undecided", {"whenUndecided": "promote"}, "whenUndecided", '"hold", "rollback"'),
    # Addresses and references
    _cd("an address without a scheme", {"prometheus": {"address": "prom:9090"}}, "prometheus.address", "https?://"),
    _cd(
        "a password in an address",
        {"prometheus": {"address": "http://me:secret@prom:9090"}},
        "prometheus.address",
        "https?://",
    ),
    _cd(
        "a hook by ftp",
        {"hooks": [{"when": "beforeStep", "url": "ftp://hooks.example.com"}]},
        "hooks[0].url",
        "https?://",
    ),
    _cd("a reporter that is none", {"prometheus": {"reporter": "both"}}, "prometheus.reporter", '"waypoint"'),
    _cd(
        "a policy and a reference",
        {"policy": {"metrics": [errors()]}, "policyRef": {"name": "payments"}},
        "policyRef",
        "at most one of policy and policyRef",
    ),
    _cd(
        "an inline policy that breaks a rule",
        {"policy": {"metrics": [errors(tolerance={})]}},
        "policy.metrics[0].tolerance",
        "at least one of absolute, relative, duration and totalVariation",
    ),
    # A policy's numbers
    _policy("alpha 0", {"falseRollback": 0}, "falseRollback", "greater than 0"),
    _policy("alpha above a half", {"falseRollback": 0.6}, "falseRollback", "must be at most 0.5"),
    _policy("beta as a percentage", {"falsePromotion": 5}, "falsePromotion", "must be at most 0.5"),
    _policy("alpha as text", {"falseRollback": "0.01"}, "falseRollback", "number"),
    _policy("no requests needed", {"minRequests": 0}, "minRequests", "greater than or equal to 1"),
    _policy("a spike of nothing", {"spike": {"errorRate": 0}}, "spike.errorRate", "greater than 0"),
    _policy("a spike in percent", {"spike": {"errorRate": 10}}, "spike.errorRate", "less than or equal to 1"),
    _policy("no metrics", {"metrics": []}, "metrics", "at least 1"),
    _policy("a metric twice", {"metrics.1.name": "error-rate"}, "metrics[1]", "uplicate"),
    _policy(
        "nothing that gates",
        {"metrics.0.onRegression": "report", "metrics.1.onRegression": "report"},
        "metrics",
        "at least one must gate",
    ),
    # A metric's source
    _metric(
        "neither template nor query", errors(), {"template": ABSENT}, "template", "exactly one of template and query"
    ),
    _metric(
        "template and query", conversion(better="lower"), {"template": "istio-errors"}, "template", "exactly one of"
    ),
    _metric("a query without a kind", conversion(), {"kind": ABSENT}, "kind", "required with query"),
    _metric("a kind that is not the template's", errors(), {"kind": "latency"}, "kind", "that the template implies"),
    _metric("errors that should rise", errors(), {"better": "higher"}, "better", "that the template implies"),
    _metric(
        "classes that should rise", distribution(), {"better": "higher"}, "better", "proportion, rate or gauge only"
    ),
    _metric("a template that is none", errors(), {"template": "istio-4xx"}, "template", '"istio-success"'),
    _metric("a proportion without its total", conversion(), {"query.total": ABSENT}, "query", "events and total"),
    _metric("a distribution by buckets", distribution(), {"query": {"buckets": "x"}}, "query", "distribution classes"),
    _metric("classes by no label", distribution(), {"by": ABSENT}, "by", "required for a distribution"),
    _metric("errors by a label", errors(), {"by": "path"}, "by", "for nothing else"),
    _metric("the guard's name", errors(), {"name": "error-guard"}, "name", "error-guard"),
    # Tolerance and margin
    _metric("no tolerance", errors(), {"tolerance": ABSENT}, "tolerance", "equired"),
    _metric("a tolerance of no form", errors(), {"tolerance": {}}, "tolerance", "at least one of absolute"),
    _metric("a negative tolerance", errors(), {"tolerance.absolute": -0.1}, "tolerance.absolute", "equal to 0"),
    _metric("a tolerance in percent", errors(), {"tolerance.absolute": 2}, "tolerance.absolute", "equal to 1"),
    _metric("errors in milliseconds", errors(), {"tolerance": {"duration": "5ms"}}, "tolerance", "latency duration"),
    _metric("a latency in points", latency(), {"tolerance": {"absolute": 0.1}}, "tolerance", "latency duration"),
    _metric("classes by difference", distribution(), {"tolerance": {"absolute": 0.1}}, "tolerance", "totalVariation"),
    _metric("a rate in points", rate(), {"tolerance": {"absolute": 0.1}}, "tolerance", "relative"),
    _metric(
        "a margin in a foreign form", errors(), {"margin": {"absolute": 0.02, "duration": "1s"}}, "margin", "latency"
    ),
    _metric("tolerance 0 without a margin", errors(), {"tolerance.absolute": 0}, "margin", "where the tolerance is 0"),
    _metric(
        "tolerance 0 and margin 0",
        latency(),
        {"tolerance.duration": "0s", "margin": {"duration": "0s"}},
        "margin",
        "where the tolerance is 0",
    ),
    _metric("a margin below the tolerance", errors(), {"margin": {"absolute": 0.01}}, "margin", "not be smaller"),
    _metric("a margin that lacks a form", errors(), {"margin": {"relative": 0.5}}, "margin", "not be smaller"),
    _metric("a shorter margin", latency(), {"margin": {"duration": "49ms"}}, "margin", "not be smaller"),
    _metric(
        "all that is better lost", conversion(), {"tolerance": {"relative": 1}}, "", "tolerance.relative and margin"
    ),
    _metric(
        "all that is better promoted", conversion(), {"margin": {"relative": 1}}, "", "tolerance.relative and margin"
    ),
    # What only some metrics have
    _metric("a unit of Istio's", latency(), {"unit": "ms"}, "unit", "only buckets of your own have a unit"),
    _metric("a unit of a share", conversion(), {"unit": "s"}, "unit", "only buckets of your own have a unit"),
    _metric("failures of a latency", latency(), {"failures": {"codes": ["5xx"]}}, "failures", "only istio-errors and"),
    _metric("failures of a query", conversion(), {"failures": {"grpc": [13]}}, "failures", "only istio-errors and"),
    _metric("no failures", errors(), {"failures": {}}, "failures", "at least one of codes and grpc"),
    _metric("a status that is none", errors(), {"failures": {"codes": ["600"]}}, "failures.codes[0]", "[1-5]"),
    _metric("a gRPC status that is none", errors(), {"failures": {"grpc": [17]}}, "failures.grpc[0]", "equal to 16"),
    _metric("a share that rolls back", share(), {"onRegression": "rollback"}, "onRegression", "only reports"),
    _metric("a share by difference", share(), {"tolerance": {"absolute": 0.1}}, "tolerance", "rate and gauge relative"),
    _policy(
        "only a share",
        {"metrics": [share()]},
        "metrics",
        "at least one must gate",
    ),
    # Quantiles
    _metric("quantiles of errors", errors(), {"quantiles": [0.5]}, "quantiles", "only a latency"),
    _metric("gates of errors", errors(), {"gates": [0.5]}, "gates", "only a latency"),
    _metric("a quantile in percent", latency(), {"quantiles": [99]}, "quantiles[0]", "less than 1"),
    _metric("a quantile twice", latency(), {"quantiles": [0.5, 0.5]}, "quantiles[1]", "uplicate"),
    _metric(
        "a gate that is no quantile", latency(), {"quantiles": [0.5], "gates": [0.9]}, "gates", "among the quantiles"
    ),
    _metric("quantiles that never gate", latency(), {"quantiles": [0.999]}, "gates", "above 0.99"),
)
