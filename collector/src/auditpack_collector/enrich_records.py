# SPDX-License-Identifier: Apache-2.0
"""What enrichment adds to an event of `records`, under LAUREL's names where it has them (enrichment.md)."""

from __future__ import annotations

from typing import Any

from . import decode, flags
from .emit import Object, put
from .enrich import Enricher, Enrichment
from .process import Process
from .quote import records_text as text
from .scan import Record
from .tables import ERRNOS, SYSCALLS

NAMES = frozenset(
    """ANCESTORS DECODED ENV EXE_HASH LABELS OPID PID PPID SCRIPT SPAWNED_BY UID_GROUPS""".split()  # noqa: SIM905
)
"""Members that are ours and no field of the record."""
_OTHERS = (b"pid", b"opid")


class RecordsEnricher:
    """Puts members into the objects of records."""

    def __init__(self, enricher: Enricher) -> None:
        self._enricher = enricher
        self._options = enricher.options
        self._flags = flags.FlagDecoder()

    def arch(self, records: list[Record]) -> str:
        """Of the event's first SYSCALL record."""
        return next((flags.arch_of(record.fields) for record in records if record.type == b"SYSCALL"), "")

    def host(self, node: bytes, out: Object) -> None:
        """HOST, behind the records."""
        names = ("id", "boot_id", "cloud_provider", "cloud_instance_id")
        found = {name: text(value.encode()) for name, value in zip(names, self._options.machine) if value}
        if found and self._enricher.own(node):
            put(out, "HOST", found)

    def record(self, record: Record, found: Enrichment, arch: str, out: Object) -> None:
        """At the end of the record's object."""
        if record.type == b"SYSCALL":
            self._syscall(found, out)
        elif record.type == b"EXECVE":
            if found.environment:
                environment = {text(name): None if value is None else text(value) for name, value in found.environment}
                put(out, "ENV", environment)
            return
        elif self._options.process:
            for name, token in record.fields:
                if name in _OTHERS:
                    self._other(record, name, token, out)
        if self._options.decode:
            self._decoded(record, arch, out)

    def _syscall(self, found: Enrichment, out: Object) -> None:
        options, process, parent = self._options, found.process, found.parent
        if process is not None and options.process:
            inner = self._identity(process)
            self._place(process, inner)
            put(out, "PID", inner)
            if parent is not None:
                put(out, "PPID", self._identity(parent))
        if parent is not None and options.parent:
            put(out, "SPAWNED_BY", self._named(parent))
        if found.ancestors:
            put(out, "ANCESTORS", [self._named(each) for each in found.ancestors])
        if found.script and options.script:
            put(out, "SCRIPT", text(found.script))
        if found.labels:
            put(out, "LABELS", [text(label) for label in found.labels])
        if found.groups:
            put(out, "UID_GROUPS", [text(group) for group in found.groups])
        if found.hash:
            put(out, "EXE_HASH", text(found.hash))

    def _identity(self, process: Process) -> Object:
        out: Object = {}
        if process.event:
            out["EVENT_ID"] = text(process.event)
        elif process.started:
            out["START_TIME"] = text(process.started)
        if self._options.guid:
            out["GUID"] = text(self._enricher.guid(process))
        return out

    def _place(self, process: Process, out: Object) -> None:
        cgroup = process.cgroup
        if cgroup.container and self._options.container:
            inner: Object = {"id": text(cgroup.container)}
            for name, value in (("runtime", cgroup.runtime), ("pod_uid", cgroup.pod)):
                if value:
                    inner[name] = text(value)
            out["container"] = inner
        if self._options.unit:
            if cgroup.services:
                out["systemd_service"] = [text(service) for service in cgroup.services]
            if cgroup.unit:
                out["systemd_unit"] = text(cgroup.unit)

    def _named(self, process: Process) -> Object:
        out = self._identity(process)
        out["pid"] = process.pid
        if process.comm:
            out["comm"] = text(process.comm)
        if process.exe:
            out["exe"] = text(process.exe)
        return out

    def _other(self, record: Record, name: bytes, token: bytes, out: Object) -> None:
        number = decode.decimal(token)
        process = self._enricher.table.find(record.node, number) if number is not None else None
        if process is None:
            return
        inner = self._identity(process)
        if name == b"opid":
            if process.comm:
                inner["comm"] = text(process.comm)
            if process.exe:
                inner["exe"] = text(process.exe)
            inner["ppid"] = process.ppid
        put(out, name.decode().upper(), inner)

    def _decoded(self, record: Record, arch: str, out: Object) -> None:
        said: dict[str, Any] = {}
        syscall = None
        if record.type == b"SYSCALL":
            syscall = _syscall(record, arch)
            error = _error(record)
            if error is not None:
                said["exit"] = error
        if record.type == b"SECCOMP":
            arch = flags.arch_of(record.fields)
        said.update(self._flags.record(record.type, record.fields, arch, syscall))
        keys = flags.typed(record.type, record.fields)
        if keys is not None:
            said["data"] = text(keys)
        if said:
            put(out, "DECODED", said)


def _syscall(record: Record, arch: str) -> str | None:
    token = next((token for name, token in record.fields if name == b"syscall"), b"")
    number = decode.decimal(token)
    return None if number is None else SYSCALLS.get(arch, {}).get(number)


def _error(record: Record) -> str | None:
    token = next((token for name, token in record.fields if name == b"exit"), b"")
    number = decode.decimal(token)
    return None if number is None or number >= 0 else ERRNOS.get(-number)
