# SPDX-License-Identifier: Apache-2.0
"""Every row of the catalogue of cases is a case of a pack, or docs/not-provable.md says why not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from auditpack.model import Case, Pack, Rule
from auditpack.schema import load_packs

ROOT = Path(__file__).resolve().parents[3]
ROWS = frozenset(range(1, 93))
PAGE = (ROOT / "docs/not-provable.md").read_text(encoding="utf-8")
EXCUSED = {int(row): reason for row, reason in re.findall(r"^\| (\d+) \|[^|]+\|([^|]+)\|$", PAGE, re.MULTILINE)}


@pytest.fixture(scope="module")
def packs() -> list[Pack]:
    return load_packs([ROOT / "rulepacks"])


@pytest.fixture
def cases(packs: list[Pack]) -> list[Case]:
    return [case for pack in packs for case in pack.cases]


@pytest.fixture
def rules(packs: list[Pack]) -> dict[str, Rule]:
    return {rule.id: rule for pack in packs for rule in pack.rules}


def covered(cases: list[Case]) -> set[int]:
    return {row for case in cases for row in case.catalogue}


def test_each_row_is_a_case_or_excused(cases: list[Case]) -> None:
    assert sorted(ROWS - covered(cases) - set(EXCUSED)) == []


def test_no_row_is_unknown(cases: list[Case]) -> None:
    assert sorted((covered(cases) | set(EXCUSED)) - ROWS) == []


def test_an_excuse_ends_when_there_is_a_case(cases: list[Case]) -> None:
    assert sorted(covered(cases) & set(EXCUSED)) == []


def test_an_excuse_has_a_reason() -> None:
    assert EXCUSED
    assert [row for row, reason in EXCUSED.items() if len(reason.split()) < 10] == []


def test_the_gaps_named_are_cases_that_are_expected_to_fail(cases: list[Case]) -> None:
    gaps = {case.id for case in cases if case.xfail}
    section = PAGE.partition("## What no rule of the kernel can see")[2]
    named = set(re.findall(r"`([a-z0-9-]+(?:\.[a-z0-9-]+){2,})`", section))
    assert named
    assert sorted(named - gaps) == []


def test_the_rules_that_wait_are_not_called_stable(rules: dict[str, Rule]) -> None:
    section = PAGE.partition("## Rules that wait")[2].partition("## What no rule")[0]
    named = set(re.findall(r"`([a-z0-9-]+\.[a-z0-9-]+)`", section))
    assert named
    assert sorted(name for name in named if name not in rules or rules[name].maturity == "stable") == []
