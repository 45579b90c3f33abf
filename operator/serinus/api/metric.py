"""A metric of a policy: what is compared, and how much worse than the stable's the canary's may be."""

from typing import Annotated, Literal

from pydantic import Field

from serinus.api.kinds import (
    BETTER_CEL,
    COUNTING_FAILURES,
    KIND_FORMS,
    KIND_QUERIES,
    QUERIES_FIT_CEL,
    REPORTING,
    TEMPLATE_BETTER,
    TEMPLATE_KIND,
    Better,
    Kind,
    Template,
    forms_fit_cel,
    implied_cel,
    where_kind_cel,
)
from serinus.api.lists import Atomic, Distinct
from serinus.api.names import DnsLabel, PrometheusLabel, PromQL
from serinus.api.regression import Regression, covers_cel, is_zero_cel
from serinus.api.rules import Ruled, rule

OnRegression = Literal["rollback", "hold", "report"]
StatusCode = Annotated[str, Field(pattern="^[1-5](xx|[0-9][0-9])$", max_length=3)]
GrpcStatus = Annotated[int, Field(strict=True, ge=0, le=16)]
Quantile = Annotated[float, Field(strict=True, gt=0, lt=1)]

GUARD = "error-guard"
"""The name of the guard's row (R08), which no metric may take."""

DEFAULT_QUANTILES = (0.5, 0.9, 0.99, 0.999)
"""The quantiles of a latency metric that names none (R19)."""

LAST_GATE = 0.99
"""Quantiles above this one only report unless `gates` names them: they need thousands of requests a step."""


class Failures(Ruled):
    """Which answers count as failed requests."""

    codes: Annotated[tuple[StatusCode, ...], Field(min_length=1, max_length=32), Atomic()] | None = Field(
        default=None, description="HTTP statuses, or classes of them: 503, 5xx. Absent: 5xx."
    )
    grpc: Annotated[tuple[GrpcStatus, ...], Field(min_length=1, max_length=17), Atomic()] | None = Field(
        default=None,
        description="gRPC statuses by number. Absent: 2, 4, 12, 13, 14, 15, those that a server is to blame for.",
    )

    @rule(cel="has(self.codes) || has(self.grpc)")
    def _names_some(self) -> bool:
        """at least one of codes and grpc is required"""
        return bool(self.given)


class Query(Ruled):
    """PromQL that counts a metric; which queries depends on its kind. docs/metrics.md says what each may be."""

    events: PromQL | None = Field(
        default=None, description="Of a proportion or rate: the events, for example errors, hits or conversions."
    )
    total: PromQL | None = Field(default=None, description="Of a proportion: all requests. Of a rate: the exposure.")
    classes: PromQL | None = Field(default=None, description="Of a distribution: counts by the label that `by` names.")
    buckets: PromQL | None = Field(default=None, description="Of a latency: cumulative histogram buckets.")
    value: PromQL | None = Field(default=None, description="Of a gauge: its value.")


