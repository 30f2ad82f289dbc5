# SPDX-License-Identifier: Apache-2.0
"""Every test that takes `pipeline` runs over both implementations."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

COLLECTOR = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(COLLECTOR / "src"), str(COLLECTOR / "tests")]

from collector_support import Run, parse  # noqa: E402

from auditpack_collector.implementation import ImplementationError, Pipeline, make_pipeline  # noqa: E402
from auditpack_collector.options import Options  # noqa: E402


@pytest.fixture(params=["python", "native"])
def pipeline(request: pytest.FixtureRequest) -> Callable[..., Pipeline]:
    """`pipeline(format=…)` → a fresh pipeline of the implementation under test."""

    def make(**options: Any) -> Pipeline:
        try:
            return make_pipeline(Options(**options), request.param)
        except ImplementationError as error:
            if os.environ.get("AUDITPACK_EXTENSION") == "1":
                raise
            pytest.skip(str(error))

    return make


@pytest.fixture
def run(pipeline: Callable[..., Pipeline]) -> Run:
    """`run(data, format=…)` → all events of the bytes, JSON parsed."""

    def run_(data: bytes, **options: Any) -> list[dict[str, Any]]:
        options.setdefault("clock", "event")
        made = pipeline(**options)
        return parse(made.feed(data, 0.0) + made.flush(0.0, all=True))

    return run_
