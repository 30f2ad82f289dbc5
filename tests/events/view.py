# SPDX-License-Identifier: Apache-2.0
"""One event of the collector, in either format (`ecs` or `records`), as the fields that matchers ask for.

Runs on hosts too: standard library, Python >= 3.9. Field meanings: kernel `auditsc.c` and the audit field dictionary
(`field-dictionary.csv` of audit-documentation).
"""

from __future__ import annotations

import json
import posixpath
import re
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Record = dict[str, Any]
Event = Mapping[str, Any]

UNSET = 0xFFFFFFFF
_ABI = {"c000003e": "b64", "c00000b7": "b64", "x86_64": "b64", "aarch64": "b64"}
_ABI.update({"40000003": "b32", "40000028": "b32", "i386": "b32", "arm": "b32"})
_FAMILY = {"local": "unix", "inet": "inet", "inet6": "inet6", "ipv4": "inet", "ipv6": "inet6"}


class Socket(NamedTuple):
    """A decoded SOCKADDR record; `family` is `unix`, `inet`, `inet6` or the kernel's other names and numbers."""

    family: str
    addr: str | None = None
    port: int | None = None
    path: str | None = None


class PathName(NamedTuple):
    """A PATH record; `names` are the absolute names it may stand for (relative ones joined with CWD and parent)."""

    names: tuple[str, ...]
    nametype: str | None
    ouid: int | None
    ouid_name: str | None


def is_event(line: Event) -> bool:
    """Whether a line of the collector is an audit event, not a word of its own about losses or malformed lines."""
    inner = line.get("event")
    return "ID" in line or (isinstance(inner, Mapping) and "id" in inner)


def event_id(event: Event) -> str:
    """`<epoch>.<milliseconds>:<serial>` of an event; raises ValueError when it is of neither format."""
    if "ID" in event:
        return str(event["ID"])
    inner = event.get("event")
    if isinstance(inner, Mapping) and "id" in inner:
        return str(inner["id"])
    raise ValueError(f"neither an ecs nor a records event: {json.dumps(event)[:200]}")


def serial(event: Event) -> int:
    """The audit serial of an event: what orders events, whatever the clock does."""
    return int(event_id(event).rpartition(":")[2])


def records(event: Event) -> list[Record]:
    """All records of an event, in order, each with its `type`."""
    if "ID" not in event:
        auditd = event.get("auditd")
        found = auditd.get("records", []) if isinstance(auditd, Mapping) else []
        return [dict(record) for record in found]
    result: list[Record] = []
    for kind, body in event.items():
        for record in body if isinstance(body, list) else [body]:
            if kind.isupper() and isinstance(record, Mapping):
                result.append({"type": kind, **_unquoted(record)})
    return result


_QUOTED = re.compile(r"%([0-7][0-9a-f])")


def _unquoted(value: Any) -> Any:
    """`records` writes controls, `%` and `+` as %xx, as LAUREL does; bytes that are no UTF-8 stay so."""
    if isinstance(value, str):
        return _QUOTED.sub(lambda match: chr(int(match[1], 16)), value) if "%" in value else value
    if isinstance(value, Mapping):
        return {name: _unquoted(inner) for name, inner in value.items()}
    return [_unquoted(inner) for inner in value] if isinstance(value, list) else value


