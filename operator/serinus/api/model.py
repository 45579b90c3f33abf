"""What every resource model shares: Kubernetes' spelling, immutability, no unknown fields."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A part of a resource: snake_case in Python, camelCase in manifests; immutable; unknown fields are errors."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
    )


class Lenient(Model):
    """A part that an older or newer Serinus may have written: unknown fields are kept out, not refused."""

    model_config = ConfigDict(extra="ignore")
