# SPDX-License-Identifier: Apache-2.0
"""A short run of bench/soak.py: the sums agree, whatever happens to the collector."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).resolve().parent.parent / "bench" / "soak.py"


@pytest.mark.parametrize("implementation", ["native", "python"])
def test_what_goes_in_comes_out_or_is_counted(implementation: str, tmp_path: Path) -> None:
    if implementation == "native":
        pytest.importorskip("auditpack_collector._native")
    command = [sys.executable, str(SOAK), "--records=30000", "--every=5000", "--seed=4", f"--folder={tmp_path}/soak"]
    done = subprocess.run(
        [*command, f"--implementation={implementation}"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fault: kill" in done.stdout
