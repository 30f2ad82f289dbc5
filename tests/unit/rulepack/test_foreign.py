# SPDX-License-Identifier: Apache-2.0
"""docs/packs/foreign: every rule of the public sets is mapped to rules of ours that exist and report the same."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import foreign_rules  # noqa: E402


@pytest.fixture(scope="module")
def rules() -> dict[str, Any]:
    return foreign_rules.our_rules()


def test_every_mapping_holds(rules: dict[str, Any]) -> None:
    assert foreign_rules.check(foreign_rules.load(), rules) == []


def test_the_page_is_what_the_script_writes() -> None:
    assert foreign_rules.PAGE.read_text(encoding="utf-8") == foreign_rules.page(foreign_rules.load())


@pytest.mark.parametrize(("name", "count"), [("audit-userspace", 269), ("bfuzzy1", 299), ("neo23x0", 408)])
def test_no_rule_of_a_set_is_left_out(name: str, count: int) -> None:
    found = next(one for one in foreign_rules.load() if one.name == name)
    assert sum(foreign_rules.lines(entry) for entry in found.entries) == count


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"watch": "/etc/passwd", "perm": "wa", "ours": ["identity.passwd"]}, None),
        ({"watch": "/etc/passwd", "perm": "wa", "ours": ["identity.nobody"]}, "no rule identity.nobody"),
        ({"watch": "/etc/passwd", "perm": "rwa", "ours": ["identity.passwd"]}, "without is '', should be ['r']"),
        ({"watch": "/etc/passwd", "perm": "wa", "ours": ["identity.group"]}, "identity.group does not report it"),
        ({"watch": "/sbin/modprobe", "perm": "x", "ours": ["kernel.kmod"]}, None),
        ({"watch": "/root/.ssh", "perm": "wa", "ours": ["persistence.ssh-keys"]}, "part should be true"),
        ({"watch": "/etc/cups", "perm": "wa", "reason": "bored", "why": "no"}, "unknown reason 'bored'"),
        ({"watch": "/etc/cups", "perm": "wa"}, "neither `ours` nor `reason`"),
        ({"match": "b64 chmod,chown", "ours": ["stig.perm-chmod"]}, "without is [], should be ['chown']"),
        ({"match": "b32 set_thread_area", "ours": ["32bit-abi.program"]}, None),
        ({"match": "b64 getpid", "ours": ["32bit-abi.call"]}, "32bit-abi.call does not report it"),
    ],
)
def test_what_does_not_hold_is_told(entry: dict[str, Any], problem: str | None, rules: dict[str, Any]) -> None:
    found = foreign_rules.problems(entry, rules)
    assert (found == []) if problem is None else (problem in found)
