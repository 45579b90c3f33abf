"""Names, labels and addresses as Kubernetes, Istio and Prometheus spell them, each with a bound on its length."""

from typing import Annotated

from pydantic import Field, StringConstraints

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

DnsLabel = Annotated[str, StringConstraints(pattern=f"^{_LABEL}$", max_length=63)]
"""A name of lower-case letters, digits and dashes."""

Subdomain = Annotated[str, StringConstraints(pattern=rf"^{_LABEL}(\.{_LABEL})*$", max_length=253)]
"""The name of an object in Kubernetes, or a host: DnsLabels joined by dots."""

ObjectPath = Annotated[str, StringConstraints(pattern=rf"^({_LABEL}/)?{_LABEL}(\.{_LABEL})*$", max_length=317)]
"""An object's name, with its namespace before it where that is another one: edge/predictor."""

LabelValue = Annotated[str, StringConstraints(pattern="^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", max_length=63)]
"""The value of a Kubernetes label."""

HeaderName = Annotated[str, StringConstraints(pattern="^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$", max_length=128)]
"""The name of an HTTP header, in lower case, as Envoy has it."""

CookieName = Annotated[str, StringConstraints(pattern=r"^[-A-Za-z0-9!#$%&'*+.^_`|~]+$", max_length=128)]
"""The name of an HTTP cookie."""

PrometheusLabel = Annotated[str, StringConstraints(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=128)]
"""The name of a label in Prometheus."""

PromQL = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
"""A query in PromQL."""

Text = Annotated[str, StringConstraints(max_length=253)]
"""A short text of the user's choice."""

HeaderText = Annotated[str, StringConstraints(min_length=1, max_length=253)]
"""What a header's value is compared with."""

# No user:password@, no query: an address is printed in logs and status, and they must hold no credentials (I10).
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$", max_length=2048)]
"""An http or https address without credentials, query or fragment."""

# The keys are free strings to the schema, which has no words for them; sense.py looks at them.
Labels = Annotated[dict[str, LabelValue], Field(min_length=1, max_length=16)]
"""Kubernetes labels: at least one."""

MetricLabels = Annotated[dict[str, Text], Field(min_length=1, max_length=16)]
"""Labels of series in Prometheus: at least one."""
