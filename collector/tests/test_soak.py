# SPDX-License-Identifier: Apache-2.0
"""A short run of bench/soak.py: the sums agree, whatever happens to the collector."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = next(path for each in Path(__file__).resolve().parents if (path := each / "bench" / "soak.py").is_file())


KNOWN = pytest.mark.xfail(
    reason="After kill -9 some hundred events of 20,000 may be missing uncounted: those still in the memory queue "
    "while later ones were on disk already. `bench/soak.py --seed 1 --records 20000 --every 4000 --no-mount` shows it."
)


@pytest.mark.parametrize(
    ("implementation", "records", "every"),
    [pytest.param("native", 20000, 4000, marks=KNOWN), ("python", 6000, 1500)],
)
def test_what_goes_in_comes_out_or_is_counted(implementation: str, records: int, every: int, tmp_path: Path) -> None:
    if implementation == "native":
        pytest.importorskip("auditpack_collector._native")
    command = [sys.executable, str(SOAK), f"--records={records}", f"--every={every}", "--seed=4", "--no-mount"]
    done = subprocess.run(
        [*command, f"--implementation={implementation}", f"--folder={tmp_path}/soak"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fault: kill" in done.stdout
