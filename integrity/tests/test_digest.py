# SPDX-License-Identifier: Apache-2.0
"""Digests against published vectors."""

from __future__ import annotations

import hashlib

import pytest

from auditpack_integrity.digest import HASHES, split
from auditpack_integrity.xxh64 import Xxh64


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "ef46db3751d8e999"),
        (b"a", "d24ec4f1a98c6e5b"),
        (b"abc", "44bc2cf5ad770999"),
        (b"Nobody inspects the spammish repetition", "fbcea83c8a378bf1"),
    ],
)
def test_xxh64_gives_the_published_digests(data: bytes, digest: str) -> None:
    for cut in range(0, len(data) + 1, 7):
        made = Xxh64()
        made.update(data[:cut])
        made.update(data[cut:])
        assert made.digest().hex() == digest


def test_every_type_has_its_length_and_the_digest_of_the_library() -> None:
    data = b"auditpack" * 1000
    for name, (length, make) in HASHES.items():
        made = make()
        made.update(data)
        assert len(made.digest()) == length, name
        if name.startswith("sha") or name == "md5":
            assert made.digest() == hashlib.new(name, data, usedforsecurity=False).digest()
    names = ("md5", "xxh64", "sha1")
    joined = b"".join(bytes([at]) * HASHES[name][0] for at, name in enumerate(names))
    assert split(names, joined) == {"md5": "00" * 16, "xxh64": "01" * 8, "sha1": "02" * 20}
