"""A line of the log: a record as JSON in one form (sorted keys, no spaces) with its own hash, and what is searched for.

The hash is of the line's own text, not of a model: lines that an older Serinus wrote stay verifiable for ever.
"""

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

_TIME_DIGITS = len("2026-11-21T12:00:00.000000Z")


class LineError(ValueError):
    """A line that is not a record as it was written; the message says in what."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a table shows of a record. `time` is UTC in ISO 8601 to the microsecond, so that it sorts as text."""

    id: str
    namespace: str
    name: str
    time: str
    actor: str
    verdict: str
    reason: str
    weight_before: int
    weight_after: int


@dataclass(frozen=True, slots=True)
class Entry(Heading):
    """A record in the log, with all that is searched for and its line."""

    rollout: str
    author: str | None
    previous_hash: str
    hash: str
    line: str

    @classmethod
    def of_line(cls, line: str) -> "Entry":
        """The entry of a line. Raises LineError where it is no record, or not the bytes that its hash is of."""
        data = _record(line)
        told = data["hash"]
        if hashlib.sha256(_without_hash(line, told).encode()).hexdigest() != told:
            raise LineError("its content is not what its hash says")
        return cls(
            id=data["id"],
            rollout=data["rollout"],
            namespace=data["namespace"],
            name=data["name"],
            author=data.get("author"),
            time=_sortable(data["time"]),
            actor=data["actor"],
            verdict=data["verdict"],
            reason=data["reason"],
            weight_before=data["weightBefore"],
            weight_after=data["weightAfter"],
            previous_hash=data["previousHash"],
            hash=told,
            line=line,
        )


HEADING = tuple(field.name for field in fields(Heading))
"""What a heading consists of, in order."""

COLUMNS = tuple(field.name for field in fields(Entry))
"""What an entry consists of, in order."""


def is_record(line: str) -> bool:
    """Whether a line of the operator's standard output is a record: others may write there too."""
    return line.startswith("{") and '"serinus":"record"' in line


def _without_hash(line: str, told: str) -> str:
    """The text that the hash is of: the line as it was before its hash stood in it."""
    before, found, after = line.partition(f'"hash":"{told}","id":')  # the next key: they are sorted
    if not found:
        raise LineError("it is not in the form in which records are written")
    return f'{before}"id":{after}'


def _record(line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LineError("it is not JSON") from error
    needed = ("id", "rollout", "namespace", "name", "time", "actor", "verdict", "reason", "previousHash", "hash")
    weights = ("weightBefore", "weightAfter")
    if not isinstance(data, dict) or not (
        all(isinstance(data.get(field), str) for field in needed)
        and all(isinstance(data.get(field), int) for field in weights)
        and isinstance(data.get("author", ""), str)
    ):
        raise LineError("it is not a record")
    return data


def _sortable(time: str) -> str:
    """2026-11-21T12:00:01Z or with a fraction → with six digits of it always."""
    whole, _, fraction = time.removesuffix("Z").partition(".")
    text = f"{whole}.{fraction:0<6}Z"
    if len(text) != _TIME_DIGITS or not time.endswith("Z"):
        raise LineError(f"time: {time} is not UTC in ISO 8601")
    return text
