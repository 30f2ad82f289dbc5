# SPDX-License-Identifier: Apache-2.0
"""The closing gate of a run: every planned stage ran, passed, and its tests were really there."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.gate.conftest import RECORDS, ROOT, plan

PLAN = plan()


@pytest.mark.parametrize("stage", PLAN, ids=[stage["stage"] for stage in PLAN])
def test_stage_passed(stage: dict[str, Any]) -> None:
    record = RECORDS / f"{stage['stage']}.json"
    assert record.is_file(), f"stage {stage['stage']} left no record: it never started"
    outcome = json.loads(record.read_text(encoding="utf-8"))
    assert outcome["outcome"] == "passed", f"{outcome['reason']}; see {outcome['log']}"
    assert outcome["exit_code"] == 0


@pytest.mark.parametrize("result", [result for stage in PLAN for result in stage["results"]])
def test_results_hold_tests_that_ran(result: str) -> None:
    path = ROOT / result
    assert path.is_file(), f"no {result}: its stage failed before it could write it"
    tree = ElementTree.parse(path)  # noqa: S314 - written by this run
    ran = [case for case in tree.iter("testcase") if case.find("skipped") is None]
    assert ran, f"{result} records no test that really ran"
