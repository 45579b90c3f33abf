"""The kinds of metric: what each can be judged by and counted by, in tables, and the CEL that is made from them."""

from collections.abc import Mapping
from typing import Literal

from serinus.api.regression import FORMS
from serinus.api.rules import named_cel

Kind = Literal["proportion", "latency", "distribution", "rate", "gauge"]
Template = Literal["istio-errors", "istio-success", "istio-latency", "istio-throughput"]
Better = Literal["higher", "lower"]

TEMPLATE_KIND: dict[Template, Kind] = {
    "istio-errors": "proportion",
    "istio-success": "proportion",
    "istio-latency": "latency",
    "istio-throughput": "rate",
}
"""The kind that each template implies."""

TEMPLATE_BETTER: dict[Template, Better] = {
    "istio-errors": "lower",
    "istio-success": "higher",
    "istio-latency": "lower",
    "istio-throughput": "lower",
}
"""The direction that each template implies."""

REPORTING: tuple[Template, ...] = ("istio-throughput",)
"""Templates that only report: where the traffic goes says nothing about the release."""

COUNTING_FAILURES: tuple[Template, ...] = ("istio-errors", "istio-success")
"""Templates that tell failed requests from others."""

KIND_FORMS: dict[Kind, tuple[str, ...]] = {
    "proportion": ("absolute", "relative"),
    "latency": ("duration", "relative"),
    "distribution": ("totalVariation",),
    "rate": ("relative",),
    "gauge": ("relative",),
}
"""The forms of a regression that a kind can be judged by, as manifests spell them."""

KIND_QUERIES: dict[Kind, tuple[str, ...]] = {
    "proportion": ("events", "total"),
    "latency": ("buckets",),
    "distribution": ("classes",),
    "rate": ("events", "total"),
    "gauge": ("value",),
}
"""The queries that a kind is counted by, as manifests spell them."""

_QUERIES = ("events", "total", "classes", "buckets", "value")


def implied_cel(table: Mapping[Template, str]) -> str:
    """CEL: what the template implies."""
    return "{" + ", ".join(f"'{template}': '{implied}'" for template, implied in table.items()) + "}[self.template]"


KIND_CEL = f"(has(self.kind) ? self.kind : has(self.template) ? {implied_cel(TEMPLATE_KIND)} : '')"
"""CEL: a metric's kind, as given or implied; empty where neither is."""

BETTER_CEL = f"(has(self.better) ? self.better : has(self.template) ? {implied_cel(TEMPLATE_BETTER)} : 'lower')"
"""CEL: a metric's direction, as given or implied."""


def where_kind_cel(condition: str) -> str:
    """CEL: the condition, which may speak of `kind`; true where the kind is not known (another rule says so)."""
    return named_cel("kind", KIND_CEL, f"kind == '' || ({condition})")


def _kinds_with(field: str, table: Mapping[Kind, tuple[str, ...]]) -> list[str]:
    return [kind for kind, fields in table.items() if field in fields]


def forms_fit_cel(path: str) -> str:
    """CEL: no form of the regression at `path` is foreign to the kind."""
    fit = " && ".join(f"(!has(size.{form}) || kind in {_kinds_with(form, KIND_FORMS)})" for form in FORMS)
    return where_kind_cel(named_cel("size", path, fit))


QUERIES_FIT_CEL = "!has(self.query) || !has(self.kind) || (" + " && ".join(
    f"has(self.query.{name}) == (self.kind in {_kinds_with(name, KIND_QUERIES)})" for name in _QUERIES
) + ")"  # fmt: skip
"""CEL: a metric's query has exactly what its kind is counted by."""
