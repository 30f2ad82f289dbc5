# SPDX-License-Identifier: Apache-2.0
"""XXH64, seed 0, after its specification (xxHash, doc/xxhash_spec.md). Pure Python: some 10 MB/s, for small trees."""

from __future__ import annotations

import struct
from typing import Final

_MASK: Final = 0xFFFFFFFFFFFFFFFF
_P1: Final = 0x9E3779B185EBCA87
_P2: Final = 0xC2B2AE3D27D4EB4F
_P3: Final = 0x165667B19E3779F9
_P4: Final = 0x85EBCA77C2B2AE63
_P5: Final = 0x27D4EB2F165667C5
_STRIPE: Final = struct.Struct("<4Q")


class Xxh64:
    """Like a hash of hashlib. The digest is big-endian, xxHash's canonical form."""

    def __init__(self) -> None:
        self._lanes = ((_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK)
        self._rest = b""
        self._length = 0

    def update(self, data: bytes, /) -> None:
        self._length += len(data)
        data = self._rest + data
        whole = len(data) & ~31
        a, b, c, d = self._lanes
        for w, x, y, z in _STRIPE.iter_unpack(data[:whole]):
            a = (a + w * _P2) & _MASK
            a = ((a << 31 | a >> 33) * _P1) & _MASK
            b = (b + x * _P2) & _MASK
            b = ((b << 31 | b >> 33) * _P1) & _MASK
            c = (c + y * _P2) & _MASK
            c = ((c << 31 | c >> 33) * _P1) & _MASK
            d = (d + z * _P2) & _MASK
            d = ((d << 31 | d >> 33) * _P1) & _MASK
        self._lanes = (a, b, c, d)
        self._rest = data[whole:]

    def digest(self) -> bytes:
        if self._length >= 32:
            a, b, c, d = self._lanes
            out = (_rotate(a, 1) + _rotate(b, 7) + _rotate(c, 12) + _rotate(d, 18)) & _MASK
            for lane in self._lanes:
                out = ((out ^ _round(0, lane)) * _P1 + _P4) & _MASK
        else:
            out = _P5
        out = (out + self._length) & _MASK
        rest = self._rest
        at = 0
        while len(rest) - at >= 8:
            (word,) = struct.unpack_from("<Q", rest, at)
            out = (_rotate(out ^ _round(0, word), 27) * _P1 + _P4) & _MASK
            at += 8
        if len(rest) - at >= 4:
            (half,) = struct.unpack_from("<I", rest, at)
            out = (_rotate(out ^ (half * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
            at += 4
        for byte in rest[at:]:
            out = (_rotate(out ^ (byte * _P5 & _MASK), 11) * _P1) & _MASK
        out = ((out ^ out >> 33) * _P2) & _MASK
        out = ((out ^ out >> 29) * _P3) & _MASK
        return (out ^ out >> 32).to_bytes(8, "big")


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _round(lane: int, word: int) -> int:
    return (_rotate((lane + word * _P2) & _MASK, 31) * _P1) & _MASK
