# SPDX-License-Identifier: Apache-2.0
"""What enrichment asks this machine: /proc, the user database, executables, runtimes' files. Never raises for a
process that is gone; what may not be read is missing. The C asks by `ask`, with texts parted by NUL."""

from __future__ import annotations

import grp
import os
import pwd
import time
from pathlib import Path
from typing import Final

from .container import Containers, parse
from .enrich_options import EnrichOptions
from .exehash import ExeHash
from .process import NO_CGROUP, Cgroup, Facts

MAX_ENVIRON: Final = 256 << 10
MAX_VALUE: Final = 4096
MAX_CGROUP: Final = 64 << 10
MAX_AGE: Final = 1800.0
MAX_USERS: Final = 4096
LATER: Final = 2
"""Seconds by which a process may have begun after the event's time stamp and still be its process (clock steps)."""

Environment = list[tuple[bytes, "bytes | None"]]


class Source:
    """One per pipeline. `options.proc` is the root of procfs, `options.root` that of the machine's files."""

    def __init__(self, options: EnrichOptions) -> None:
        self._options = options
        self._proc = options.proc
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._boot = _boot_time(options.proc) if options.proc else 0
        self._hash = ExeHash(options.hash_max_bytes, options.hash_cache)
        self._containers = Containers(options.root)
        self._groups: dict[int, tuple[float, list[bytes]]] = {}
        patterns = [each.encode("utf-8", "surrogateescape") for each in options.environment]
        self._names = frozenset(each for each in patterns if not each.endswith(b"*"))
        self._prefixes = tuple(each[:-1] for each in patterns if each.endswith(b"*"))

    def process(self, pid: int, second: int) -> Facts | None:
        """Who runs under the pid now; None when it began after the event, so is another."""
        text = _read(f"{self._proc}/{pid}/stat", 4096)
        opened, closed = text.find(b"("), text.rfind(b")")
        rest = text[closed + 1 :].split()
        if opened < 0 or closed < opened or len(rest) < 20:
            return None
        ppid, start = int(rest[1]), int(rest[19])
        milliseconds = self._boot * 1000 + start * 1000 // self._ticks
        if milliseconds // 1000 > second + LATER:
            return None
        wanted = self._options.container or self._options.unit or self._options.rules
        cgroup = self._cgroup(pid) if wanted else NO_CGROUP
        try:
            exe = os.fsencode(os.readlink(f"{self._proc}/{pid}/exe"))  # noqa: PTH115
        except OSError:  # a kernel thread, or gone
            exe = b""
        started = b"%d.%03d" % divmod(milliseconds, 1000)
        if exe.endswith(b" (deleted)"):
            exe = exe[:-10]
        return Facts((start, started, ppid), text[opened + 1 : closed], exe, cgroup)

    def groups(self, uid: int) -> list[bytes]:
        """Names of the groups of a user; empty for one that the user database does not have."""
        now = time.monotonic()
        known = self._groups.get(uid)
        if known is None or now - known[0] >= MAX_AGE:
            if len(self._groups) >= MAX_USERS:
                self._groups.clear()
            known = self._groups[uid] = (now, _groups(uid))
        return known[1]

    def environment(self, pid: int) -> Environment:
        """The chosen variables that are set; the value of one without `=` is None."""
        found: Environment = []
        for entry in _read(f"{self._proc}/{pid}/environ", MAX_ENVIRON).split(b"\0"):
            name, equals, value = entry.partition(b"=")
            if name and (name in self._names or name.startswith(self._prefixes or (b"=",))):
                found.append((name, value[:MAX_VALUE] if equals else None))
        return found

    def hash(self, pid: int, exe: bytes) -> bytes:
        """Of the running program; of one that has ended already the file at `exe`, unless that is b""."""
        found = self._hash.digest(f"{self._proc}/{pid}/exe") if self._proc else b""
        return found or (self._hash.digest(os.fsdecode(exe)) if exe.startswith(b"/") else b"")

    def ask(self, question: int, number: int, second: int, text: bytes) -> bytes:
        """csrc/enrich.h, enum enrich_question."""
        if question == 0:
            facts = self.process(number, second)
            if facts is None:
                return b""
            own = [b"%d" % facts.start, facts.started, b"%d" % facts.ppid, facts.comm, facts.exe]
            return _texts([*own, *facts.cgroup.texts()])
        if question == 1:
            return _texts(self.groups(number))
        if question == 2:
            return _texts([name if value is None else name + b"=" + value for name, value in self.environment(number)])
        found = self.hash(number, text)
        return _texts([found]) if found else b""

    def _cgroup(self, pid: int) -> Cgroup:
        cgroup = parse(_read(f"{self._proc}/{pid}/cgroup", MAX_CGROUP).decode("utf-8", "surrogateescape"))
        if cgroup.container and self._options.container:
            self._containers.name(cgroup)
        return cgroup


def _texts(texts: list[bytes]) -> bytes:
    return b"".join([each + b"\0" for each in texts])


def _read(path: str, limit: int) -> bytes:
    """The first bytes of a file of /proc; b"" when the process is gone or may not be seen."""
    try:
        with Path(path).open("rb", buffering=0) as file:
            data = b""
            while len(data) < limit:
                more = file.read(limit - len(data))
                if not more:
                    break
                data += more
            return data
    except OSError:
        return b""


def _boot_time(proc: str) -> int:
    for line in _read(f"{proc}/stat", 1 << 20).splitlines():
        if line.startswith(b"btime "):
            return int(line[6:])
    raise OSError(0, "no btime: is procfs mounted?", f"{proc}/stat")


def _groups(uid: int) -> list[bytes]:
    try:
        account = pwd.getpwuid(uid)
        numbers = os.getgrouplist(account.pw_name, account.pw_gid)
    except (KeyError, OverflowError):
        return []
    names = []
    for number in numbers:
        try:
            names.append(os.fsencode(grp.getgrgid(number).gr_name))
        except (KeyError, OverflowError):
            names.append(b"unknown(%d)" % number)
    return names
