"""Samples written into a real Prometheus at whatever time they should have (remote write 1.0), without scraping.

The protocol is protobuf within a snappy block; both are simple enough to write by hand.
"""

import struct
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
STALE: float = _STALE
"""The value that marks a series as gone."""

FLAGS = ("--web.enable-remote-write-receiver", "--query.lookback-delta=5m")


@dataclass(frozen=True)
class Native:
    """A native histogram: observations by the index of their bucket, whose upper bound is 2^(index · 2^-schema)."""

    schema: int
    buckets: Mapping[int, int]


@dataclass
class Series:
    """A series and its samples, (Unix seconds, value) in order of time."""

    labels: dict[str, str]
    samples: list[tuple[float, float | Native]] = field(default_factory=list)


def write(address: str, series: Iterable[Series]) -> None:
    """Send all samples; in order of time, for a database takes none that are older than its newest by hours."""
    flat = sorted(
        ((time, number, value, each.labels) for number, each in enumerate(series) for time, value in each.samples),
        key=lambda entry: entry[:2],
    )
    for first in range(0, len(flat), 20_000):
        body = b"".join(
            _field(1, _time_series(labels, time, value)) for time, _, value, labels in flat[first:][:20_000]
        )
        request = urllib.request.Request(
            f"{address}/api/v1/write",
            _snappy(body),
            {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30):
            pass


def _time_series(labels: Mapping[str, str], time: float, value: float | Native) -> bytes:
    named = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, text.encode())) for name, text in sorted(labels.items())
    )
    at = round(time * 1000)
    if isinstance(value, Native):
        return named + _field(4, _histogram(value, at))
    return named + _field(2, _double(1, value) + _varint(2 << 3) + _varint(at))


def _histogram(native: Native, at: int) -> bytes:
    indices = sorted(native.buckets)
    spans, deltas, before, count = b"", b"", 0, 0
    for place, index in enumerate(indices):
        offset = index if place == 0 else index - indices[place - 1] - 1
        spans += _field(11, _varint(1 << 3) + _varint(_zigzag(offset)) + _varint(2 << 3) + _varint(1))
        deltas += _varint(_zigzag(native.buckets[index] - before))
        before, count = native.buckets[index], count + native.buckets[index]
    return (
        _varint(1 << 3) + _varint(count)
        + _double(3, 1.0)
        + _varint(4 << 3) + _varint(_zigzag(native.schema))
        + _double(5, 1e-128)
        + _varint(6 << 3) + _varint(0)
        + spans
        + _field(12, deltas)
        + _varint(15 << 3) + _varint(at)
    )  # fmt: skip


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _snappy(content: bytes) -> bytes:
    """A block of literals: nothing is compressed."""
    parts = [_varint(len(content))]
    for first in range(0, len(content), 60_000):
        literal = content[first:][:60_000]
        parts += [bytes([61 << 2]), struct.pack("<H", len(literal) - 1), literal]
    return b"".join(parts)


def counter(labels: Mapping[str, str], times: Sequence[float], rise: float, start: float = 0.0) -> Series:
    """A counter that rises by the same amount from each time to the next."""
    return Series(dict(labels), [(time, start + rise * number) for number, time in enumerate(times)])
