"""The ladder: the weights that a rollout climbs, and how long each is observed."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from serinus.api.lists import Atomic
from serinus.api.quantity import Duration
from serinus.api.rules import Ruled


class Step(Ruled):
    """A weight with its observation window."""

    weight: int = Field(strict=True, ge=1, le=100, description="Percent of the traffic meant for the canary.")
    window: Duration = Field(
        description="The least time that the step is observed before it can be promoted: a duration such as 15m."
    )
    gate: Literal["manual"] | None = Field(
        default=None, description="manual: the step also waits for a person's approval before it is promoted."
    )


Ladder = Annotated[tuple[Step, ...], Field(min_length=1, max_length=20), Atomic()]

_QUARTER = timedelta(minutes=15)
DEFAULT_LADDER = (
    *(Step(weight=weight, window=_QUARTER) for weight in (10, 25, 50, 75)),
    Step(weight=100, window=timedelta()),
)
"""The ladder of a CanaryDeployment that declares none (R03)."""
