"""xxHash64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md): the hash by which Envoy chooses.

Python's integers do not overflow: only what is shifted right must be cut to 64 bits before, and that is all that is cut
on the way, since every bit counts for the speed (R15).
"""

from struct import Struct

_MASK = (1 << 64) - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

_STRIPE = 32
"""Bytes that the four accumulators take at a time."""

_four_words = Struct("<4Q").unpack_from
_words = [Struct(f"<{count}Q").unpack_from for count in range(4)]


def xxh64(data: bytes) -> int:
    """The hash of `data` with seed 0: an integer below 2⁶⁴."""
    length = len(data)
    hashed, at = _stripes(data) if length >= _STRIPE else (_P5, 0)
    hashed += length
    for word in _words[(length - at) >> 3](data, at):
        product = word * _P2 & _MASK
        hashed = (hashed ^ (product << 31 | product >> 33) * _P1) & _MASK
        hashed = (hashed << 27 | hashed >> 37) * _P1 + _P4
    at = length & ~7
    if length & 4:
        hashed = (hashed ^ int.from_bytes(data[at : at + 4], "little") * _P1) & _MASK
        hashed = (hashed << 23 | hashed >> 41) * _P2 + _P3
        at += 4
    for byte in data[at:]:
        hashed = (hashed ^ byte * _P5) & _MASK
        hashed = (hashed << 11 | hashed >> 53) * _P1
    hashed &= _MASK
    hashed = (hashed ^ hashed >> 33) * _P2 & _MASK
    hashed = (hashed ^ hashed >> 29) * _P3 & _MASK
    return hashed ^ hashed >> 32


def _stripes(data: bytes) -> tuple[int, int]:
    """The hash of all whole stripes, and where they end."""
    a, b, c, d = (_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK
    at = 0
    while at + _STRIPE <= len(data):
        w, x, y, z = _four_words(data, at)
        a = (a + w * _P2) & _MASK
        a = (a << 31 | a >> 33) * _P1 & _MASK
        b = (b + x * _P2) & _MASK
        b = (b << 31 | b >> 33) * _P1 & _MASK
        c = (c + y * _P2) & _MASK
        c = (c << 31 | c >> 33) * _P1 & _MASK
        d = (d + z * _P2) & _MASK
        d = (d << 31 | d >> 33) * _P1 & _MASK
        at += _STRIPE
    hashed = (a << 1) + (a >> 63) + (b << 7) + (b >> 57) + (c << 12) + (c >> 52) + (d << 18) + (d >> 46)
    for accumulator in (a, b, c, d):
        product = accumulator * _P2 & _MASK
        hashed = ((hashed ^ (product << 31 | product >> 33) * _P1) * _P1 + _P4) & _MASK
    return hashed, at
