"""Evidence in a file: JSON lines, one per metric and tick, in order of time; all of it valid, or none."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from serinus.cli.inputs import InputError

_MOST = 10**12  # far beyond any traffic, and far within what a float counts exactly
_SHOWN = 40  # characters of a bad value in its message

Whole = Annotated[int, Field(ge=0, le=_MOST)]


class _Strict(BaseModel):
    """No unknown fields, and no "7", 7.0 or true where a whole number is meant."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ArmCounts(_Strict):
    """One arm's requests in one tick (`n`) and how many of them were events (`x`)."""

    n: Whole
    x: Whole

    @field_validator("x")
    @classmethod
    def _events_are_requests(cls, x: int, info: ValidationInfo) -> int:
        n = info.data.get("n", _MOST)  # absent where n itself is wrong
        if x > n:
            raise PydanticCustomError("events", "{x} is more than n ({n})", {"x": x, "n": n})
        return x


class Line(_Strict):
    """A proportion's counts of both arms in one tick of one rollout. `tick` and `step` count from 0."""

    rollout: str
    metric: str
    tick: Whole
    step: Whole
    canary: ArmCounts
    stable: ArmCounts

    @field_validator("rollout")
    @classmethod
    def _can_be_shown(cls, rollout: str) -> str:
        if not rollout or not rollout.isprintable():
            raise PydanticCustomError("name", "must be a name of printable characters")
        return rollout


class _BadLine(Exception):
    """What is wrong with a line: the field, if it is one, and why."""


def parse_evidence(text: str, source: str, metrics: Collection[str]) -> tuple[Line, ...]:
    """The lines of `text`, read from the file `source`, in their order; `metrics` are the policy's names.

    Raises InputError, which names the line and the field, for the first line that is malformed, is about another
    metric, or is out of its rollout's order: ticks rise, steps never fall, a tick has one line of a metric.
    """
    if not text:
        raise InputError(f"{source}: is empty; evidence is JSON lines, one per metric and tick")
    lines: list[Line] = []
    newest: dict[str, tuple[Line, ...]] = {}  # by rollout: the lines of its newest tick
    for number, raw in enumerate(text.removesuffix("\n").split("\n"), start=1):
        try:
            line = _line(raw)
            _check_metric(line, metrics)
            newest[line.rollout] = _next(newest.get(line.rollout, ()), line)
        except _BadLine as problem:
            raise InputError(f"{source} line {number}: {problem}") from problem
        lines.append(line)
    return tuple(lines)


def _line(raw: str) -> Line:
    try:
        given = json.loads(raw, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise _BadLine(f"not JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets within brackets
        raise _BadLine("not JSON of a reasonable size") from error
    if not isinstance(given, dict):
        raise _BadLine("must be a JSON object")
    try:
        return Line.model_validate(given)
    except ValidationError as error:
        # A misspelt field is missing as well: its own name says more.
        details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
        raise _BadLine(_explain(details[0])) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object, unless a field is given twice: JSON does not say which of them holds."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise _BadLine(f"{twice}: is given twice")
    return fields


_WHOLE = f"must be a whole number from 0 to {_MOST}"
_WORDS = {
    "int_type": _WHOLE,
    "greater_than_equal": _WHOLE,
    "less_than_equal": _WHOLE,
    "string_type": "must be a string",
    "model_type": "must be an object with n and x",
}


def _explain(detail: ErrorDetails) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{field}: is required"
    if detail["type"] == "extra_forbidden":
        return f"{field}: is not a field of a proportion's evidence"
    if detail["type"] in _WORDS:
        return f"{field}: {_WORDS[detail['type']]}, not {_shown(detail['input'])}"
    return f"{field}: {detail['msg']}"


def _shown(value: Any) -> str:
    """A value as the line has it, no longer than a message can bear."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return json.dumps(value, ensure_ascii=False)[:_SHOWN]


def _check_metric(line: Line, metrics: Collection[str]) -> None:
    if line.metric not in metrics:
        raise _BadLine(f"metric: {_shown(line.metric)} is not in the policy, which has {', '.join(metrics)}")


def _next(newest: Sequence[Line], line: Line) -> tuple[Line, ...]:
    """The lines of the rollout's newest tick once `line` has followed; `newest` has those before, none at the start."""
    if not newest:
        return (line,)
    last = newest[-1]
    if line.tick < last.tick:
        raise _BadLine(f"tick: {line.tick} after {last.tick}; the ticks of a rollout must rise")
    if line.step < last.step:
        raise _BadLine(f"step: {line.step} after {last.step}; the steps of a rollout never fall")
    if line.tick > last.tick:
        return (line,)
    if line.step > last.step:
        raise _BadLine(f"step: {line.step} in tick {line.tick}, which is of step {last.step}")
    if any(each.metric == line.metric for each in newest):
        raise _BadLine(f"tick: {line.tick} has evidence of {line.metric} already")
    return (*newest, line)
