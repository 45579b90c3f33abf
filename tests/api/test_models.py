"""The models as the operator and `serinus judge` use them, with no API server around."""

import pydantic
import pytest

from serinus import judge
from serinus.api import (
    DEFAULT_POLICY,
    ArmStatus,
    CanaryDeployment,
    CanaryDeploymentStatus,
    CanaryPolicySpec,
    ConditionStatus,
    Metric,
    QueryStatus,
    RecordStatus,
    Regression,
    RowStatus,
    explain,
    metric,
    problems,
)
from tests.api.manifests import (
    BAD,
    GOOD,
    LADDER,
    MODELS,
    Bad,
    Manifest,
    canary_deployment,
    conversion,
    errors,
    gauge,
    latency,
)


def lines(manifest: Manifest) -> list[str]:
    """What is wrong with a manifest, as people are told."""
    with pytest.raises(pydantic.ValidationError) as refusal:
        MODELS[manifest["kind"]].model_validate(manifest)
    return [str(problem) for problem in explain(refusal.value)]


@pytest.mark.parametrize("name", GOOD)
def test_good_manifests_are_read(name: str) -> None:
    MODELS[GOOD[name]["kind"]].model_validate(GOOD[name])


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.why)
def test_bad_manifests_are_refused_by_field(bad: Bad) -> None:  # I9
    assert any(line.startswith(bad.field) for line in lines(bad.manifest))


def test_what_the_operator_does_not_read_of_an_object_is_no_error() -> None:
    manifest = canary_deployment()
    manifest["metadata"] |= {"uid": "u", "generation": 2, "resourceVersion": "7", "managedFields": [{}]}
    manifest["status"] = {"phase": "Holding", "fromALaterVersion": 1}
    canary = CanaryDeployment.model_validate(manifest)
    assert (canary.metadata.uid, canary.metadata.generation, canary.metadata.resource_version) == ("u", 2, "7")
    assert canary.status.phase == "Holding"


class TestExplanations:
    def test_they_name_the_very_step(self) -> None:
        ladder = [LADDER[0], {"weight": 25, "window": "15m"}, {"weight": 20, "window": "1s"}, LADDER[-1]]
        assert lines(canary_deployment(ladder=ladder)) == [
            "spec.ladder[2].weight: each weight must be greater than the one before",
            "spec.ladder[2].window: each window must be at least the interval, but for that of weight 100",
        ]

    def test_they_say_what_is_missing_and_what_is_too_much(self) -> None:
        manifest = canary_deployment(laddder=[])
        del manifest["spec"]["stable"]
        assert lines(manifest) == [
            "spec.stable: is required",
            "spec.laddder: is not a field; look at kubectl explain for those that are",
        ]

    def test_they_speak_of_manifests_and_not_of_python(self) -> None:
        manifest = canary_deployment(interval=15, ladder=[])
        manifest["spec"]["traffic"]["virtualServices"] = [{"name": "A"}]
        manifest["spec"]["traffic"]["onDrift"] = "ignore"
        assert lines(manifest) == [
            "spec.traffic.virtualServices[0].name: must match pattern "
            r"'^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'",
            "spec.traffic.onDrift: must be 'repair' or 'respect'",
            "spec.ladder: must have at least 1 item",
            "spec.interval: must be a duration such as 15s, 15m, 1h30m or 50ms",
        ]

    def test_they_never_repeat_a_credential(self) -> None:  # I10
        manifest = canary_deployment(prometheus={"address": "http://me:hunter2@prometheus:9090"})
        assert "hunter2" not in " ".join(lines(manifest))


class TestDefaults:
    def test_without_a_policy_the_error_rate_may_rise_by_two_points(self) -> None:  # R23
        assert [metric.name for metric in DEFAULT_POLICY.metrics] == ["error-rate"]
        assert DEFAULT_POLICY.metrics[0].tolerance == Regression(absolute=0.02)
        assert (DEFAULT_POLICY.false_rollback, DEFAULT_POLICY.false_promotion) == (0.01, 0.05)
        assert DEFAULT_POLICY.spike.error_rate == 0.10  # R08

    def test_the_margin_is_the_tolerance(self) -> None:
        assert Metric.model_validate(errors()).effective_margin == Regression(absolute=0.02)

    @pytest.mark.parametrize(
        ("template", "kind", "better"),
        [
            ("istio-errors", "proportion", "lower"),
            ("istio-success", "proportion", "higher"),
            ("istio-latency", "latency", "lower"),
        ],
    )
    def test_a_template_implies_kind_and_direction(self, template: str, kind: str, better: str) -> None:
        metric = Metric.model_validate({"name": "m", "template": template, "tolerance": {"relative": 0.1}})
        assert (metric.effective_kind, metric.effective_better) == (kind, better)

    def test_a_regression_rolls_back_but_that_of_a_gauge_only_reports(self) -> None:
        assert Metric.model_validate(errors()).effective_on_regression == "rollback"
        assert Metric.model_validate(gauge()).effective_on_regression == "report"
        assert Metric.model_validate(conversion()).effective_on_regression == "hold"


