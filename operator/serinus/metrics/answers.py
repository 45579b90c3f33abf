"""From the JSON of Prometheus's HTTP API, or of what answers like it, to rows; what is not an answer is named.

Thanos, Mimir and VictoriaMetrics answer in the same form. What they could not read in full they say as `warnings`, or
VictoriaMetrics as `isPartial`: such an answer counts as none.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from serinus.judge.evidence import Missing
from serinus.metrics.errors import SourceError, TooMuch

_FOREIGN = (TypeError, ValueError, KeyError, IndexError, AttributeError)  # what reading other JSON raises
_QUOTED = 200  # characters of a foreign answer that an error shows


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """A native histogram: for each bucket that is not empty its lower and upper bound, and its observations."""

    buckets: tuple[tuple[float, float, float], ...]
    count: float


class Row(NamedTuple):  # made by the ten thousand
    """One series of an answer at one time."""

    labels: Mapping[str, str]
    value: float | NativeHistogram


def vector(body: bytes, status: int) -> list[Row]:
    """The rows of an answer to an instant query. Raises SourceError."""
    entries = _result(body, status, "vector")
    try:
        return [Row(entry["metric"], _value(entry)) for entry in entries]
    except _FOREIGN as error:
        raise _not_prometheus() from error


def matrix(body: bytes, status: int) -> dict[float, list[Row]]:
    """The rows of an answer to a range query, by Unix time. Raises SourceError."""
    rows: dict[float, list[Row]] = {}
    try:
        for entry in _result(body, status, "matrix"):
            for time, value in _values(entry):
                rows.setdefault(time, []).append(Row(entry["metric"], value))
    except _FOREIGN as error:
        raise _not_prometheus() from error
    return rows


def _result(body: bytes, status: int, kind: str) -> Iterable[dict[str, Any]]:
    """The series of a good answer."""
    if 300 <= status < 400:
        raise SourceError(Missing.UNREACHABLE, f"it redirects (status {status}), which is never followed")
    answer = _json(body, status)
    if answer.get("status") != "success":
        raise _refusal(answer, status)
    if doubts := answer.get("warnings") or (["isPartial"] if answer.get("isPartial") else []):
        raise SourceError(
            Missing.PARTIAL, f"it warns that its answer is not complete: {_cut('; '.join(map(str, doubts)))}"
        )
    data = answer.get("data")
    found = data.get("resultType") if isinstance(data, dict) else None
    if not isinstance(data, dict) or found != kind:
        raise SourceError(Missing.NO_SERIES, f"the query gives a {found}, where series are needed")
    entries = data.get("result")
    if not isinstance(entries, list):
        raise _not_prometheus()
    return entries


def _not_prometheus() -> SourceError:
    return SourceError(Missing.UNREACHABLE, "its answer has not the form of Prometheus's HTTP API")


def _json(body: bytes, status: int) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError as error:
        told = f"it answers with status {status} and no JSON: {_cut(body[:_QUOTED].decode(errors='replace'))!r}"
        raise SourceError(Missing.UNREACHABLE, told) from error
    if not isinstance(answer, dict):
        raise SourceError(Missing.UNREACHABLE, f"it answers with status {status} and JSON that is not Prometheus's")
    return answer


def _refusal(answer: dict[str, Any], status: int) -> SourceError:
    """Prometheus's own word for what is wrong; a query that it cannot read or carry out is the query's fault."""
    reason = _cut(str(answer.get("error", "no reason given")))
    if status in (400, 413, 414, 422):
        return TooMuch(Missing.NO_SERIES, f"it refuses the query: {reason}")
    return SourceError(Missing.UNREACHABLE, f"it answers with status {status}: {reason}")


def _value(entry: dict[str, Any]) -> float | NativeHistogram:
    if "histogram" in entry:
        return _histogram(entry["histogram"][1])
    return float(entry["value"][1])


def _values(entry: dict[str, Any]) -> list[tuple[float, float | NativeHistogram]]:
    numbers = [(round(float(time), 3), float(value)) for time, value in entry.get("values", ())]
    histograms = [(round(float(time), 3), _histogram(value)) for time, value in entry.get("histograms", ())]
    return [*numbers, *histograms]


def _histogram(found: dict[str, Any]) -> NativeHistogram:
    buckets = [(float(low), float(high), float(count)) for _, low, high, count in found.get("buckets") or ()]
    return NativeHistogram(tuple(sorted(buckets)), float(found["count"]))


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTED else text[:_QUOTED] + " ..."
