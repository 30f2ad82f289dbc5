# SPDX-License-Identifier: Apache-2.0
"""`world`: see integrity_support."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

INTEGRITY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(INTEGRITY / "src"), str(INTEGRITY / "tests")]

from integrity_support import World  # noqa: E402


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path.resolve())