class Metric(Ruled):
    """A metric, where it comes from, and the regression that is tolerable."""

    name: DnsLabel = Field(description="Names its row in the comparison.")
    template: Template | None = Field(
        default=None, description="A metric that Istio measures of every service; implies the kind. Or give query."
    )
    kind: Kind | None = Field(
        default=None,
        description="proportion (errors, cache hits, conversions), latency (histogram), distribution (categories), "
        "rate (events per exposure) or gauge (memory, queue depth). Required with query.",
    )
    query: Query | None = Field(default=None, description="A metric of your own, as PromQL. Or give template.")
    by: PrometheusLabel | None = Field(default=None, description="Of a distribution: the label that names the class.")
    unit: Literal["s", "ms"] | None = Field(
        default=None, description="Of a latency with query: the unit of its buckets, s or ms. Absent: s."
    )
    failures: Failures | None = Field(
        default=None, description="Of istio-errors and istio-success: which answers count as failed."
    )
    quantiles: Annotated[tuple[Quantile, ...], Field(min_length=1, max_length=8), Distinct()] | None = Field(
        default=None,
        description="Of a latency: the quantiles to compare, each between 0 and 1. Absent: 0.5, 0.9, 0.99, 0.999.",
    )
    gates: Annotated[tuple[Quantile, ...], Field(min_length=1, max_length=8), Distinct()] | None = Field(
        default=None, description="Of a latency: the quantiles that can block or roll back. Absent: those up to 0.99."
    )
    better: Better | None = Field(
        default=None,
        description="Which direction is an improvement: higher or lower. Absent: the template's, else lower.",
    )
    tolerance: Regression = Field(description="The regression beyond which the canary is rolled back.")
    margin: Regression | None = Field(
        default=None, description="The regression that a promotion must rule out. Absent: the tolerance."
    )
    on_regression: OnRegression | None = Field(
        default=None,
        description="On a regression beyond the tolerance: rollback, hold (block promotion) or report (only show "
        "it). Absent: rollback; report for a gauge and for istio-throughput.",
    )

    @property
    def effective_kind(self) -> Kind:
        """The kind as given, else the template's."""
        kind = self._kind
        assert kind is not None, "the rules demand a kind with a query"
        return kind

    @property
    def effective_better(self) -> Better:
        """The direction as given, else the template's, else lower."""
        return self.better or (TEMPLATE_BETTER[self.template] if self.template else "lower")

    @property
    def effective_margin(self) -> Regression:
        """The margin as given, else the tolerance."""
        return self.margin or self.tolerance

    @property
    def effective_on_regression(self) -> OnRegression:
        """What a regression leads to, as given, else by the kind."""
        return self.on_regression or ("report" if self._reports_by_itself else "rollback")

    @property
    def is_gating(self) -> bool:
        """Whether it can block a promotion or roll back."""
        return self.on_regression != "report" if self.on_regression else not self._reports_by_itself

    @property
    def effective_quantiles(self) -> tuple[float, ...]:
        """The quantiles as given, else R19's."""
        return self.quantiles or DEFAULT_QUANTILES

    @property
    def effective_gates(self) -> tuple[float, ...]:
        """The quantiles that can block and roll back: as given, else those up to 0.99."""
        return self.gates or tuple(each for each in self.effective_quantiles if each <= LAST_GATE)

    @property
    def _reports_by_itself(self) -> bool:
        return self._kind == "gauge" or self.template in REPORTING

    @property
    def _kind(self) -> Kind | None:
        return self.kind or (TEMPLATE_KIND[self.template] if self.template else None)

    @rule("name", cel=f"self.name != '{GUARD}'")
    def _name_is_free(self) -> bool:
        """must not be error-guard, the name of the guard that every policy has"""
        return self.name != GUARD

    @rule("template", cel="has(self.template) != has(self.query)")
    def _one_source(self) -> bool:
        """exactly one of template and query is required"""
        return (self.template is None) != (self.query is None)

    @rule("kind", cel="!has(self.query) || has(self.kind)")
    def _query_has_kind(self) -> bool:
        """is required with query"""
        return self.query is None or self.kind is not None

    @rule("kind", cel=f"!has(self.kind) || !has(self.template) || self.kind == {implied_cel(TEMPLATE_KIND)}")
    def _kind_is_the_templates(self) -> bool:
        """must be the kind that the template implies, or absent"""
        return self.template is None or self.kind in (None, TEMPLATE_KIND[self.template])

    @rule("better", cel=f"!has(self.better) || !has(self.template) || self.better == {implied_cel(TEMPLATE_BETTER)}")
    def _direction_is_the_templates(self) -> bool:
        """must be the direction that the template implies (istio-success: higher, else lower), or absent"""
        return self.template is None or self.better in (None, TEMPLATE_BETTER[self.template])

    @rule("query", cel=QUERIES_FIT_CEL)
    def _query_fits_kind(self) -> bool:
        """proportion and rate take events and total, latency buckets, distribution classes, gauge value"""
        return self.query is None or self.kind is None or set(self.query.given) == set(KIND_QUERIES[self.kind])

    @rule("tolerance", cel=forms_fit_cel("self.tolerance"))
    def _tolerance_fits_kind(self) -> bool:
        """proportion takes absolute and relative, latency duration and relative, distribution totalVariation,
        rate and gauge relative"""
        return self._forms_fit(self.tolerance)

    @rule("margin", cel=f"!has(self.margin) || ({forms_fit_cel('self.margin')})")
    def _margin_fits_kind(self) -> bool:
        """proportion takes absolute and relative, latency duration and relative, distribution totalVariation,
        rate and gauge relative"""
        return self._forms_fit(self.margin)

    @rule(
        "margin",
        cel=f"!{is_zero_cel('self.tolerance')} || (has(self.margin) && !{is_zero_cel('self.margin')})",
    )
    def _zero_tolerance_has_margin(self) -> bool:
        """must be given and above 0 where the tolerance is 0: an identical canary could never be promoted"""
        return not self.tolerance.is_zero or (self.margin is not None and not self.margin.is_zero)

    @rule("margin", cel=f"!has(self.margin) || {covers_cel('self.margin', 'self.tolerance')}")
    def _margin_covers_tolerance(self) -> bool:
        """must not be smaller than the tolerance in any form (one that is absent is 0)"""
        return self.effective_margin.covers(self.tolerance)

    @rule("better", cel=f"{BETTER_CEL} == 'lower' || " + where_kind_cel("kind in ['proportion', 'rate', 'gauge']"))
    def _higher_is_better_of_some(self) -> bool:
        """higher can be better of a proportion, rate or gauge only"""
        return self.effective_better == "lower" or self._kind in ("proportion", "rate", "gauge", None)

    @rule(
        cel=f"{BETTER_CEL} == 'lower' || ((!has(self.tolerance.relative) || self.tolerance.relative < 1.0) && "
        "(!has(self.margin) || !has(self.margin.relative) || self.margin.relative < 1.0))",
    )
    def _higher_loses_less_than_all(self) -> bool:
        """tolerance.relative and margin.relative must be below 1 where higher is better: 1 is to lose all"""
        sizes = (self.tolerance.relative or 0, self.effective_margin.relative or 0)
        return self.effective_better == "lower" or max(sizes) < 1

    @rule("quantiles", cel="!has(self.quantiles) || " + where_kind_cel("kind == 'latency'"))
    def _quantiles_of_latency(self) -> bool:
        """only a latency has quantiles"""
        return self.quantiles is None or self._kind in ("latency", None)

    @rule("gates", cel="!has(self.gates) || " + where_kind_cel("kind == 'latency'"))
    def _gates_of_latency(self) -> bool:
        """only a latency has gates"""
        return self.gates is None or self._kind in ("latency", None)

    @rule(
        "gates",
        cel="!has(self.gates) || self.gates.all(gate, gate in "
        f"(has(self.quantiles) ? self.quantiles : {list(DEFAULT_QUANTILES)}))",
    )
    def _gates_are_quantiles(self) -> bool:
        """must be among the quantiles"""
        return set(self.gates or ()) <= set(self.effective_quantiles)

    @rule(
        "gates",
        cel=f"!has(self.quantiles) || has(self.gates) || self.quantiles.exists(each, each <= {LAST_GATE}) || "
        "(has(self.onRegression) && self.onRegression == 'report')",
    )
    def _some_quantile_gates(self) -> bool:
        """is required where every quantile is above 0.99, for those only report by themselves"""
        chosen = self.gates or [each for each in self.effective_quantiles if each <= LAST_GATE]
        return bool(chosen) or self.on_regression == "report"

    @rule("by", cel=where_kind_cel("has(self.by) == (kind == 'distribution')"))
    def _by_of_distribution(self) -> bool:
        """is required for a distribution, and for nothing else"""
        return self._kind is None or (self.by is not None) == (self._kind == "distribution")

    @rule("unit", cel="!has(self.unit) || (has(self.query) && has(self.query.buckets))")
    def _unit_of_buckets(self) -> bool:
        """only buckets of your own have a unit: Istio's are known"""
        return self.unit is None or (self.query is not None and self.query.buckets is not None)

    @rule("failures", cel=f"!has(self.failures) || (has(self.template) && self.template in {list(COUNTING_FAILURES)})")
    def _failures_of_answers(self) -> bool:
        """only istio-errors and istio-success tell failures from other answers"""
        return self.failures is None or self.template in COUNTING_FAILURES

    @rule(
        "onRegression",
        cel="!has(self.onRegression) || self.onRegression == 'report' || "
        f"!has(self.template) || !(self.template in {list(REPORTING)})",
    )
    def _some_only_report(self) -> bool:
        """istio-throughput only reports: where the traffic goes says nothing about the release"""
        return self.template not in REPORTING or self.on_regression in (None, "report")

    def _forms_fit(self, regression: Regression | None) -> bool:
        if regression is None or self._kind is None:
            return True
        return set(regression.given) <= set(KIND_FORMS[self._kind])
