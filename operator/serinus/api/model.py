"""What every resource model shares: Kubernetes' spelling, immutability, no unknown fields."""

from typing import Any, TypeVar, cast, dataclass_transform

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

_NOT_ASKED: set[str] = set()

_SPELLING = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

Part = TypeVar("Part")


class Model(BaseModel):
    """A part of a resource: snake_case in Python, camelCase in manifests; immutable; unknown fields are errors."""

    model_config = ConfigDict(**_SPELLING, extra="forbid", frozen=True)

    def model_post_init(self, _: Any, /) -> None:
        """Which fields were given is asked by nobody, and to remember it takes as much as the fields do."""
        object.__setattr__(self, "__pydantic_fields_set__", _NOT_ASKED)


class Lenient(Model):
    """A part that an older or newer Serinus may have written: unknown fields are kept out, not refused."""

    model_config = ConfigDict(extra="ignore")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def slotted(part: type[Part]) -> type[Part]:
    """A Lenient part as a dataclass: a status has dozens of them, and a model takes twice as much memory and time."""
    made = dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(**_SPELLING, extra="ignore"))
    return cast(type[Part], made(part))
