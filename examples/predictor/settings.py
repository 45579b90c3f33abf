"""What a predictor is told from outside: its version, its peers, and the faults that it shall show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

Share = Annotated[float, Field(ge=0, le=1)]


class Faults(BaseModel):
    """Faults shown on purpose; none by default. Can be changed while the service runs (POST /faults)."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="forbid", frozen=True)

    error_rate: Share = Field(default=0.0, description="Share of the requests that fail with status 500.")
    extra_latency_ms: float = Field(
        default=0.0, ge=0, le=10_000, description="Added to every request, in milliseconds."
    )
    label_shift: Share = Field(default=0.0, description="Share of the answers that are pos whatever the text says.")

    def changed(self, change: "Faults") -> "Faults":
        """These faults with the fields that `change` mentions; what it leaves out stays as it is."""
        return self.model_copy(update=change.model_dump(exclude_unset=True))


NO_FAULTS = Faults()


@dataclass(frozen=True)
class Settings:
    """Everything that is fixed when the service starts, and the faults that it starts with."""

    version: str = "v1"
    canary: bool = False
    peers: tuple[str, ...] = ()
    """Addresses (http://host:port) of the other versions, for /side-by-side."""
    faults: Faults = NO_FAULTS


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read VERSION, CANARY, PEERS, ERROR_RATE, EXTRA_LATENCY_MS and LABEL_SHIFT.

    Raises ValueError, naming the variable, when a value is not a number or out of its range.
    """
    variables = {
        "ERROR_RATE": "error_rate",
        "EXTRA_LATENCY_MS": "extra_latency_ms",
        "LABEL_SHIFT": "label_shift",
    }
    faults = NO_FAULTS
    for variable, field in variables.items():
        if variable not in environment:
            continue
        try:
            faults = faults.changed(Faults.model_validate({field: environment[variable]}))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise ValueError(f"environment variable {variable}={environment[variable]!r}: {reason}") from error
    return Settings(
        version=environment.get("VERSION", Settings.version),
        canary=environment.get("CANARY", "").lower() in ("1", "true", "yes"),
        peers=tuple(peer.strip() for peer in environment.get("PEERS", "").split(",") if peer.strip()),
        faults=faults,
    )
