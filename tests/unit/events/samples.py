# SPDX-License-Identifier: Apache-2.0
"""Events for the tests, in both formats, as the collector prints them; and the outcome around them."""

from __future__ import annotations

from typing import Any

SYSCALLS = {"b64": {"openat": 257, "connect": 42, "execve": 59}, "b32": {"openat": 295}}
USERS = {"root": 0, "alice": 1000, "bob": 1001}


def touch(number: int = 204, **changes: Any) -> dict[str, Any]:
    """`sudo touch /etc/passwd` by alice, as ecs; `changes` go into its SYSCALL record."""
    call = {
        "type": "SYSCALL", "arch": "x86_64", "syscall": "openat", "success": "yes", "exit": 3,
        "a0": "ffffff9c", "a1": "7ffd", "a2": "941", "a3": "1b6", "ppid": 831, "pid": 867,
        "auid": 1000, "uid": 0, "euid": 0, "auid_name": "alice", "uid_name": "root", "euid_name": "root", "ses": 4,
        "comm": "touch", "exe": "/usr/bin/touch", "key": ["identity"], **changes,
    }  # fmt: skip
    return {
        "@timestamp": "2026-11-20T21:23:21.123Z",
        "event": {"id": f"1795180126.804:{number}", "sequence": number, "kind": "event"},
        "tags": ["identity"],
        "auditd": {
            "schema": 1,
            "records": [
                call,
                {"type": "CWD", "cwd": "/root"},
                {"type": "PATH", "item": 0, "name": "/etc/", "nametype": "PARENT", "ouid": 0, "ouid_name": "root"},
                {
                    "type": "PATH",
                    "item": 1,
                    "name": "/etc/passwd",
                    "nametype": "NORMAL",
                    "ouid": 0,
                    "ouid_name": "root",
                },
                {"type": "PROCTITLE", "proctitle": ["touch", "/etc/passwd"]},
            ],
        },
    }


def touch_records(number: int = 204) -> dict[str, Any]:
    """The same event as `records`."""
    return {
        "ID": f"1795180126.804:{number}",
        "SYSCALL": {
            "arch": "0xc000003e", "syscall": 257, "success": "yes", "exit": 3, "auid": 1000, "uid": 0, "euid": 0,
            "ses": 4, "comm": "touch", "exe": "/usr/bin/touch", "key": "identity",
            "AUID": "alice", "UID": "root", "EUID": "root",
            "ARGV": ["0xffffff9c", "0x7ffd", "0x941", "0x1b6"],
        },
        "CWD": {"cwd": "/root"},
        "PATH": [
            {"item": 0, "name": "/etc/", "nametype": "PARENT", "ouid": 0, "OUID": "root"},
            {"item": 1, "name": "/etc/passwd", "nametype": "NORMAL", "ouid": 0, "OUID": "root"},
        ],
        "PROCTITLE": {"ARGV": ["touch", "/etc/passwd"]},
    }  # fmt: skip


def with_records(event: dict[str, Any], *records: dict[str, Any]) -> dict[str, Any]:
    event["auditd"]["records"] += records
    return event


def outcome(*events: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the driver reports of a trigger that ended well and left these events."""
    return {
        "rc": 0, "stdout": "", "stderr": "", "seconds": 0.4, "error": None, "truncated": 0, "events": list(events),
        "env": {"WORK": "/srv/proof/work1", "EACH": "/usr/bin/su", "PY": "/usr/bin/python3.11"},
        "users": USERS, "syscalls": SYSCALLS, **changes,
    }  # fmt: skip
