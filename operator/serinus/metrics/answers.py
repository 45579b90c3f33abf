"""From the JSON of Prometheus's HTTP API, or of what answers like it, to rows; what is not an answer is named.

Thanos, Mimir and VictoriaMetrics answer in the same form. What they could not read in full they say as `warnings`, or
VictoriaMetrics as `isPartial`: such an answer counts as none.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from serinus.judge.evidence import Missing
from serinus.metrics.errors import SourceError, TooMuch

_QUOTED = 200  # characters of a foreign answer that an error shows

Number = float | str  # as Prometheus writes numbers: strings, so that "NaN" and "+Inf" can be among them


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """A native histogram: for each bucket that is not empty its lower and upper bound, and its observations."""

    buckets: tuple[tuple[float, float, float], ...]
    count: float


Value = float | NativeHistogram


class Row(NamedTuple):
    """One series of an answer at one time."""

    labels: Mapping[str, str]
    value: Value


@dataclass(frozen=True, slots=True)
class Vector:
    """The series of an answer to an instant query.

    `texts`: the labels of each as JSON, which whoever has seen the same text before need not read again. `values`: its
    value. An answer for a thousand canaries has tens of thousands of series, nearly all the same from tick to tick.
    """

    texts: list[bytes]
    values: Sequence[Value]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Vector":
        """An answer with these rows."""
        rows = list(rows)
        return cls([msgspec.json.encode(row.labels) for row in rows], [row.value for row in rows])

    def rows(self) -> list[Row]:
        """Its series with their labels."""
        return [Row(labels_in(text), value) for text, value in zip(self.texts, self.values, strict=True)]


class _Histogram(msgspec.Struct):
    count: Number
    buckets: list[tuple[int, Number, Number, Number]] | None = None


class _Sample(msgspec.Struct, array_like=True, gc=False):  # two values each, made by the ten thousand
    time: float
    value: Number


class _Point(msgspec.Struct, gc=False):
    metric: msgspec.Raw
    value: _Sample | None = None
    histogram: tuple[float, _Histogram] | None = None


class _Line(msgspec.Struct):
    metric: dict[str, str]
    values: tuple[tuple[float, Number], ...] = ()
    histograms: tuple[tuple[float, _Histogram], ...] = ()


class _Points(msgspec.Struct, tag_field="resultType", tag="vector"):
    result: list[_Point]


class _Lines(msgspec.Struct, tag_field="resultType", tag="matrix"):
    result: list[_Line]


class _VectorAnswer(msgspec.Struct, tag_field="status", tag="success"):
    data: _Points
    warnings: list[str] | None = None
    is_partial: bool = msgspec.field(name="isPartial", default=False)


class _MatrixAnswer(msgspec.Struct, tag_field="status", tag="success"):
    data: _Lines
    warnings: list[str] | None = None
    is_partial: bool = msgspec.field(name="isPartial", default=False)


_VECTOR = msgspec.json.Decoder(_VectorAnswer)
_MATRIX = msgspec.json.Decoder(_MatrixAnswer)
_LABELS = msgspec.json.Decoder(dict[str, str])


def labels_in(text: bytes) -> dict[str, str]:
    """The labels of a series, from their JSON. Raises SourceError."""
    try:
        return _LABELS.decode(text)
    except ValueError as error:
        raise _not_prometheus() from error


def vector(body: bytes, status: int) -> Vector:
    """The answer to an instant query. Raises SourceError."""
    try:
        answer = _VECTOR.decode(_answered(body, status))
        _refuse_doubts(answer.warnings, is_partial=answer.is_partial)
        points = answer.data.result
        return Vector(
            [bytes(point.metric) for point in points],
            _compact([_value(point) if point.value is None else float(point.value.value) for point in points]),
        )
    except ValueError as error:  # msgspec's are such, too
        raise _named(body, status, "vector") from error


def matrix(body: bytes, status: int) -> dict[float, list[Row]]:
    """The rows of an answer to a range query, by Unix time. Raises SourceError."""
    rows: dict[float, list[Row]] = {}
    try:
        answer = _MATRIX.decode(_answered(body, status))
        _refuse_doubts(answer.warnings, is_partial=answer.is_partial)
        for line in answer.data.result:
            for time, number in line.values:
                rows.setdefault(round(time, 3), []).append(Row(line.metric, float(number)))
            for time, histogram in line.histograms:
                rows.setdefault(round(time, 3), []).append(Row(line.metric, _native(histogram)))
    except ValueError as error:
        raise _named(body, status, "matrix") from error
    return rows


def _compact(values: list[Value]) -> Sequence[Value]:
    """Answers are kept for some ticks: a number is eight bytes in an array, and thirty-two in a list."""
    try:
        return array("d", values)  # type: ignore[type-var]  # which raises where a native histogram is among them
    except TypeError:
        return values


def _value(point: _Point) -> Value:
    """Of a point that is no plain number."""
    if point.histogram is not None:
        return _native(point.histogram[1])
    raise ValueError("a series without a value")


def _native(found: _Histogram) -> NativeHistogram:
    buckets = [(float(low), float(high), float(count)) for _, low, high, count in found.buckets or ()]
    return NativeHistogram(tuple(sorted(buckets)), float(found.count))


def _refuse_doubts(warnings: list[str] | None, *, is_partial: bool) -> None:
    if doubts := warnings or (["isPartial"] if is_partial else []):
        raise SourceError(Missing.PARTIAL, f"it warns that its answer is not complete: {_cut('; '.join(doubts))}")


def _answered(body: bytes, status: int) -> bytes:
    if 300 <= status < 400:
        raise SourceError(Missing.UNREACHABLE, f"it redirects (status {status}), which is never followed")
    return body


def _named(body: bytes, status: int, kind: str) -> SourceError:
    """What is wrong with an answer that could not be read as series of that kind."""
    try:
        answer = msgspec.json.decode(body)
    except ValueError:
        told = f"it answers with status {status} and no JSON: {_cut(body[:_QUOTED].decode(errors='replace'))!r}"
        return SourceError(Missing.UNREACHABLE, told)
    if not isinstance(answer, dict):
        return SourceError(Missing.UNREACHABLE, f"it answers with status {status} and JSON that is not Prometheus's")
    if answer.get("status") != "success":
        return _refusal(answer, status)
    data = answer.get("data")
    found = data.get("resultType") if isinstance(data, dict) else None
    if found is not None and found != kind:
        return SourceError(Missing.NO_SERIES, f"the query gives a {found}, where series are needed")
    return _not_prometheus()


def _not_prometheus() -> SourceError:
    return SourceError(Missing.UNREACHABLE, "its answer has not the form of Prometheus's HTTP API")


def _refusal(answer: dict[str, Any], status: int) -> SourceError:
    """Prometheus's own word for what is wrong; a query that it cannot read or carry out is the query's fault."""
    reason = _cut(str(answer.get("error", "no reason given")))
    if status in (400, 413, 414, 422):
        return TooMuch(Missing.NO_SERIES, f"it refuses the query: {reason}")
    return SourceError(Missing.UNREACHABLE, f"it answers with status {status}: {reason}")


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTED else text[:_QUOTED] + " ..."
