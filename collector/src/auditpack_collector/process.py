# SPDX-License-Identifier: Apache-2.0
"""Processes as events show them: who a pid is, which program it runs, who its parent was.

A pid is one process as long as its parent's pid stays, or its program without an execve; an execve under another parent
is a new process that got the pid again. With /proc the start time decides instead. Forks are not tracked (the child's
number in clone()'s result is of its own pid namespace): a child is known from its first event, its parent by `ppid`.
The table is bounded in processes and bytes; the one longest unused goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

MAX_PROCESSES: Final = 16384
MAX_BYTES: Final = 16 << 20
"""Of all names and paths in the table."""
MAX_NAME: Final = 64
MAX_PATH: Final = 4096


class Facts:
    """What /proc says of a process: procfs.py. `start`: clock ticks since boot; `started`: "sec.ms" since 1970."""

    __slots__ = ("cgroup", "comm", "exe", "ppid", "start", "started")

    def __init__(self, began: tuple[int, bytes, int], comm: bytes, exe: bytes, cgroup: Cgroup) -> None:
        """`began`: start, started, ppid."""
        self.start, self.started, self.ppid = began
        self.comm = comm
        self.exe = exe
        self.cgroup = cgroup


class Cgroup:
    """What a control group's path says; b"" is nothing. `services`: every *.service on the path. `name`, `image`,
    `pod_name` and `namespace` are what the runtime wrote down about the container."""

    __slots__ = ("container", "image", "name", "namespace", "pod", "pod_name", "runtime", "services", "unit")

    def __init__(self, texts: Sequence[bytes] = ()) -> None:
        """`texts`: container, runtime, pod, unit, name, image, pod_name, namespace, then the services."""
        padded = (*texts, *[b""] * 8)
        self.container, self.runtime, self.pod, self.unit = padded[:4]
        self.name, self.image, self.pod_name, self.namespace = padded[4:8]
        self.services = tuple(texts[8:])

    def texts(self) -> list[bytes]:
        names = [self.name, self.image, self.pod_name, self.namespace]
        return [self.container, self.runtime, self.pod, self.unit, *names, *self.services]

    def size(self) -> int:
        return sum(map(len, self.texts()))


NO_CGROUP: Final = Cgroup()


class Process:
    """`event`: id of the execve that began its program, else of its first event; b"" when only /proc knows it.
    `first`: id of its first event. `parent`: number of its parent in the table, 0 unknown. `labels`: bits."""

    __slots__ = (
        "cgroup", "comm", "event", "exe", "first", "key", "labels", "number", "parent", "pid", "ppid", "script",
        "start", "started",
    )  # fmt: skip

    def __init__(self, key: tuple[bytes, int], number: int, ppid: int) -> None:
        self.key = key
        self.pid = key[1]
        self.number = number
        self.ppid = ppid
        self.event = self.first = self.comm = self.exe = self.started = self.script = b""
        self.start = -1
        self.parent = 0
        self.labels = 0
        self.cgroup = NO_CGROUP

    def size(self) -> int:
        return len(self.comm) + len(self.exe) + len(self.script) + self.cgroup.size()


class ProcessTable:
    """Processes by (node, pid) and by a number that is never given twice."""

    def __init__(self) -> None:
        self._pids: dict[tuple[bytes, int], Process] = {}
        self._numbers: OrderedDict[int, Process] = OrderedDict()  # the longest unused first
        self._last = 0
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def find(self, node: bytes, pid: int) -> Process | None:
        found = self._pids.get((node, pid))
        if found is not None:
            self._numbers.move_to_end(found.number)
        return found

    def parent(self, process: Process) -> Process | None:
        return self._numbers.get(process.parent)

    def ancestors(self, process: Process, depth: int) -> list[Process]:
        """Parent first."""
        found: list[Process] = []
        at = self.parent(process)
        while at is not None and len(found) < depth:
            found.append(at)
            at = self.parent(at)
        return found

    def add(self, node: bytes, pid: int, ppid: int) -> Process:
        """A new process; one of that pid before it stays known to its children."""
        self._last += 1
        process = Process((node, pid), self._last, ppid)
        self._pids[process.key] = process
        self._numbers[process.number] = process
        if len(self._numbers) > MAX_PROCESSES:
            self._drop()
        return process

    def resize(self, process: Process, before: int) -> None:
        """After its texts changed; `before`: their size then."""
        self._bytes += process.size() - before
        while self._bytes > MAX_BYTES and len(self._numbers) > 1:
            self._drop()

    def _drop(self) -> None:
        _, gone = self._numbers.popitem(last=False)
        self._bytes -= gone.size()
        if self._pids.get(gone.key) is gone:
            del self._pids[gone.key]
