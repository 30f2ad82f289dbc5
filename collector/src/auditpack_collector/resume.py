# SPDX-License-Identifier: Apache-2.0
"""Where the collector before this one stopped: so that what auditd could not deliver between the two is counted."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from .config import Config, output_path

TAIL = 1 << 18
_BOOT = re.compile(rb"^btime ([0-9]+)", re.M)
_ID = re.compile(r"([0-9]{1,15})\.[0-9]{1,3}:([0-9]{1,18})")


def boot_time() -> int:
    """Seconds since the epoch."""
    found = _BOOT.search(Path("/proc/stat").read_bytes())
    return int(found[1]) if found else 0


def last_serial(config: Config, queues: Path) -> int:
    """The highest serial since the boot among the last events of the output files and disk queues; 0 for none.

    Outputs that take only what a filter sends are not asked.
    """
    since = boot_time()
    highest = 0
    for output in config.outputs():
        if output.receives == "all":
            if output.kind == "file":
                events = Path(output_path(output))
                highest = max(highest, _highest(events, since) or _highest(events.with_name(events.name + ".1"), since))
            segments = sorted((queues / output.name).glob("*.jsonl"))
            highest = max(highest, _highest(segments[-1], since) if segments else 0)
    return highest


def _highest(path: Path, since: int) -> int:
    return max((serial for second, serial in map(_identity, _tail(path)) if second >= since), default=0)


def _tail(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            return file.read().split(b"\n")[1 if size > TAIL else 0 :]
    except FileNotFoundError:
        return []


def _identity(line: bytes) -> tuple[int, int]:
    """(second, serial) of an event of either format; (-1, 0) for any other line, a torn one included."""
    try:
        event = json.loads(line[line.find(b"{") :])
        identity = event["event"]["id"] if "event" in event else event["ID"]
        match = _ID.fullmatch(identity)
    except (ValueError, KeyError, TypeError):
        return (-1, 0)
    return (int(match[1]), int(match[2])) if match else (-1, 0)
