"""Where the traffic is split: the arms, the Istio objects, and who may see the canary."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from serinus.api.lists import Atomic, Distinct
from serinus.api.names import (
    CookieName,
    DnsLabel,
    HeaderName,
    HeaderText,
    Labels,
    MetricLabels,
    ObjectPath,
    Subdomain,
    Text,
)
from serinus.api.rules import Ruled, rule


class Arm(Ruled):
    """Stable or canary: a subset of the DestinationRule, and how its pods and its series are told from the other's."""

    subset: DnsLabel = Field(description="The subset's name in the DestinationRule.")
    labels: Labels | None = Field(
        default=None, description="Pod labels: Serinus keeps that subset. Absent: the subset must exist."
    )
    metric_labels: MetricLabels | None = Field(
        default=None, description="Labels of the arm's series in Prometheus, where destination_version is not it."
    )

    def series_labels(self, pod_labels: Mapping[str, str]) -> dict[str, str] | None:
        """The labels of the arm's series: metricLabels, else destination_version, which Istio takes from the pods.

        None where pods with these labels have no version.
        """
        if self.metric_labels is not None:
            return self.metric_labels
        return {"destination_version": pod_labels["version"]} if "version" in pod_labels else None


def contradict(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether nothing can have both sets of labels: one of them gives a label of the other's another value."""
    return any(name in other and other[name] != value for name, value in one.items())


class VirtualServiceRef(Ruled):
    """A VirtualService whose weights are moved."""

    name: ObjectPath = Field(
        description="Its name; of another namespace: NAMESPACE/NAME, where its annotation serinus.io/allow-from must "
        "name the CanaryDeployment's namespace."
    )
    routes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=32), Distinct()] | None = Field(
        default=None,
        description="Names of its routes; one without a name is http[0], tls[0] or tcp[0]. Absent: every route that "
        "names the host.",
    )

    def key(self, namespace: str) -> tuple[str, str]:
        """Its namespace and name, for a CanaryDeployment in `namespace`."""
        other, _, name = self.name.rpartition("/")
        return other or namespace, name


class Cohort(Ruled):
    """Sticky users: a user's arm is a function of an id, and the canary's cohort only grows."""

    header: HeaderName | None = Field(
        default=None, description="The request header that holds the user's id, lower case."
    )
    cookie: CookieName | None = Field(default=None, description="The cookie that holds the user's id.")
    by: Literal["hash", "setCookie"] = Field(
        default="hash",
        description="hash: Envoy (1.36 or newer) chooses by a hash of the id, told so by an EnvoyFilter. setCookie: "
        "for proxies that take none, as ambient waypoints: users get an id in the cookie with this name.",
    )

    @rule(cel="has(self.header) != has(self.cookie)")
    def _one_source(self) -> bool:
        """exactly one of header and cookie is required"""
        return (self.header is None) != (self.cookie is None)

    @rule("cookie", cel="self.by != 'setCookie' || has(self.cookie)")
    def _a_cookie_to_set(self) -> bool:
        """is required with setCookie: the name of the cookie that Serinus sets"""
        return self.by != "setCookie" or self.cookie is not None


class HeaderMatch(Ruled):
    """A header of a request, and what its value must be."""

    header: HeaderName = Field(description="The header's name, lower case.")
    exact: Text | None = Field(default=None, description="Its value.")
    prefix: HeaderText | None = Field(default=None, description="What its value begins with.")
    regex: HeaderText | None = Field(default=None, description="What its whole value matches: RE2 syntax.")

    @rule(cel="[has(self.exact), has(self.prefix), has(self.regex)].filter(given, given).size() == 1")
    def _one_comparison(self) -> bool:
        """exactly one of exact, prefix and regex is required"""
        return [self.exact, self.prefix, self.regex].count(None) == 2

    @property
    def string_match(self) -> dict[str, str]:
        """The same as Istio's StringMatch."""
        given = {"exact": self.exact, "prefix": self.prefix, "regex": self.regex}
        return {kind: text for kind, text in given.items() if text is not None}


class AudienceMatch(HeaderMatch):
    """Requests that carry a header with this value, and further headers where some are given."""

    also: Annotated[tuple[HeaderMatch, ...], Field(min_length=1, max_length=8), Atomic()] | None = Field(
        default=None, description="Other headers that must match as well."
    )

    @property
    def headers(self) -> tuple[HeaderMatch, ...]:
        """All that must match."""
        return (self, *(self.also or ()))


class Traffic(Ruled):
    """Where the traffic is split."""

    host: Subdomain = Field(description="The host as the routes and the DestinationRule name it.")
    virtual_services: Annotated[tuple[VirtualServiceRef, ...], Field(min_length=1, max_length=16), Distinct("name")] = (
        Field(description="The VirtualServices whose weights are moved.")
    )
    destination_rule: Subdomain = Field(description="The DestinationRule that has the two subsets.")
    cohort: Cohort | None = Field(default=None, description="Sticky users. Absent: every request is split anew.")
    audience: Annotated[tuple[AudienceMatch, ...], Field(min_length=1, max_length=16), Atomic()] | None = Field(
        default=None,
        description="Only requests that match one of these may see the canary, until it is promoted. Absent: all.",
    )
    on_drift: Literal["repair", "respect"] = Field(
        default="repair",
        description="When someone else changes the weights: repair writes them again, respect lets them be.",
    )
