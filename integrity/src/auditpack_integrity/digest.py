# SPDX-License-Identifier: Apache-2.0
"""The hash types, by the names that Auditbeat gives them."""

from __future__ import annotations

import hashlib
from typing import Any, Callable, Final, Protocol

from .xxh64 import Xxh64


class Hash(Protocol):
    """What hashlib's objects offer and this package needs."""

    def update(self, data: Any, /) -> None: ...

    def digest(self) -> bytes: ...


def _openssl(name: str) -> Callable[[], Hash]:
    return lambda: hashlib.new(name, usedforsecurity=False)


HASHES: Final[dict[str, tuple[int, Callable[[], Hash]]]] = {
    "blake2b_256": (32, lambda: hashlib.blake2b(digest_size=32)),
    "blake2b_384": (48, lambda: hashlib.blake2b(digest_size=48)),
    "blake2b_512": (64, lambda: hashlib.blake2b(digest_size=64)),
    "md5": (16, _openssl("md5")),
    "sha1": (20, _openssl("sha1")),
    "sha224": (28, _openssl("sha224")),
    "sha256": (32, hashlib.sha256),
    "sha384": (48, _openssl("sha384")),
    "sha512": (64, hashlib.sha512),
    "sha512_224": (28, _openssl("sha512_224")),
    "sha512_256": (32, _openssl("sha512_256")),
    "sha3_224": (28, hashlib.sha3_224),
    "sha3_256": (32, hashlib.sha3_256),
    "sha3_384": (48, hashlib.sha3_384),
    "sha3_512": (64, hashlib.sha3_512),
    "xxh64": (8, Xxh64),
}
"""Name → (length of the digest in bytes, maker)."""


def unusable(name: str) -> str:
    """Why this machine cannot compute a known hash type; empty when it can."""
    try:
        HASHES[name][1]()
    except ValueError as error:  # an OpenSSL without it, or in FIPS mode
        return str(error)
    return ""


def split(names: tuple[str, ...], joined: bytes) -> dict[str, str]:
    """The digests of `names`, as they stand one after the other in `joined` → name: hexadecimal."""
    out: dict[str, str] = {}
    at = 0
    for name in names:
        length = HASHES[name][0]
        out[name] = joined[at : at + length].hex()
        at += length
    return out
