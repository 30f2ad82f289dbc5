# SPDX-License-Identifier: Apache-2.0
"""Where the collector before this one stopped: so that what auditd could not deliver between the two is counted."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

TAIL = 1 << 18
_BOOT = re.compile(rb"^btime ([0-9]+)", re.M)
_ID = re.compile(r"([0-9]{1,15})\.[0-9]{1,3}:([0-9]{1,18})")


def last_serial(events: Path) -> int:
    """The highest serial among the last events of the file, or of its first rotation, since the boot; 0 for none."""
    boot = _BOOT.search(Path("/proc/stat").read_bytes())
    since = int(boot[1]) if boot else 0
    for path in (events, events.with_name(events.name + ".1")):
        serials = [serial for second, serial in map(_identity, _tail(path)) if second >= since]
        if serials:
            return max(serials)
    return 0


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
        event = json.loads(line)
        identity = event["event"]["id"] if "event" in event else event["ID"]
        match = _ID.fullmatch(identity)
    except (ValueError, KeyError, TypeError):
        return (-1, 0)
    return (int(match[1]), int(match[2])) if match else (-1, 0)
