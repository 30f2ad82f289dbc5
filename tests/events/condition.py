# SPDX-License-Identifier: Apache-2.0
"""The kernel's, auditd's and the collector's own account of how they are, on the host.

Runs on hosts: standard library, Python >= 3.9.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .agent import TAIL

TICK = 0.02


def until(done: Callable[[], bool], seconds: float) -> bool:
    """Ask `done` again and again, at most `seconds` long (monotonic: cases set the clock)."""
    limit = time.monotonic() + seconds
    while not done():
        if time.monotonic() > limit:
            return False
        time.sleep(TICK)
    return True


def state(status_file: str) -> dict[str, Any]:
    """The kernel's and the collector's own account: `{"kernel": {...}, "collector": {...}, "daemon": …}`."""
    printed = subprocess.run(["auditctl", "-s"], check=True, capture_output=True, text=True).stdout
    kernel: dict[str, Any] = {}
    for line in printed.splitlines():
        name, _, value = line.partition(" ")
        kernel[name] = int(value) if value.strip().isdigit() else value.strip()
    path = Path(status_file)
    collector = json.loads(path.read_text()) if path.exists() else None
    return {"kernel": kernel, "collector": collector, "daemon": daemon(), "rules_check": _augenrules()}


def renewed(path: Path) -> bool:
    """Wait for the collector to write its status once more, so that it tells of everything before now."""
    if not path.exists():
        return False
    known = path.read_bytes()
    interval = float(json.loads(known).get("interval", 10))
    return until(lambda: path.read_bytes() != known, 2 * interval + 5)


def daemon() -> dict[str, str]:
    """`active`, and the end of the journal if it is not."""
    active = subprocess.run(["systemctl", "is-active", "auditd"], check=False, capture_output=True, text=True)
    answer = {"state": active.stdout.strip()}
    if active.returncode != 0:
        command = ["journalctl", "-u", "auditd", "-n", "15", "--no-pager", "-o", "cat"]
        answer["journal"] = subprocess.run(command, check=False, capture_output=True, text=True).stdout[-TAIL:]
    return answer


def _augenrules() -> str:
    """What `augenrules --check` prints; its exit status says nothing (0 also when rules have changed)."""
    done = subprocess.run(["augenrules", "--check"], check=False, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()
