"""One line of evidence: from text to both arms' samples, or to what is wrong with it and in which field."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from serinus.api.kinds import Kind
from serinus.cli.arm_evidence import SHAPES, ArmEvidence
from serinus.cli.comparable import comparable
from serinus.cli.strict import TOLD, Strict, Whole, Word, shown
from serinus.judge.evidence import Histogram, Sample


@dataclass(frozen=True, slots=True)
class Line:
    """What was counted of a metric in both arms in one tick of one rollout. `tick` and `step` count from 0."""

    rollout: str
    metric: str
    tick: int
    step: int
    canary: Sample
    stable: Sample


class BadLine(Exception):
    """What is wrong with a line: the field, if it is one, and why."""


def parse_line(raw: str, kinds: Mapping[str, Kind]) -> Line:
    """The line that `raw` is; `kinds` has the policy's metrics by name.

    Raises BadLine where it is malformed, about another metric, or not of its metric's kind.
    """
    written = _checked(_Written, _object(raw), "a line")
    kind = kinds.get(written.metric)
    if kind is None:
        raise BadLine(f"metric: {shown(written.metric)} is not in the policy, which has {', '.join(kinds)}")
    arms = (_arm(written.canary, kind, "canary"), _arm(written.stable, kind, "stable"))
    canary, stable = comparable(arms[0].sample(), arms[1].sample())
    if isinstance(canary, Histogram) and len(canary.bounds) == 1:
        raise BadLine("stable.buckets: has no bound in common with canary.buckets but +Inf")
    return Line(written.rollout, written.metric, written.tick, written.step, canary, stable)


def _printable(name: str) -> str:
    if not name or not name.isprintable():
        raise PydanticCustomError("name", "must be a name of printable characters")
    return name


class _Written(Strict):
    """A line as it is written. What an arm looks like depends on the metric."""

    rollout: Annotated[Word, AfterValidator(_printable)]
    metric: Word
    tick: Whole
    step: Whole
    canary: Any
    stable: Any


def _object(raw: str) -> dict[str, Any]:
    try:
        given = _DECODER.decode(raw)
        if "\\u" in raw:  # an escape can write what no text has, and no message could show
            json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadLine(f"not JSON: {ascii(error.object[error.start])[1:-1]} is half of a character") from error
    except json.JSONDecodeError as error:
        raise BadLine(f"not JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets within brackets
        raise BadLine("not JSON of a reasonable size") from error
    if not isinstance(given, dict):
        raise BadLine("must be a JSON object")
    return given


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object, unless a field is given twice: JSON does not say which of them holds."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise BadLine(f"{twice}: is given twice")
    return fields


_DECODER = json.JSONDecoder(object_pairs_hook=_fields)


def _arm(given: object, kind: Kind, name: str) -> ArmEvidence:
    return _checked(SHAPES[kind], given, f"a {kind}'s evidence", name)


_Model = TypeVar("_Model", bound=Strict)


def _checked(model: type[_Model], given: object, owner: str, *place: str) -> _Model:
    """`given`, found at `place` in the line, as `model`, which people know as `owner`."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        # A misspelt field is missing as well: its own name says more.
        detail = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        field = _path((*place, *detail["loc"]))
        raise BadLine(f"{field}: {_explain(detail, owner, ', '.join(model.model_fields))}") from error


_MAPS = ("buckets", "classes")  # fields whose own fields are names of the user's choice


def _path(location: tuple[int | str, ...]) -> str:
    """`canary.buckets["0.5"]`, `canary.values[2]`."""
    path = ""
    for parent, part in zip(("", *location), location, strict=False):
        path += f"[{shown(part)}]" if isinstance(part, int) or parent in _MAPS else f".{part}"
    return path.removeprefix(".")


def _explain(detail: ErrorDetails, owner: str, fields: str) -> str:
    if detail["type"] == "missing":
        return "is required"
    if detail["type"] == "extra_forbidden":
        return f"is not a field of {owner}, which has {fields}"
    wanted = {
        TOLD: detail["msg"],
        "dict_type": "must be an object",
        "list_type": "must be a list",
        "model_type": f"must be an object with {fields}",
    }.get(detail["type"])
    return f"{wanted}, not {shown(detail['input'])}" if wanted else detail["msg"]