def strings(value: Any) -> Iterator[str]:
    """Every string inside an event, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from strings(inner)


class View:
    """The fields of one event; `syscalls` maps `b64`/`b32` to name → number, for formats that keep numbers only."""

    def __init__(self, event: Event, syscalls: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self.event = event
        self.records = records(event)
        self.types = [str(record.get("type")) for record in self.records]
        self._syscalls = syscalls or {}
        self._main: Record = next((r for r in self.records if r["type"] == "SYSCALL"), self.first)

    @property
    def first(self) -> Record:
        return self.records[0] if self.records else {"type": None}

    @property
    def id(self) -> str:
        return event_id(self.event)

    @property
    def keys(self) -> list[str]:
        """Keys of the rule that won; `key` is a list in ecs, a string or a list in records."""
        found: list[str] = []
        for record in self.records:
            value = record.get("key")
            for key in value if isinstance(value, list) else [value]:
                if isinstance(key, str) and key not in ("(null)", ""):
                    found.extend(key.split("\x01"))
        return found

    @property
    def abi(self) -> str | None:
        for value in (_name(self._main, "arch"), self._main.get("arch")):
            text = f"{value:x}" if isinstance(value, int) else str(value).lower().replace("0x", "", 1)
            if text in _ABI:
                return _ABI[text]
        return None

    @property
    def syscall(self) -> str | None:
        value = _name(self._main, "syscall")
        if value is None:
            value = self._main.get("syscall")
        number = to_int(value, 10)
        if number is None:
            return None if value is None else str(value)
        table = self._syscalls.get(self.abi or "b64", {})
        return next((name for name, known in table.items() if known == number), str(number))

    @property
    def success(self) -> bool | None:
        """`success` of a SYSCALL record; of user-space records the result that the program reports (`res`)."""
        value = self._main.get("success")
        if isinstance(value, bool):
            return value
        return _OUTCOME.get(str(self.text("res") if value is None else value))

    @property
    def exit(self) -> int | None:
        value = self._main.get("exit")
        return _errno(value) if isinstance(value, str) and not _NUMBER.match(value) else to_int(value, 10)

    def text(self, field: str) -> str | None:
        """A text field (`exe`, `comm`) of the SYSCALL record, else of the first record that has it."""
        for record in [self._main, *self.records]:
            for part in (record, record.get("msg")):
                if isinstance(part, Mapping) and part.get(field) is not None:
                    return str(part[field])
        return None

    def user(self, field: str) -> tuple[int | None, str | None]:
        """Number and name of `auid`, `uid` or `euid`; the name only if the event carries it."""
        return to_int(self._main.get(field), 10), _name(self._main, field)

    def argument(self, index: int) -> int | None:
        """System call argument a0…a3; the kernel prints them in hexadecimal."""
        argv = self._main.get("ARGV")
        if isinstance(argv, list) and index < len(argv):
            return to_int(argv[index], 16)
        return to_int(self._main.get(f"a{index}"), 16)

    @property
    def paths(self) -> list[PathName]:
        cwd = next((str(r["cwd"]) for r in self.records if r["type"] == "CWD" and r.get("cwd")), None)
        found = [r for r in self.records if r["type"] == "PATH"]
        parents = [str(r["name"]) for r in found if r.get("nametype") == "PARENT" and r.get("name")]
        return [
            PathName(
                _absolute(record.get("name"), cwd, parents),
                record.get("nametype"),
                to_int(record.get("ouid"), 10),
                _name(record, "ouid"),
            )
            for record in found
        ]

    @property
    def sockets(self) -> list[Socket]:
        return [s for s in (_socket(r) for r in self.records if r["type"] == "SOCKADDR") if s]

    def field(self, name: str) -> list[Any]:
        """Every value of a field, on any record or inside its `msg`."""
        return [
            part[name]
            for record in self.records
            for part in (record, record.get("msg"))
            if isinstance(part, Mapping) and name in part
        ]


_NUMBER = re.compile(r"-?\d+$")
_OUTCOME = {"yes": True, "success": True, "1": True, "no": False, "failed": False, "0": False}


def to_int(value: Any, base: int) -> int | None:
    """A number that may have been printed as text in `base`; None when it is no number."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    text = str(value)
    try:
        return int(text, 0) if text.startswith(("0x", "0o")) else int(text, base)
    except ValueError:
        return UNSET if text == "unset" else None


def _name(record: Mapping[str, Any], field: str) -> str | None:
    """The translated value: `<field>_name` in ecs, the upper-case twin in records."""
    for twin in (f"{field}_name", field.upper()):
        value = record.get(twin)
        if isinstance(value, str):
            return value
    return None


def _errno(text: str) -> int | None:
    import errno  # noqa: PLC0415 - only formats that translate `exit` need it

    number: int | None = getattr(errno, text.lstrip("-").partition("(")[0], None)
    return None if number is None else -number


def _absolute(name: Any, cwd: str | None, parents: list[str]) -> tuple[str, ...]:
    if not isinstance(name, str) or name == "(null)":
        return ()
    if name.startswith("/"):
        return (posixpath.normpath(name).replace("//", "/"),)
    joined = [posixpath.join(cwd, name)] if cwd else []
    joined += [posixpath.join(cwd or "/", parent, posixpath.basename(name)) for parent in parents]
    return tuple(dict.fromkeys(posixpath.normpath(path) for path in joined))


def _socket(record: Mapping[str, Any]) -> Socket | None:
    decoded = next((record[k] for k in ("SADDR", "saddr", "saddr_name") if isinstance(record.get(k), Mapping)), None)
    if decoded is None and isinstance(record.get("SADDR"), str):  # auditd's own: {saddr_fam=inet laddr=… lport=…}
        decoded = dict(pair.partition("=")[::2] for pair in record["SADDR"].strip("{}").split())
    if decoded is None:
        decoded = record if _pick(record, "family", "saddr_fam") else None
    if decoded is None:
        return _raw_socket(record.get("saddr"))
    family = str(_pick(decoded, "family", "saddr_fam"))
    return Socket(
        _FAMILY.get(family, family),
        _pick(decoded, "addr", "laddr", "address", "ip"),
        to_int(_pick(decoded, "port", "lport"), 10),
        _pick(decoded, "path") or (f"@{decoded['abstract']}" if decoded.get("abstract") else None),
    )


def _pick(record: Mapping[str, Any], *names: str) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _raw_socket(value: str | Any | None) -> Socket | None:
    """Decode `saddr` as the kernel prints it: struct sockaddr in hexadecimal, family in host byte order."""
    try:
        data = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return None
    if len(data) < 2:
        return None
    family = struct.unpack("=H", data[:2])[0]
    if family == socket.AF_UNIX:
        name = data[2:]
        path = "@" + name[1:].split(b"\0")[0].decode(errors="replace") if name[:1] == b"\0" else None
        return Socket("unix", path=path or name.split(b"\0")[0].decode(errors="replace"))
    if family == socket.AF_INET and len(data) >= 8:
        return Socket("inet", socket.inet_ntop(socket.AF_INET, data[4:8]), struct.unpack("!H", data[2:4])[0])
    if family == socket.AF_INET6 and len(data) >= 24:
        return Socket("inet6", socket.inet_ntop(socket.AF_INET6, data[8:24]), struct.unpack("!H", data[2:4])[0])
    return Socket({16: "netlink", 17: "packet"}.get(family, str(family)))
