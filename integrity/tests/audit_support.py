# SPDX-License-Identifier: Apache-2.0
"""Changes made for real, each with the audit event that the kernel gives for it, in the collector's form.

The records are those that kernels 6.1 and 6.12 write for these calls (collector/tests/corpus): names as programs gave
them, a PARENT per directory, DELETE and CREATE with the inode for a rename, none of the names for a descriptor.
"""

from __future__ import annotations

import json
import os
import stat
import time
from typing import Any

from integrity_support import World

from auditpack_integrity.audit import happening
from auditpack_integrity.packages import Packages
from auditpack_integrity.quote import ecs_text
from auditpack_integrity.rescan import Rescanner
from auditpack_integrity.selection import Selection
from auditpack_integrity.tracker import Tracker


class Audited:
    """`w.scan()` first. Each method does the thing and feeds its event; `settle()` returns the events then told."""

    def __init__(self, world: World, login: str = "alice", exe: str = "/usr/bin/test") -> None:
        self.world = world
        self.now = 1000.0
        self.login, self.exe = login, exe
        self.pid = 4_000_000  # beyond pid_max: no such process
        self.serial = 0
        self.feeding = True
        self.parent_exe = ""
        config = world.config
        self.rescanner = Rescanner(config, world.ledger)
        self.tracker = Tracker(
            world.ledger, Selection(config), self.rescanner.inspector, config.feed.settle, clock=lambda: self.now
        )
        self.packages = Packages(config, world.baseline, "/nonexistent")
        world.ledger.annotate = self.packages.annotate
        self.tracker.hold = self.packages.hold

    def line(self, syscall: str, paths: list[tuple[Any, ...]], arguments: dict[str, str], cwd: bytes = b"/") -> bytes:
        self.serial += 1
        records: list[dict[str, Any]] = [
            {"type": "SYSCALL", "arch": "x86_64", "syscall": syscall, "success": "yes", "exit": 0, **arguments,
             "pid": self.pid, "auid": 1000, "uid": 0, "exe": self.exe, "key": ["file-integrity"]},
            {"type": "CWD", "cwd": ecs_text(cwd)},
        ]  # fmt: skip
        for item, (name, found, kind) in enumerate(paths):
            records.append(
                {"type": "PATH", "item": item, "name": None if name is None else ecs_text(name), "inode": found.st_ino,
                 "dev": f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}", "mode": f"0{found.st_mode:o}",
                 "nametype": kind}
            )  # fmt: skip
        process: dict[str, Any] = {"pid": self.pid, "name": os.path.basename(self.exe), "executable": self.exe}
        if self.parent_exe:
            process["parent"] = {"pid": self.pid - 1, "executable": self.parent_exe}
        document = {
            "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".500Z",
            "event": {"id": f"1795180126.804:{self.serial}", "module": "auditd"},
            "user": {"id": "0", "name": "root", "audit": {"id": "1000", "name": self.login}},
            "process": process,
            "tags": ["file-integrity"],
            "auditd": {"schema": 1, "session": "4", "records": records},
        }
        return json.dumps(document).encode()

    def feed(self, syscall: str, paths: list[tuple[Any, ...]], cwd: bytes = b"/", **arguments: str) -> None:
        if self.feeding:
            event = happening(self.line(syscall, paths, arguments, cwd))
            if event is not None:
                event.touch.manager = self.packages.manager_of(event.touch)
                self.tracker.take(event)

    def settle(self, seconds: float = 2.0) -> list[dict[str, Any]]:
        self.now += seconds
        while self.tracker.work():
            pass
        assert self.world.baseline.computed_sum() == self.world.baseline.sum()
        return self.world.events()

    def told(self, seconds: float = 2.0) -> dict[str, list[str]]:
        events = self.settle(seconds)
        for event in events:
            assert event["user"]["audit"]["name"] == self.login, event
        return self.world.told(events)

    def path(self, name: str | bytes) -> bytes:
        return self.world.path(name)

    def write(self, name: str | bytes, data: str = "x", append: bool = False) -> None:
        path = self.path(name)
        there = os.path.lexists(path)
        with open(path, "a" if append else "w") as file:
            file.write(data)
        parent = (os.path.dirname(path) + b"/", os.stat(os.path.dirname(path)), "PARENT")
        self.feed("openat", [parent, (path, os.stat(path), "NORMAL" if there else "CREATE")], a2="0x241")

    def remove(self, name: str | bytes, at: str | None = None) -> None:
        """`at`: by a descriptor of the directory, as `rm -r` does; the text says nothing of where it lies then."""
        path = self.path(name)
        found = os.lstat(path)
        parent = os.stat(os.path.dirname(path))
        (os.rmdir if stat.S_ISDIR(found.st_mode) else os.unlink)(path)
        if at is None:
            self.feed("unlinkat", [(os.path.dirname(path) + b"/", parent, "PARENT"), (path, found, "DELETE")])
        else:
            shown = os.path.basename(path)
            self.feed("unlinkat", [(at.encode(), parent, "PARENT"), (shown, found, "DELETE")], cwd=at.encode())

    def rename(self, old: str | bytes, new: str | bytes) -> None:
        a, b = self.path(old), self.path(new)
        moved = os.lstat(a)
        over = os.lstat(b) if os.path.lexists(b) else None
        parents = [(os.path.dirname(each) + b"/", os.stat(os.path.dirname(each)), "PARENT") for each in (a, b)]
        os.rename(a, b)
        gone = [(b, over, "DELETE")] if over else []
        self.feed("rename", [*parents, (a, moved, "DELETE"), *gone, (b, moved, "CREATE")])

    def mkdir(self, name: str | bytes, cwd: bytes | None = None) -> None:
        path = self.path(name)
        os.mkdir(path)
        parent = os.stat(os.path.dirname(path))
        shown = path if cwd is None else os.path.basename(path)
        folder = os.path.dirname(path) + b"/" if cwd is None else cwd
        self.feed("mkdirat", [(folder, parent, "PARENT"), (shown, os.stat(path), "CREATE")], cwd=cwd or b"/")
