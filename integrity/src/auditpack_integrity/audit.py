# SPDX-License-Identifier: Apache-2.0
"""An event of the collector (format `ecs`, docs/collector/events.md) → what it may have done to which names.

What happened is read from the PATH records: nametype CREATE and DELETE with one inode is a rename, CREATE beside a
NORMAL of the same inode a hard link (kernel/auditsc.c, fs/namei.c). Names are relative to the working directory, or to
a descriptor that no record names; the PARENT record's inode tells either way.
"""

from __future__ import annotations

import calendar
import json
import os
import time
from typing import Any, Final, NamedTuple

from .change import Touch
from .quote import unquote

_OPENS: Final = {"open": 1, "openat": 2, "open_by_handle_at": 2, "creat": None, "openat2": None}
"""Calls that open, with the argument that holds the flags; None: they always count as writing."""

_O_WRITES: Final = 0o3 | 0o1000 | 0o100  # O_ACCMODE, O_TRUNC, O_CREAT; values of every machine with generic headers
_O_CREAT_ONLY: Final = 0o100

_CHANGES: Final = frozenset(
    (
        *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir"),
        *("mkdir", "mkdirat", "mknod", "mknodat", "truncate", "ftruncate", "truncate64", "ftruncate64", "fallocate"),
        *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "chown32", "fchown32"),
        *("lchown32", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr"),
        *("fremovexattr", "removexattrat", "utime", "utimes", "utimensat", "utimensat_time64", "futimesat"),
        *("file_setattr", "bind", "write", "pwrite64", "copy_file_range", "mmap", "io_uring_enter"),
    )
)
_WHO: Final = ("user", "process", "group", "container", "orchestrator", "service", "cloud", "source", "related", "tags")
_SESSION: Final = ("session", "labels", "unit")


class Name(NamedTuple):
    """A PATH record. `name`: as it stood, None for a descriptor. `device`: st_dev."""

    name: bytes | None
    inode: int
    device: int
    is_dir: bool
    kind: str


class Happening(NamedTuple):
    """An event that may have changed files: who, and the names in the order of the records."""

    touch: Touch
    cwd: bytes
    names: list[Name]
    parents: list[Name]


def happening(line: bytes) -> Happening | None:
    """None for an event that cannot have changed a file. ValueError for what is no event of the collector."""
    if b'"PATH"' not in line:
        return None
    document = json.loads(line)
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    records = document.get("auditd", {}).get("records")
    if not records:
        return None
    call = next((record for record in records if record.get("type") in ("SYSCALL", "URINGOP")), None)
    if call is None or call.get("success") != "yes":
        return None
    syscall = str(call.get("syscall") or call.get("uring_op") or "")
    names, parents, cwd = _names(records)
    writes = _writes(call, syscall)
    if not writes and syscall not in _CHANGES and not any(name.kind in ("CREATE", "DELETE") for name in names):
        return None
    touch = Touch(
        _seconds(document),
        str(document["event"]["id"]),
        syscall,
        int(call.get("pid") or 0),
        _who(document),
        writes,
    )
    return Happening(touch, cwd, names, parents)


def _names(records: list[dict[str, Any]]) -> tuple[list[Name], list[Name], bytes]:
    names: list[Name] = []
    parents: list[Name] = []
    cwd = b""
    for record in records:
        kind = record.get("type")
        if kind == "CWD":
            cwd = unquote(record.get("cwd") or "")
        if kind != "PATH" or not isinstance(record.get("inode"), int):
            continue  # a name that led nowhere, or the text of a symbolic link
        name = record.get("name")
        mode = record.get("mode")
        one = Name(
            unquote(name) if isinstance(name, str) else None,
            record["inode"],
            _device(str(record.get("dev", ""))),
            isinstance(mode, str) and int(mode, 8) & 0o170000 == 0o040000,
            str(record.get("nametype", "")),
        )
        (parents if one.kind == "PARENT" else names).append(one)
    return names, parents, cwd


def _writes(call: dict[str, Any], syscall: str) -> bool:
    """Whether the call opened a file for writing, or wrote."""
    if syscall not in _OPENS:
        return syscall in ("truncate", "ftruncate", "write", "pwrite64", "copy_file_range", "mmap")
    argument = _OPENS[syscall]
    flags = call.get(f"a{argument}") if argument is not None else None
    try:
        number = int(flags, 16) if isinstance(flags, str) else _O_WRITES
    except ValueError:
        number = _O_WRITES
    return bool(number & _O_WRITES & ~_O_CREAT_ONLY)


def _who(document: dict[str, Any]) -> dict[str, Any]:
    who: dict[str, Any] = {name: document[name] for name in _WHO if name in document}
    audit = document["auditd"]
    session: dict[str, Any] = {name: audit[name] for name in _SESSION if name in audit}
    if session:
        who["auditd"] = session
    return who


def _seconds(document: dict[str, Any]) -> float:
    stamp = str(document.get("@timestamp", ""))
    try:
        whole = calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S"))
        return whole + float("0" + stamp[19:].rstrip("Z"))
    except ValueError:
        return time.time()


def _device(text: str) -> int:
    """ "fe:00" → st_dev."""
    major, _, minor = text.partition(":")
    try:
        return os.makedev(int(major, 16), int(minor, 16))
    except ValueError:
        return -1


def lost(line: bytes) -> str:
    """What a collector's event says was lost between the kernel and here; empty for every other event."""
    if b"lost-events" not in line:
        return ""
    document = json.loads(line)
    if document.get("event", {}).get("action") != "lost-events":
        return ""
    return json.dumps(document.get("auditd", {}).get("loss", {}).get("new", {}))
