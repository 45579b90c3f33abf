"""Where the evidence comes from."""

from typing import Literal

from pydantic import Field

from serinus.api.names import Url
from serinus.api.references import ObjectRef
from serinus.api.rules import Ruled


class Prometheus(Ruled):
    """Where the evidence comes from. What is absent is the operator's."""

    address: Url | None = Field(
        default=None, description="http or https address, without credentials: http://prometheus:9090."
    )
    secret_ref: ObjectRef | None = Field(
        default=None,
        description="The Secret with the credentials for the address; its keys are username and password, or "
        "token, ca.crt, tls.crt and tls.key, and header.NAME for any header.",
    )
    reporter: Literal["source", "destination", "waypoint"] | None = Field(
        default=None, description="Whose Istio metrics are read: source (gateways), destination (sidecars) or waypoint."
    )
