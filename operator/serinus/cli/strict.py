"""JSON taken at its word: models and types for input where a slip of the pen must not pass for a number."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

MOST = 10**12
"""The largest count: far beyond any traffic, and far within what a float counts exactly."""

TOLD = "told"
"""Type of the pydantic error that says, in its message, what the value must be."""

_LARGEST = 10**18  # of a level: bytes of memory fit, and sums of any number of them are finite
_SHOWN = 40  # characters of a bad value in its message


class Strict(BaseModel):
    """No unknown fields, and no "7", 7.0 or true where a whole number is meant."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


@dataclass(frozen=True)
class Told:
    """One sentence for whatever is wrong with a value: what it must be. Annotates its type, after the bounds."""

    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Say that and nothing else."""
        return core_schema.custom_error_schema(handler(source), custom_error_type=TOLD, custom_error_message=self.words)


Whole = Annotated[int, Field(ge=0, le=MOST), Told(f"must be a whole number from 0 to {MOST}")]
"""A count."""

Amount = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False), Told(f"must be a number from 0 to {MOST}")]
"""What events are counted against, in a unit of the user's choice."""

Level = Annotated[
    float,
    Field(ge=-_LARGEST, le=_LARGEST, allow_inf_nan=False),
    Told(f"must be a number from -{_LARGEST} to {_LARGEST}"),
]
"""A value that rises and falls, in a unit of the user's choice."""

Word = Annotated[str, Told("must be a string")]
"""Any text."""


def shown(value: object) -> str:
    """A value as the input has it, no longer than a message can bear."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return json.dumps(value, ensure_ascii=False)[:_SHOWN]
