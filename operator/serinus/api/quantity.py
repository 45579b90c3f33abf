"""Durations as Kubernetes writes them: 15s, 15m, 1h30m, 50ms, 0s."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# Whole numbers, largest unit first: a part of what Go, and so the API server, reads; bounded, lest it overflow there.
_PATTERN = r"^([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,7}s)?([0-9]{1,9}ms)?$"
_SHORTEST = len("0s")
_LONGEST = 32
_UNITS = (
    ("h", timedelta(hours=1)),
    ("m", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
    ("ms", timedelta(milliseconds=1)),
)


def parse_duration(text: str) -> timedelta:
    """The duration that `text` writes, for example 1h30m. Raises ValueError for anything else."""
    found = re.fullmatch(_PATTERN, text)
    if found is None or not _SHORTEST <= len(text) <= _LONGEST:
        raise ValueError(f"{text!r} is not a duration such as 15s, 15m, 1h30m or 50ms")
    parts = zip(found.groups(), _UNITS, strict=True)
    return sum((int(part.removesuffix(unit)) * size for part, (unit, size) in parts if part), timedelta())


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back as `duration`, to the millisecond."""
    text = ""
    for unit, size in _UNITS:
        count, duration = divmod(duration, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _read(given: object) -> timedelta:
    if isinstance(given, timedelta):
        return given
    try:
        return parse_duration(given if isinstance(given, str) else "")
    except ValueError as error:
        raise PydanticCustomError("duration", "must be a duration such as 15s, 15m, 1h30m or 50ms") from error


Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(format_duration, return_type=str),
    # The format makes it a duration for CEL too; the pattern keeps out what only the API server would read (1 day).
    WithJsonSchema(
        {"type": "string", "format": "duration", "pattern": _PATTERN, "minLength": _SHORTEST, "maxLength": _LONGEST}
    ),
]
"""A timedelta in Python, a string such as 15s in a manifest."""


@dataclass(frozen=True)
class AtLeast:
    """The least value of a Duration, as text; annotates one."""

    least: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse less."""
        return core_schema.no_info_after_validator_function(self._refuse_less, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Let the API server refuse less."""
        cel = f"self >= duration('{self.least}')"
        return {**handler(core), "x-kubernetes-validations": [{"rule": cel, "message": self._message}]}

    @property
    def _message(self) -> str:
        return f"must be at least {self.least}"

    def _refuse_less(self, duration: timedelta) -> timedelta:
        if duration < parse_duration(self.least):
            raise PydanticCustomError("too_short", "{told}", {"told": self._message})
        return duration
