"""Where the traffic is split: the arms, the Istio objects, and who may see the canary."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from serinus.api.lists import Atomic, Distinct
from serinus.api.names import CookieName, DnsLabel, HeaderName, Labels, MetricLabels, Subdomain, Text
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

    name: Subdomain = Field(description="Its name, in the CanaryDeployment's namespace.")
    routes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=32), Distinct()] | None = Field(
        default=None, description="Names of its routes. Absent: every route that names the host."
    )


class Cohort(Ruled):
    """Sticky users: a user's arm is a function of an id, and the canary's cohort only grows."""

    header: HeaderName | None = Field(
        default=None, description="The request header that holds the user's id, lower case."
    )
    cookie: CookieName | None = Field(default=None, description="The cookie that holds the user's id.")

    @rule(cel="has(self.header) != has(self.cookie)")
    def _one_source(self) -> bool:
        """exactly one of header and cookie is required"""
        return (self.header is None) != (self.cookie is None)


class HeaderMatch(Ruled):
    """Requests that carry a header with exactly this value."""

    header: HeaderName = Field(description="The header's name, lower case.")
    exact: Text = Field(description="Its value.")


class Traffic(Ruled):
    """Where the traffic is split."""

    host: Subdomain = Field(description="The host as the routes and the DestinationRule name it.")
    virtual_services: Annotated[tuple[VirtualServiceRef, ...], Field(min_length=1, max_length=16), Distinct("name")] = (
        Field(description="The VirtualServices whose weights are moved.")
    )
    destination_rule: Subdomain = Field(description="The DestinationRule that has the two subsets.")
    cohort: Cohort | None = Field(default=None, description="Sticky users. Absent: every request is split anew.")
    audience: Annotated[tuple[HeaderMatch, ...], Field(min_length=1, max_length=16), Atomic()] | None = Field(
        default=None, description="Only requests that match one of these may see the canary. Absent: all."
    )
    on_drift: Literal["repair", "respect"] = Field(
        default="repair",
        description="When someone else changes the weights: repair writes them again, respect lets them be.",
    )
