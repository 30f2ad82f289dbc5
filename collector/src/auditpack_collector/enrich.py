# SPDX-License-Identifier: Apache-2.0
"""enrich: an ended event → what is known about its process beyond its own records. Between coalesce and filter.

Everything comes from events, in the order in which they end, and from a Source (enrich_source.py) where there is one:
/proc and files of this machine, never asked for events of another node. enrich_records.py and enrich_ecs.py print it.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from . import decode
from .coalesce import Event
from .enrich_options import EnrichOptions
from .labels import MAX_ARGUMENT_BYTES, MAX_ARGUMENTS, Labeller
from .process import MAX_NAME, MAX_PATH, Process, ProcessTable
from .scan import Record

if TYPE_CHECKING:
    from .enrich_source import Source

MAX_KEYS: Final = 64
MAX_PARENTS: Final = 8
"""Unknown parents asked of /proc for one event."""
_SCRIPT_PLACES: Final = (b"a1", b"a2", b"a3", b"a4")


class Enrichment:
    """Of one event. `process` None: unknown; `executed`: the event is an execve; `script`: its `#!` script or b""."""

    __slots__ = ("ancestors", "environment", "executed", "groups", "hash", "labels", "parent", "process", "script")

    def __init__(self) -> None:
        self.process: Process | None = None
        self.parent: Process | None = None
        self.ancestors: list[Process] = []
        self.executed = False
        self.script = b""
        self.labels: list[bytes] = []
        self.groups: list[bytes] = []
        self.environment: list[tuple[bytes, bytes | None]] = []
        self.hash = b""


class _Call:
    """Fields of a SYSCALL record; of a name that came twice the first."""

    __slots__ = ("comm", "exe", "keys", "login", "pid", "ppid", "success", "user")

    def __init__(self, record: Record) -> None:
        self.pid = self.ppid = self.user = self.login = -1
        self.comm = self.exe = b""
        self.keys: list[bytes] = []
        self.success = True
        seen = set()
        for name, token in record.fields:
            if name in seen:
                continue
            seen.add(name)
            if name == b"pid":
                self.pid = _number(token)
            elif name == b"ppid":
                self.ppid = _number(token)
            elif name == b"uid":
                self.user = _number(token)
            elif name == b"auid":
                self.login = _number(token)
            elif name == b"comm":
                self.comm = (decode.encoded(token) or b"")[:MAX_NAME]
            elif name == b"exe":
                self.exe = (decode.encoded(token) or b"")[:MAX_PATH]
            elif name == b"key":
                self.keys = decode.keys(token)[:MAX_KEYS]
            elif name == b"success":
                self.success = token != b"no"


class Enricher:
    """One per pipeline; remembers processes from event to event."""

    def __init__(self, options: EnrichOptions, hostname: str, source: Source | None) -> None:
        self.options = options
        self.table = ProcessTable()
        self.boot = options.boot.encode()
        self._labeller = Labeller(options) if options.keys or options.rules else None
        self._hostname = hostname.encode("utf-8", "surrogateescape")
        self._source = source

    def event(self, event: Event) -> Enrichment:
        found = Enrichment()
        first = event.records[0]
        local = self._source is not None and first.node in (b"", self._hostname)
        record = next((each for each in event.records if each.type == b"SYSCALL"), None)
        call = _Call(record or first)
        if call.pid <= 0:
            return found
        if record is None:
            found.process = self.table.find(first.node, call.pid)
        else:
            found.process = self._process(event, call, found, local)
        if found.process is not None:
            found.parent = self.table.parent(found.process)
            found.ancestors = self.table.ancestors(found.process, self.options.ancestors)
            if self._labeller is not None:
                found.labels = self._labeller.list(found.process.labels)
        if record is not None and local:
            self._ask(found, call)
        return found

    def own(self, node: bytes) -> bool:
        """The event is this machine's, whose name is in `options.machine`."""
        return any(self.options.machine) and node in (b"", self._hostname)

    def guid(self, process: Process) -> bytes:
        if process.start >= 0 and self.boot:
            return b"%s:%d:%d" % (self.boot, process.pid, process.start)
        return b"%d:%s" % (process.pid, process.first or process.started)

    def _process(self, event: Event, call: _Call, found: Enrichment, local: bool) -> Process:
        record = event.records[0]
        execve = next((each for each in event.records if each.type == b"EXECVE"), None) if call.success else None
        process = self.table.find(record.node, call.pid)
        facts = None
        if local and self.options.proc and (process is None or execve is not None):
            assert self._source is not None
            facts = self._source.process(call.pid, record.sec)
        if process is not None:
            if facts is not None and process.start >= 0:
                same = facts.start == process.start
            else:
                same = process.ppid == call.ppid or (execve is None and process.exe == call.exe)
            if not same:
                process = None
        new = process is None
        if process is None:
            process = self.table.add(record.node, call.pid, call.ppid)
            process.first = record.id
            parent = self._parent(record.node, call.ppid, record.sec if local else None)
            if parent is not None:
                process.parent = parent.number
                process.labels = parent.labels & (self._labeller.inherited if self._labeller is not None else 0)
                process.cgroup = parent.cgroup  # as fork() leaves it
            if facts is not None:
                process.start, process.started = facts.start, facts.started
        elif execve is not None and self._labeller is not None:
            process.labels &= self._labeller.inherited
        program = new or execve is not None or process.exe != call.exe
        before = process.size() if not new else 0
        if program:
            carried = process.script if posixpath.basename(process.exe) == b"env" else b""
            process.event = record.id
            process.comm, process.exe, process.script = call.comm, call.exe, b""
            if execve is not None:
                found.executed = True
                process.script = found.script = _script(event, execve, call.exe, carried)
            if facts is not None:
                process.cgroup = facts.cgroup
        process.ppid = call.ppid
        if program:
            self.table.resize(process, before)
        if self._labeller is not None:
            self._label(event, call, process, program)
        return process

    def _parent(self, node: bytes, pid: int, second: int | None) -> Process | None:
        """The process of a pid; asked of /proc when no event showed it, and its parents too."""
        found = self.table.find(node, pid) if pid > 0 else None
        if found is not None or second is None or not self.options.proc:
            return found
        assert self._source is not None
        child: Process | None = None
        for _ in range(MAX_PARENTS):
            facts = self._source.process(pid, second) if pid > 0 else None
            if facts is None:
                break
            process = self.table.add(node, pid, facts.ppid)
            process.start, process.started, process.cgroup = facts.start, facts.started, facts.cgroup
            process.comm, process.exe = facts.comm[:MAX_NAME], facts.exe[:MAX_PATH]
            self.table.resize(process, 0)
            if child is None:
                found = process
            else:
                child.parent = process.number
            known = self.table.find(node, facts.ppid) if facts.ppid > 0 else None
            if known is not None:
                process.parent = known.number
                break
            child, pid = process, facts.ppid
        return found

    def _label(self, event: Event, call: _Call, process: Process, program: bool) -> None:
        labeller = self._labeller
        assert labeller is not None
        labels = labeller.of_keys(process.labels, call.keys)
        if program or call.keys:
            argv = _argv(event) if labeller.wants_argv and (program or call.keys) else None
            labels = labeller.of_rules(
                labels,
                {
                    "exe": [process.exe],
                    "argv": None if argv is None else [argv],
                    "script": [process.script] if process.script else None,
                    "key": call.keys,
                    "unit": [process.cgroup.unit] if process.cgroup.unit else None,
                    "user": [b"%d" % call.user] if call.user >= 0 else None,
                    "login": [b"%d" % call.login] if call.login >= 0 else None,
                },
                only_keys=not program,
            )
        process.labels = labels

    def _ask(self, found: Enrichment, call: _Call) -> None:
        source, options = self._source, self.options
        assert source is not None
        if options.groups and call.user >= 0:
            found.groups = source.groups(call.user)
        if found.executed:
            if options.environment:
                found.environment = source.environment(call.pid)
            if options.hash:
                contained = found.process is not None and found.process.cgroup.container
                found.hash = source.hash(call.pid, b"" if contained else call.exe)


