# SPDX-License-Identifier: Apache-2.0
"""The command `replay`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from collector_support import corpus, parse

SOURCE = Path(__file__).resolve().parent.parent / "src"


def replay(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "auditpack_collector", "replay", *arguments],
        input=data, capture_output=True, env={**os.environ, "PYTHONPATH": str(SOURCE)}, timeout=60, check=False,
    )  # fmt: skip


def test_file_and_stdin_are_the_same(tmp_path: Path) -> None:
    data = corpus("debian13-raw.log")[:100_000]
    (tmp_path / "a.log").write_bytes(data)
    from_file = replay(str(tmp_path / "a.log"))
    from_stdin = replay("-", data=data)
    assert from_file.returncode == from_stdin.returncode == 0
    assert from_file.stdout == from_stdin.stdout
    assert len(parse(from_file.stdout)) > 50


def test_what_was_not_whole_is_said(tmp_path: Path) -> None:
    done = replay("--format", "records", data=b"rubbish\n")
    assert done.returncode == 0
    assert done.stderr == b"auditpack-collector: 0 records: 1 malformed\n"


def test_errors_are_clear(tmp_path: Path) -> None:
    done = replay(str(tmp_path / "none.log"))
    assert done.returncode == 1
    assert done.stderr.startswith(b"auditpack-collector: ")
    assert b"No such file" in done.stderr
    assert replay("--format", "xml").returncode == 2


@pytest.mark.skipif(not Path("/bin/sh").exists(), reason="needs a shell")
def test_a_reader_that_leaves_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(corpus("debian13-raw.log"))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m auditpack_collector replay {tmp_path}/a.log | head -c 10"],
        capture_output=True, env={**os.environ, "PYTHONPATH": str(SOURCE)}, timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr == b""
