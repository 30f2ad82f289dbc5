# SPDX-License-Identifier: Apache-2.0
"""Only the very process that was recorded may be ended."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lablib import process
from lablib.errors import LabError


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(["sleep", "60"])
    yield child
    child.kill()
    child.wait()


def record_of(pid: int) -> process.Record:
    start = process.start_time(pid)
    assert start is not None
    return {"pid": pid, "start": start, "boot": process.BOOT_ID.read_text().strip()}


def test_stops_the_recorded_process(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    process.write(tmp_path / "p.json", record_of(sleeper.pid))
    assert process.is_alive(process.read(tmp_path / "p.json"))
    assert process.stop(tmp_path / "p.json") is True
    assert sleeper.wait(timeout=5) == -15
    assert not (tmp_path / "p.json").exists()


@pytest.mark.parametrize("change", [{"start": "1"}, {"boot": "another boot of this machine"}])
def test_spares_a_stranger_with_the_same_pid(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], change: dict[str, str]
) -> None:
    record = {**record_of(sleeper.pid), **change}
    (tmp_path / "p.json").write_text(json.dumps(record))
    assert process.stop(tmp_path / "p.json") is False
    assert sleeper.poll() is None
    assert not (tmp_path / "p.json").exists()


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    child = subprocess.Popen(["sh", "-c", "trap '' TERM; echo ready; sleep 60 & wait; wait"], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    process.write(tmp_path / "p.json", record_of(child.pid))
    assert process.stop(tmp_path / "p.json", patience=0.5) is True
    assert child.wait(timeout=5) == -9


def test_gone_and_never_started(tmp_path: Path) -> None:
    child = subprocess.Popen(["sleep", "60"])
    record = record_of(child.pid)
    child.kill()
    child.wait()
    process.write(tmp_path / "p.json", record)
    assert process.stop(tmp_path / "p.json") is False
    assert process.stop(tmp_path / "p.json") is False


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen(["sleep", "60"])
    record = record_of(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process.is_alive(record)
    child.wait()


def test_own_record_survives_exec(tmp_path: Path) -> None:
    assert process.is_alive(process.own_record())


def test_a_name_with_blanks_and_parentheses(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 ("
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([str(program), "60"])
    plain = subprocess.Popen(["sleep", "60"])
    try:
        first, second = process.start_time(child.pid), process.start_time(plain.pid)
        assert first is not None and second is not None
        assert 0 <= int(second) - int(first) < 500
    finally:
        for each in (child, plain):
            each.kill()
            each.wait()


@pytest.mark.parametrize("text", ["", "[]", '{"pid": "x"}', "123"])
def test_a_broken_record_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(LabError, match=r"p\.json:1: not a process record"):
        process.stop(tmp_path / "p.json")