def _number(token: bytes) -> int:
    number = decode.decimal(token)
    return -1 if number is None or not 0 <= number < 1 << 32 else number


def _script(event: Event, execve: Record, exe: bytes, carried: bytes) -> bytes:
    """For `#!` the kernel puts the path that execve() got behind the interpreter and its argument: fs/binfmt_script.c.
    `carried`: the script that `env` ran for, when env now runs its interpreter."""
    path = next((each for each in event.records if each.type == b"PATH"), None)
    token = next((token for name, token in path.fields if name == b"name"), None) if path is not None else None
    named = (decode.encoded(token) or b"")[:MAX_PATH] if token is not None else b""
    if posixpath.basename(named) == posixpath.basename(exe):
        named = b""
    if not named and not carried:
        return b""
    for name, token in execve.fields:
        if name in _SCRIPT_PLACES:
            argument = decode.encoded(token)
            if argument and argument in (named, carried):
                return argument
    return b""


def _argv(event: Event) -> bytes | None:
    """The first arguments, joined by blanks; None without an EXECVE record."""
    records = [each for each in event.records if each.type == b"EXECVE"]
    if not records:
        return None
    vector = decode.arguments(records)[0][:MAX_ARGUMENTS]
    return b" ".join(argument or b"" for argument in vector)[:MAX_ARGUMENT_BYTES]
