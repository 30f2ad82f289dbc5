# SPDX-License-Identifier: Apache-2.0
"""`$RAW` makes several calls in one process, as far as they go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.events import raw


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86_64")
@pytest.mark.parametrize(
    ("words", "status", "printed"),
    [
        ("access / 0 -- access /nonexistent/lab 0", 0, ["0", "-2"]),
        ("access / 0 -- nosuchcall -- access / 0", 2, ["0"]),
        ("access / 0 --", 2, ["0"]),
        ("access 1 2 3 4 5 6 7", 2, []),
    ],
)
def test_several_calls(words: str, status: int, printed: list[str], tmp_path: Path) -> None:
    (tmp_path / "syscalls.json").write_text(json.dumps({"b64": {"access": 21}}))
    script = tmp_path / "raw.py"
    script.write_text(Path(raw.__file__).read_text())
    done = subprocess.run([sys.executable, script, *words.split()], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (status, printed)
