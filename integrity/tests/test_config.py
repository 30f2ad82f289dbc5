# SPDX-License-Identifier: Apache-2.0
"""A configuration is taken as it is meant, or refused with file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditpack_integrity.config import Config, parse
from auditpack_integrity.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.toml: paths is missing"),
        ('paths = ["etc"]', "x.toml:1:1: paths: 'etc' — an absolute path"),
        ('paths = ["/a/../b"]', "x.toml:1:1: paths: '/a/../b'"),
        ('paths = ["/etc"]\nhash = ["md5"]', "x.toml:2:1: unknown key hash — known here: cross_mounts"),
        ('paths = ["/etc"]\nhashes = ["crc32"]', "x.toml:2:1: hashes: 'crc32' is unknown"),
        ('paths = ["/etc"]\nhashes = ["md5", "md5"]', "x.toml:2:1: hashes: a type stands twice"),
        ('paths = ["/etc"]\n\nexclude = ["("]', "x.toml:3:1: exclude: '(' is no regular expression: missing )"),
        ('paths = ["/etc"]\nrecursion = -1', "x.toml:2:1: recursion = -1 — from 0 to 1024"),
        ('paths = ["/etc"]\n[scan]\n  rate = "50 MiB"', "x.toml:3:3: scan.rate wants an integer"),
        ('paths = ["/etc"]\n[feed]\nsocket = "a"', "x.toml:3:1: feed.socket = 'a' — an absolute path"),
        ('paths = ["/etc"]\nscan = 3', "x.toml:2:1: scan is a table — write [scan]"),
        ('paths = ["/etc"', "x.toml:1:16: expected"),
    ],
)
def test_a_mistake_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "x.toml")
    assert str(caught.value).startswith(message)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse('paths = ["etc"]\nbogus = 1\n[scan]\nrate = -1\n', "x.toml")
    assert len(caught.value.messages) == 3


def test_numbers_lists_and_defaults() -> None:
    config = parse('paths = ["/etc"]\nhashes = []\n[scan]\nfull_every = 1\n', "x.toml")
    assert config.hashes == ()
    assert config.scan.full_every == 1.0
    assert config.scan.at_start


def test_the_packaged_file_says_the_defaults() -> None:
    text = (Path(__file__).resolve().parent.parent / "packaging" / "integrity.toml").read_text(encoding="utf-8")
    config = parse(text, "integrity.toml")
    assert config == Config(paths=config.paths)
