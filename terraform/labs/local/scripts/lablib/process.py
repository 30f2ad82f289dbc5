# SPDX-License-Identifier: Apache-2.0
"""Processes of our own, told apart from a stranger that got the same pid later.

A process is recorded as ``{"pid": int, "start": str, "boot": str}``: `start` is field 22 of /proc/<pid>/stat (clock
ticks since boot, proc_pid_stat(5)), `boot` the kernel's boot id. All three must match before a signal is sent.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TypedDict

from .errors import LabError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Record(TypedDict):
    pid: int
    start: str
    boot: str


def start_time(pid: int) -> str | None:
    """Field 22 of /proc/<pid>/stat, or None when there is no such process (a zombie counts as none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # comm may hold blanks and parentheses; field 3 is fields[0]
    return None if fields[0] == "Z" else fields[19]


def own_record() -> Record:
    """The record of the calling process; it stays right across exec."""
    start = start_time(os.getpid())
    if start is None:
        raise LabError("cannot read /proc/self/stat", "mount /proc")
    return {"pid": os.getpid(), "start": start, "boot": BOOT_ID.read_text(encoding="ascii").strip()}


def write(path: Path, record: Record) -> None:
    """Write the record so that a reader sees all of it or nothing."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(record) + "\n", encoding="ascii")
    temporary.replace(path)


def read(path: Path) -> Record | None:
    """The record in `path`; None when there is none; LabError when it is not a record."""
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    try:
        data = json.loads(text)
        return {"pid": int(data["pid"]), "start": str(data["start"]), "boot": str(data["boot"])}
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{path}:1: not a process record ({error})", "remove the file if no QEMU of this lab runs"
        ) from error


def is_alive(record: Record | None) -> bool:
    """True only for the very process that was recorded."""
    if record is None or record["boot"] != BOOT_ID.read_text(encoding="ascii").strip():
        return False
    return start_time(record["pid"]) == record["start"]


def stop(path: Path, patience: float = 10.0) -> bool:
    """End the process recorded in `path`, SIGTERM then SIGKILL, and remove the record. True if it was running."""
    record = read(path)
    running = is_alive(record)
    if running and record is not None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(record["pid"], number)
            except ProcessLookupError:
                break
            if _gone(record, patience):
                break
        else:
            raise LabError(f"process {record['pid']} does not end", "it may hang in the kernel; see its state with ps")
    path.unlink(missing_ok=True)
    return running


def _gone(record: Record, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not is_alive(record):
            return True
        time.sleep(0.05)
    return False
