"""The warm-up: what the canary gets before any traffic that counts (R09)."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from serinus.api.lists import Atomic
from serinus.api.quantity import AtLeast, Duration
from serinus.api.rules import Ruled


class WarmUpRequest(Ruled):
    """A request that is sent to each of the canary's endpoints before any user's."""

    path: Annotated[str, Field(pattern=r"^/[^\s]*$", max_length=2048)] = Field(description="Path and query.")
    body: Annotated[str, Field(max_length=16384)] | None = Field(
        default=None, description="Sent as JSON with POST. Absent: GET."
    )
    count: int = Field(default=1, strict=True, ge=1, le=1000, description="How many times, for each endpoint.")
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] | None = Field(
        default=None, description="The service's port. Absent: its first that is called http, else its first."
    )


class WarmUp(Ruled):
    """What the canary gets before any traffic that counts (R09)."""

    # With no rule at all on a duration, the API server would accept [] for one.
    duration: Annotated[Duration, AtLeast("0s")] = Field(
        default=timedelta(seconds=30), description="How long it takes at least: a duration such as 30s."
    )
    requests: Annotated[tuple[WarmUpRequest, ...], Field(min_length=1, max_length=16), Atomic()] | None = Field(
        default=None,
        description="Requests sent to the canary's endpoints meanwhile. Each must be answered with a status below 400, "
        "or the rollout ends before any user met it.",
    )
