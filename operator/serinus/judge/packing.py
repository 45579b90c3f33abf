"""Values of the judge's state as bytes and back, bit for bit.

Each value says what it is: a byte for its kind, then its contents. Whoever reads knows the order.
"""

import math
import struct
from dataclasses import fields
from typing import Any

import numpy as np

from serinus.judge.evidence import Counts, Events

_DOUBLES, _SINGLES, _NUMBER, _NAMES, _NUMBERS = b"d", b"f", b"n", b"s", b"t"
_DTYPES: dict[bytes, np.dtype[np.float32 | np.float64]] = {_SINGLES: np.dtype("<f4"), _DOUBLES: np.dtype("<f8")}
_SCALARS = (float, int, np.floating)
_PAIRS: dict[type, bytes] = {Counts: b"c", Events: b"e"}


class Writer:
    """Appends values."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def bytes(self) -> bytes:
        """All that was appended."""
        return b"".join(self._parts)

    def value(self, value: Any) -> None:
        """A number, an array of them, a tuple of strings or of numbers, or a pair of counts. Raises TypeError."""
        if isinstance(value, np.ndarray):
            kind, little = (_SINGLES, "<f4") if value.dtype == np.float32 else (_DOUBLES, "<f8")
            shape = struct.pack(f"<B{value.ndim}H", value.ndim, *value.shape)
            self._parts += [kind, shape, value.astype(little, copy=False).tobytes()]
        elif isinstance(value, _SCALARS):
            self._parts += [_NUMBER, struct.pack("<d", value)]
        elif isinstance(value, tuple) and any(isinstance(each, str) for each in value):
            text = "\0".join(value).encode()
            self._parts += [_NAMES, struct.pack("<I", len(text)), text]
        elif isinstance(value, tuple):
            self._parts += [_NUMBERS, struct.pack(f"<H{len(value)}d", len(value), *value)]
        elif type(value) in _PAIRS:
            self._parts.append(_PAIRS[type(value)])
            for field in fields(value):
                self.value(getattr(value, field.name))
        else:
            raise TypeError(f"{type(value).__name__} has no place in a state")


class Reader:
    """Takes values off in the order in which they were appended."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._data)

    def value(self) -> Any:
        """The next value. Raises ValueError where the bytes are no such thing."""
        kind = self._take(1)
        if kind == _NUMBER:
            return self._unpack("<d")[0]
        if kind in (_DOUBLES, _SINGLES):
            shape = self._unpack(f"<{self._unpack('<B')[0]}H")
            dtype = _DTYPES[kind]
            values = np.frombuffer(self._take(math.prod(shape) * dtype.itemsize), dtype=dtype)
            return values.reshape(shape).astype(dtype.newbyteorder("="))
        if kind == _NAMES:
            return tuple(self._take(self._unpack("<I")[0]).decode().split("\0"))
        if kind == _NUMBERS:
            return self._unpack(f"<{self._unpack('<H')[0]}d")
        for pair, tag in _PAIRS.items():
            if kind == tag:
                return pair(self.value(), self.value())
        raise ValueError(f"no kind of value: {kind!r}")

    def _unpack(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self._take(struct.calcsize(form)))

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise ValueError("the bytes end too early")
        self._at += size
        return self._data[self._at - size : self._at]
