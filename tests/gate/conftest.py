# SPDX-License-Identifier: Apache-2.0
"""Bring the results that the stages recorded as JUnit XML into this session, test by test.

So the summary of the closing session counts every test of the run: what failed there fails here, what was
skipped or expected to fail there is that here, with its reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT / "build" / "stages" / "test"


def plan() -> list[dict[str, Any]]:
    """Return the stages that the run set out to do: ``[{stage, title, results}]``."""
    stages: list[dict[str, Any]] = json.loads((RECORDS / "plan.json").read_text(encoding="utf-8"))
    return stages


class RecordedFailure(Exception):
    """A test that failed in its stage; carries the text recorded there."""


class RecordedTest(pytest.Item):
    """One ``<testcase>`` of a results file."""

    def __init__(self, case: ElementTree.Element, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.case = case

    def runtest(self) -> None:
        for outcome in self.case:
            message = outcome.get("message", "")
            if outcome.tag in ("failure", "error"):
                raise RecordedFailure(f"{message}\n{outcome.text or ''}")
            if outcome.tag == "skipped" and outcome.get("type") == "pytest.xfail":
                pytest.xfail(message)
            if outcome.tag == "skipped":
                pytest.skip(message)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, RecordedFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


class RecordedFile(pytest.File):
    """A results file."""

    def collect(self) -> list[RecordedTest]:
        tree = ElementTree.parse(self.path)  # noqa: S314 - written by this run
        return [
            RecordedTest.from_parent(self, name=f"{case.get('classname')}::{case.get('name')}", case=case)
            for case in tree.iter("testcase")
        ]


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Append the recorded tests of every results file that the stages wrote."""
    for stage in plan():
        for result in stage["results"]:
            if (ROOT / result).is_file():
                items.extend(RecordedFile.from_parent(session, path=ROOT / result).collect())
