# SPDX-License-Identifier: Apache-2.0
"""decode: tokens → values. Numbers that do not parse stay text; nothing here raises on any bytes."""

from __future__ import annotations

import re
from typing import Final

from .scan import Field, Record

MAX_ARGUMENTS: Final = 1 << 20
SPARE_ARGUMENTS: Final = 4096
"""Longest vector: SPARE_ARGUMENTS plus one per byte of the records, at most MAX_ARGUMENTS, so that few bytes cannot
claim a long vector. An argument beyond it stays an ordinary field."""

NULLS: Final = frozenset((b"(null)", b"?"))

_DECIMAL = re.compile(rb"0|-?[1-9][0-9]{0,18}").fullmatch
_HEX = re.compile(rb"(?:0x)?0*([0-9a-fA-F]{1,16})").fullmatch
_OCTAL = re.compile(rb"0*([0-7]{1,21})").fullmatch
_ENCODED = re.compile(rb"(?:[0-9A-F]{2})+").fullmatch
_ARGUMENT = re.compile(rb"a(0|[1-9][0-9]{0,9})(?:\[(0|[1-9][0-9]{0,9})\])?").fullmatch
_ARGUMENT_LENGTH = re.compile(rb"a(0|[1-9][0-9]{0,9})_len").fullmatch


def decimal(token: bytes) -> int | None:
    """Canonical decimal of at most 19 digits, else None."""
    return int(token) if _DECIMAL(token) else None


def hexadecimal(token: bytes) -> str | None:
    """`00C000003E` → "0xc000003e"; at most 16 significant digits, else None."""
    match = _HEX(token)
    return "0x" + match[1].decode("ascii").lower() if match else None


def octal(token: bytes) -> str | None:
    """`0100644` → "0o100644", else None."""
    match = _OCTAL(token)
    return "0o" + match[1].decode("ascii") if match else None


def plain(token: bytes) -> bytes | None:
    """Bytes of a plain token; None for `(null)` and `?`. A quoted "?" is a text."""
    if token[:1] == b'"' and len(token) > 1 and token[-1:] == b'"':
        return token[1:-1]
    return None if token in NULLS else token


def encoded(token: bytes) -> bytes | None:
    """Bytes of an ENCODED token: quoted, upper-case hex, or as it is."""
    return bytes.fromhex(token.decode("ascii")) if _ENCODED(token) else plain(token)


def words(token: bytes) -> list[bytes]:
    """The words of `{ read write }`; any other token is one word."""
    if token[:1] == b"{" and token[-1:] == b"}":
        return [word for word in token[1:-1].split(b" ") if word]
    return [token]


def keys(token: bytes) -> list[bytes]:
    """The rule's keys; the kernel joins several with 0x01 (AUDIT_KEY_SEPARATOR)."""
    value = encoded(token)
    return value.split(b"\x01") if value is not None else []


def title(token: bytes) -> list[bytes] | None:
    """The argument vector in `proctitle`, split at NUL. The kernel cuts it at 128 bytes and trims NULs at its end."""
    value = encoded(token)
    return None if value is None else value.split(b"\0")


def arguments(records: list[Record]) -> tuple[list[bytes | None], list[Field], bool]:
    """The EXECVE records of one event → (argument vector, fields that are no argument, vector is whole).

    `aN` and the chunks `aN[k]` are placed by number whatever record or order they come in; `aN_len` is checked
    and dropped (it is the sum of the chunks' hex digits). An argument that never came is None.
    """
    values: dict[int, bytes] = {}
    chunks: dict[int, dict[int, bytes]] = {}
    lengths: dict[int, bytes] = {}
    rest: list[Field] = []
    argc = 0
    limit = min(MAX_ARGUMENTS, SPARE_ARGUMENTS + sum(len(record.raw) for record in records))
    for record in records:
        for field in record.fields:
            name, token = field
            match = _ARGUMENT(name)
            if match is None:
                length = _ARGUMENT_LENGTH(name)
                if length and int(length[1]) < limit:
                    lengths[int(length[1])] = token
                    continue
                if name == b"argc":
                    argc = max(argc, decimal(token) or 0)
                rest.append(field)
                continue
            index = int(match[1])
            if index >= limit:
                rest.append(field)
                continue
            slot: dict[int, bytes] = values if match[2] is None else chunks.setdefault(index, {})
            place = index if match[2] is None else int(match[2])
            if place in slot:
                rest.append(field)
            else:
                slot[place] = encoded(token) or b""
    count = max(min(argc, limit), max(values, default=-1) + 1, max(chunks, default=-1) + 1)
    vector = [values.get(index) for index in range(count)]
    whole = argc == count
    for index, pieces in chunks.items():
        if index in values:  # an argument both whole and in chunks: keep both
            rest.extend((b"a%d[%d]" % (index, place), b'"' + piece + b'"') for place, piece in sorted(pieces.items()))
            continue
        vector[index] = b"".join(piece for _, piece in sorted(pieces.items()))
        whole = whole and sorted(pieces) == list(range(len(pieces)))
        expected = decimal(lengths.get(index, b""))
        whole = whole and (expected is None or expected in (len(vector[index] or b""), 2 * len(vector[index] or b"")))
    return vector, rest, whole and None not in vector