class TestProblems:
    """What passes the schema and makes no sense."""

    def found(self, **fields: object) -> list[str]:
        return [str(problem) for problem in problems(CanaryDeployment.model_validate(canary_deployment(**fields)).spec)]

    def test_a_good_spec_has_none(self) -> None:
        assert self.found() == []

    def test_subsets_that_users_keep_are_not_guessed_at(self) -> None:
        assert self.found(stable={"subset": "v1"}, canary={"subset": "v2"}) == []

    def test_a_label_that_kubernetes_refuses(self) -> None:
        canary = {"subset": "canary", "labels": {"version": "v2", "a b": "c"}}
        assert self.found(canary=canary) == ["spec.canary.labels: 'a b' is not the name of a Kubernetes label"]

    def test_a_label_that_prometheus_refuses(self) -> None:
        stable = {"subset": "stable", "metricLabels": {"app-name": "a"}}
        assert self.found(stable=stable) == [
            "spec.stable.metricLabels: 'app-name' is not the name of a label in Prometheus",
            "spec.canary.metricLabels: requests would count for both arms: {'destination_version': 'v2'} and "
            "{'app-name': 'a'} can be labels of the same series",
        ]

    def test_labels_that_istios_metrics_do_not_carry(self) -> None:
        canary = {"subset": "canary", "labels": {"track": "canary"}}
        stable = {"subset": "stable", "labels": {"track": "stable"}}
        assert self.found(stable=stable, canary=canary) == [
            f"spec.{arm}.metricLabels: is required where spec.{arm}.labels has no `version`: Istio's metrics tell "
            "versions apart by it"
            for arm in ("stable", "canary")
        ]

    def test_arms_that_differ_in_the_mesh_and_not_in_its_metrics(self) -> None:
        canary = {"subset": "canary", "labels": {"version": "v1", "track": "canary"}}
        stable = {"subset": "stable", "labels": {"version": "v1", "track": "stable"}}
        assert self.found(stable=stable, canary=canary) == [
            "spec.canary.metricLabels: requests would count for both arms: {'destination_version': 'v1'} and "
            "{'destination_version': 'v1'} can be labels of the same series"
        ]

    @pytest.mark.parametrize("regex", ["(", "a(?=b)", "(?<!a)b", r"(a)\1", "a*+", "a{1001}", r"a\Z"])
    def test_a_regular_expression_that_envoy_refuses(self, regex: str) -> None:
        traffic = canary_deployment()["spec"]["traffic"]
        audience = [{"header": "x-a", "exact": "1"}, {"header": "x-b", "exact": "1", "also": []}]
        audience[1]["also"] = [{"header": "x-c", "regex": regex}]
        assert self.found(traffic={**traffic, "audience": audience}) == [
            "spec.traffic.audience[1]: the regex for header 'x-c' is not one of RE2, which Envoy reads"
        ]


def test_a_policy_made_in_python_keeps_the_rules_too() -> None:
    with pytest.raises(pydantic.ValidationError, match="at least one must gate"):
        CanaryPolicySpec(metrics=(Metric.model_validate(latency(onRegression="report")),))


def test_parts_of_a_status_of_which_there_are_dozens_have_no_dictionary_and_keep_unknown_fields_out() -> None:
    written = {"metric": "error-rate", "query": "up", "ofALaterVersion": True}
    (query,) = CanaryDeploymentStatus.model_validate({"queries": [written]}).queries
    assert query == QueryStatus(metric="error-rate", query="up")
    for part in (ArmStatus, ConditionStatus, QueryStatus, RecordStatus, RowStatus):
        assert "__slots__" in vars(part)


def test_the_name_that_no_metric_may_take_is_the_guards() -> None:
    assert metric.GUARD == judge.GUARD
