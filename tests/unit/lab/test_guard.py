# SPDX-License-Identifier: Apache-2.0
"""Nothing is left behind, however hard a script is cut short."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lablib import command, guard, lock
from lablib.errors import LabError

SCRIPTS = Path(command.__file__).resolve().parents[1]


def wait_until(path: Path, gone: bool = False) -> None:
    deadline = time.monotonic() + 10
    while path.exists() == gone:
        assert time.monotonic() < deadline, f"{path} {'stays' if gone else 'does not come'}"
        time.sleep(0.02)


def test_killed_script_leaves_no_child(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    inner = f"trap 'rm {mark}; exit 1' TERM; echo $$ > {mark}; sleep 60"
    code = f"from lablib import command; command.run(['sh', '-c', {inner!r}])"
    script = subprocess.Popen([sys.executable, "-c", code], cwd=SCRIPTS)
    wait_until(tmp_path / "pid")
    script.send_signal(signal.SIGKILL)
    script.wait()
    wait_until(tmp_path / "pid", gone=True)


def test_good_end_needs_no_rescue(tmp_path: Path) -> None:
    with guard.guarded((tmp_path / "rescued").touch):
        pass
    assert not (tmp_path / "rescued").exists()


def test_exception_is_rescued_and_passed_on(tmp_path: Path) -> None:
    with pytest.raises(LabError), guard.guarded((tmp_path / "rescued").touch):
        raise LabError("no")
    assert (tmp_path / "rescued").exists()


def test_failing_command_is_an_error() -> None:
    with pytest.raises(LabError, match="false failed with exit status 1"):
        command.run(["false"])


def test_missing_program_names_its_package() -> None:
    with pytest.raises(LabError, match=r"no-such-program is not installed\n  apt-get install no-such-program"):
        command.find("no-such-program")


def test_lock_goes_with_its_holder(tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from lablib import lock
with lock.locked(Path({str(tmp_path)!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    holder = subprocess.Popen([sys.executable, "-c", code], cwd=SCRIPTS, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.wait()
    with lock.locked(tmp_path):
        assert list(tmp_path.iterdir()) == []
