# SPDX-License-Identifier: Apache-2.0
"""emit, format `ecs`: Elastic Common Schema 8 plus `auditd.*`. Shape and examples: docs/collector/events.md.

`auditd.records` holds every field of every record; all else is drawn from it. What an event means comes from
normalise.py, what a record's fields become from ecs_record.py, which ECS object they fill from here.
"""

from __future__ import annotations

import posixpath
import re
import socket
import time
from typing import TYPE_CHECKING, Any

from . import normalise
from .coalesce import Event
from .ecs_record import RecordDecoder
from .emit import ECS_VERSION, SCHEMA, Object, Repeated
from .fields import UNSET_ID
from .normalise import Meaning
from .options import Options
from .quote import ecs_text as text
from .users import Names

if TYPE_CHECKING:
    from .enrich import Enricher
    from .enrich_ecs import EcsEnricher

_LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z; a later time stamp is forged and clamped, event.id keeps it
_AT_FDCWD = ("0xffffff9c", "0xffffffffffffff9c")
_FILE_TYPES = {1: "fifo", 2: "char_device", 4: "dir", 6: "block_device", 8: "file", 10: "symlink", 12: "socket"}
_NAMETYPE_RANK = {"CREATE": 0, "DELETE": 1, "NORMAL": 2, "UNKNOWN": 3}
_HEXADECIMAL = re.compile(r"0x[0-9a-f]{1,16}").fullmatch
_SUCCESS = {
    "yes": "success",
    "success": "success",
    "1": "success",
    "no": "failure",
    "failed": "failure",
    "0": "failure",
}
_O_ACCMODE, _O_CREAT_TRUNC_APPEND = 3, 0o3100


class EcsEmitter:
    """Event → JSON value."""

    def __init__(self, options: Options, names: Names, enricher: Enricher | None = None) -> None:
        self._enrich: EcsEnricher | None = None
        if enricher is not None:
            from .enrich_ecs import EcsEnricher  # noqa: PLC0415 - only where something is added

            self._enrich = EcsEnricher(enricher)
        self._hostname = options.hostname
        self._original = options.original
        self._decoder = RecordDecoder(names if options.translate == "all" else None)
        self._second = -1
        self._second_text = ""
        self._ms = 0

    def event(self, event: Event, now: float) -> Object:
        first = event.records[0]
        records = self._decoder.event(event, now)
        view = _View(records)
        meaning = _meaning(view)
        out: Object = {"@timestamp": self._timestamp(first.sec, first.ms), "ecs": {"version": ECS_VERSION}}
        out["event"] = {
            "id": first.id.decode("ascii"),
            "sequence": first.serial,
            "kind": "event",
            "module": "auditd",
            "category": list(meaning.categories),
            "type": _types(view, meaning),
            "action": meaning.action,
            "outcome": _outcome(view),
        }
        if self._original:
            out["event"]["original"] = "\n".join([text(record.raw) for record in event.records])
        keys = [key for record in records for key in record.get("key") or () if key]
        if keys:
            out["tags"] = list(dict.fromkeys(keys))
        message = view.messages.get("text")
        if isinstance(message, str):
            out["message"] = message
        user = _user(view)
        if user:
            out["user"] = user
        group = view.messages.get("grp")
        if isinstance(group, str):
            out["group"] = {"name": group}
        process = _process(view)
        found = event.enrichment if self._enrich is not None else None
        if self._enrich is not None and found is not None:
            self._enrich.process(found, process)
        if process:
            out["process"] = process
        file = _file(view) if meaning.object in ("file", "process") else None
        if file:
            out["file"] = file
        unit = view.messages.get("unit")
        if meaning.object == "service" and isinstance(unit, str):
            out["service"] = {"name": unit}
        _network(view, meaning, out)
        hostname = text(first.node) if first.node else self._hostname
        if hostname:
            out["host"] = {"hostname": hostname}
        if self._enrich is not None and found is not None:
            self._enrich.host(first.node, out)
            self._enrich.container(found, out)
        _related(out)
        auditd: Object = {"schema": SCHEMA}
        session = view.first("ses")
        if session is not None and session != UNSET_ID:
            auditd["session"] = str(session)
        result = view.result()
        if result is not None:
            auditd["result"] = _SUCCESS.get(result, result)
        auditd["summary"] = _summary(view, meaning, out)
        if self._enrich is not None and found is not None:
            known = self._enrich.auditd(found)
            if known:
                auditd["process"] = known
        if not event.complete:
            auditd["incomplete"] = True
        if event.late:
            auditd["late"] = True
        if event.labels:
            auditd["labels"] = [text(label) for label in event.labels]
        if event.redacted:
            auditd["redacted"] = event.redacted
        auditd["records"] = records
        out["auditd"] = auditd
        return out

    def malformed(self, raw: bytes, reason: str) -> Object:
        """A line that is no record; its time is that of the event printed before it, if there was one."""
        stamp: Object = {"@timestamp": self._timestamp(self._second, self._ms)} if self._second >= 0 else {}
        return {
            **stamp,
            "ecs": {"version": ECS_VERSION},
            "event": {"kind": "pipeline_error", "module": "auditd", "action": "malformed-line", "original": text(raw)},
            "error": {"message": f"no audit record: {reason}", "code": reason},
            "auditd": {"schema": SCHEMA},
        }

    def _timestamp(self, second: int, ms: int) -> str:
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(min(second, _LAST_SECOND)))
        self._ms = ms
        return f"{self._second_text}.{ms:03d}Z"


class _View:
    """The decoded records of one event as the emitter asks for them."""

    def __init__(self, records: list[Object]) -> None:
        self.by_type: dict[str, Object] = {}
        self.paths: list[Object] = []
        self.messages: Object = {}
        for record in records:
            type_ = record["type"]
            if type_ == "PATH":
                self.paths.append(record)
            self.by_type.setdefault(type_, record)
            message = record.get("msg")
            for each in message if isinstance(message, Repeated) else (message,):
                for name, value in (each or {}).items():
                    self.messages.setdefault(name, value)
        self.syscall = self.by_type.get("SYSCALL") or self.by_type.get("URINGOP") or {}
        self.main = self.syscall or records[0]

    def first(self, name: str) -> Any:
        """From the SYSCALL record, else from the first record, else from its msg='…'; a repeated name's first value."""
        value = self.main.get(name)
        if value is None:
            value = self.messages.get(name)
        return value[0] if isinstance(value, list) and value else value

    def vector(self, type_: str, name: str) -> list[str | None] | None:
        """An argument vector; of a repeated name the first."""
        value = (self.by_type.get(type_) or {}).get(name)
        return value[0] if isinstance(value, Repeated) else value

    def string(self, name: str) -> str | None:
        value = self.first(name)
        return value if isinstance(value, str) else None

    def result(self) -> str | None:
        for name in ("success", "res", "result"):
            value = self.string(name)
            if value is not None:
                return value
        return None


def _meaning(view: _View) -> Meaning:
    types = [name for name in view.by_type if name in normalise.RECORD_RANK]
    if view.syscall:
        types = [name for name in types if name not in normalise.SPOKEN_BY_SYSCALL]
    if types:
        speaker = min(types, key=normalise.RECORD_RANK.__getitem__)
        return _avc_meaning(view) if speaker == "AVC" else normalise.RECORD_MEANINGS[speaker]
    syscall = view.syscall.get("syscall")
    name = syscall if isinstance(syscall, str) and syscall else str(view.main["type"])
    known = normalise.SYSCALL_MEANINGS.get(name)
    if known is not None:
        return known
    if "KERN_MODULE" in view.by_type and not view.syscall:
        return normalise.RECORD_MEANINGS["KERN_MODULE"]
    fallback = next(meaning for prefix, meaning in normalise.PREFIX_MEANINGS if name.startswith(prefix))
    return fallback._replace(action=name.encode().lower().decode().replace("_", "-"))


def _avc_word(view: _View) -> str:
    """What the first AVC record says: apparmor="DENIED", or SELinux's granted or denied."""
    avc = view.by_type.get("AVC") or {}
    word = avc.get("apparmor") or avc.get("seresult")
    return word if isinstance(word, str) else ""


def _avc_meaning(view: _View) -> Meaning:
    meaning = normalise.AVC_MEANINGS.get(_avc_word(view), normalise.RECORD_MEANINGS["AVC"])
    target = view.by_type["AVC"].get("tclass")
    if isinstance(target, str) and meaning.object == "file":
        if target.startswith(("process", "capability", "cap_userns", "cap2_userns")):
            return meaning._replace(object="process")
        if target.endswith("socket"):
            return meaning._replace(object="socket")
    return meaning


def _types(view: _View, meaning: Meaning) -> list[str]:
    """An opening call creates, changes or reads: by nametype CREATE, then by its flags."""
    if meaning.action != "opened-file":
        return list(meaning.types)
    if any(path.get("nametype") == "CREATE" for path in view.paths):
        return ["creation"]
    syscall = view.syscall.get("syscall")
    if syscall == "creat":
        return ["change"]
    argument = normalise.OPEN_FLAGS_ARGUMENT.get(syscall) if isinstance(syscall, str) else None
    flags = view.syscall.get(f"a{argument}")
    if isinstance(flags, str) and _HEXADECIMAL(flags):
        number = int(flags, 16)
        if number & _O_ACCMODE or number & _O_CREAT_TRUNC_APPEND & ~0o100:
            return ["change"]
    return list(meaning.types)


def _outcome(view: _View) -> str:
    result = view.result()
    if result is None and "AVC" in view.by_type:
        if view.by_type["AVC"].get("permissive") == "1":
            return "success"
        return normalise.AVC_OUTCOMES.get(_avc_word(view), "unknown")
    return _SUCCESS.get(result or "", "unknown")


def _identity(view: _View, uid: str, gid: str = "") -> Object:
    out: Object = {}
    number = view.first(uid)
    if isinstance(number, int) and number != UNSET_ID:
        out["id"] = str(number)
        name = _known(view.string(uid + "_name"))
        if name:
            out["name"] = name
    group = view.first(gid) if gid else None
    if isinstance(group, int):
        out["group"] = {"id": str(group)}
        name = _known(view.string(gid + "_name"))
        if name:
            out["group"]["name"] = name
    return out


def _known(name: str | None) -> str | None:
    return None if name is None or name == "unset" or name.startswith("unknown(") else name


def _user(view: _View) -> Object:
    """Who did it. In records of a login the account is the user, whether it succeeded or not; with an actor who
    already had a session (sudo, su) the account is `effective`, in account management it is `target`."""
    user = _identity(view, "uid", "gid")
    audit = _identity(view, "auid")
    effective = _identity(view, "euid", "egid")
    if view.syscall:
        for key, ids in (("saved", ("suid", "sgid")), ("filesystem", ("fsuid", "fsgid"))):
            other = _identity(view, *ids)
            if other and other != effective:
                user[key] = other
    account: Object = {}
    name = view.messages.get("acct")
    number = view.messages.get("id")
    if isinstance(name, str):
        account["name"] = name
    if isinstance(number, int) and number != UNSET_ID:
        account["id"] = str(number)
        resolved = _known(view.string("id_name"))
        if resolved:
            account.setdefault("name", resolved)
    if account:
        if view.main["type"] not in normalise.ACCOUNT_TYPES:
            user["target"] = account
        elif not audit or (audit.get("name") is not None and audit.get("name") == account.get("name")):
            user = {**audit, **account}
        elif account.get("name") != user.get("name") or "id" in account:
            effective = account
    if audit:
        user["audit"] = audit
    if effective:
        user["effective"] = effective
    return user


def _process(view: _View) -> Object:
    out: Object = {}
    pid = view.first("pid")
    if isinstance(pid, int):
        out["pid"] = pid
    parent = view.first("ppid")
    if isinstance(parent, int):
        out["parent"] = {"pid": parent}
    executable = view.string("exe")
    name = view.string("comm") or (posixpath.basename(executable) if executable else None)
    if name:
        out["name"] = name
    if executable:
        out["executable"] = executable
    title = view.vector("PROCTITLE", "proctitle")
    execve = view.by_type.get("EXECVE")
    if execve is not None:
        out["args"] = view.vector("EXECVE", "args")
        if isinstance(execve.get("argc"), int):
            out["args_count"] = execve["argc"]
    elif title is not None:
        out["args"] = title
    command = view.messages.get("cmd")
    if isinstance(command, str):
        out["command_line"] = command
    if title is not None:
        out["title"] = " ".join(str(part) for part in title)
    cwd = (view.by_type.get("CWD") or {}).get("cwd") or view.messages.get("cwd")
    if isinstance(cwd, str):
        out["working_directory"] = cwd
    signal = view.main.get("sig")
    if view.main["type"] == "ANOM_ABEND" and isinstance(signal, int) and 0 < signal < 128:
        out["exit_code"] = 128 + signal
    return out


def _file(view: _View) -> Object | None:
    """The PATH record the event is about: what it created, else deleted, else the first normal one."""
    candidates = [path for path in view.paths if isinstance(path.get("name"), str) and path.get("nametype") != "PARENT"]
    if not candidates:
        avc = view.by_type.get("AVC") or {}
        name = avc.get("path") or avc.get("name")
        return {"path": name} if isinstance(name, str) else None
    path = min(candidates, key=lambda record: _NAMETYPE_RANK.get(str(record.get("nametype")), 9))
    out: Object = {"path": _absolute(view, path["name"])}
    out["name"] = posixpath.basename(out["path"].rstrip("/")) or "/"
    mode = path.get("mode")
    if isinstance(mode, str):
        bits = int(mode, 8)
        out["mode"] = f"{bits & 0o7777:04o}"
        kind = _FILE_TYPES.get(bits >> 12)
        if kind:
            out["type"] = kind
    for field, source in (("inode", "inode"), ("uid", "ouid"), ("gid", "ogid"), ("device", "dev")):
        value = path.get(source)
        if isinstance(value, (int, str)):
            out[field] = str(value)
    for field, source in (("owner", "ouid_name"), ("group", "ogid_name")):
        value = path.get(source)
        name = _known(value) if isinstance(value, str) else None
        if name:
            out[field] = name
    return out


def _absolute(view: _View, name: str) -> str:
    """Relative names start at CWD, unless the call was given another directory, which no record names."""
    if name.startswith("/"):
        return name
    if str(view.syscall.get("syscall")) in normalise.AT_FUNCTIONS and view.syscall.get("a0") not in _AT_FDCWD:
        return name
    cwd = (view.by_type.get("CWD") or {}).get("cwd")
    return posixpath.join(cwd, name) if isinstance(cwd, str) else name


def _network(view: _View, meaning: Meaning, out: Object) -> None:
    record = view.by_type.get("SOCKADDR")
    address = record.get("saddr") if record else None
    if isinstance(address, dict) and meaning.object in ("socket-out", "socket-in"):
        end: Object = {}
        if "addr" in address:
            end["ip"] = end["address"] = address["addr"]
            end["port"] = address["port"]
            out["network"] = {
                "direction": "egress" if meaning.object == "socket-out" else "ingress",
                "type": "ipv6" if address["family"] == "inet6" else "ipv4",
            }
        elif "path" in address:
            end["address"] = address["path"]
        elif "abstract" in address:
            end["address"] = "@" + address["abstract"]
        if end:
            out["destination" if meaning.object == "socket-out" else "source"] = end
        return
    source: Object = {}
    for name in ("addr", "hostname"):
        value = view.messages.get(name)
        if not isinstance(value, str):
            continue
        ip = _ip(value)
        if ip:
            source["ip"] = ip
        elif name == "hostname" and meaning.object == "user-session":
            source["domain"] = value
        source.setdefault("address", value)
    if source and ("ip" in source or meaning.object == "user-session"):
        if "ip" in source:
            out["network"] = {"direction": "ingress"}
        out["source"] = source


def _ip(value: str) -> str | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_ntop(family, socket.inet_pton(family, value))
        except (OSError, ValueError):  # no address; or text that is none at all, with a NUL or beyond ASCII
            continue
    return None


def _related(out: Object) -> None:
    users: dict[str, None] = {}
    user = out.get("user", {})
    for identity in (user, *(user.get(name, {}) for name in ("audit", "effective", "saved", "filesystem", "target"))):
        if "name" in identity:
            users[identity["name"]] = None
    ips = [out[end]["ip"] for end in ("source", "destination") if "ip" in out.get(end, {})]
    related: Object = {}
    if users:
        related["user"] = list(users)
    if ips:
        related["ip"] = ips
    if related:
        out["related"] = related


def _summary(view: _View, meaning: Meaning, out: Object) -> Object:
    user = out.get("user", {})
    actor: Object = {}
    audit = user.get("audit", {})
    login = audit.get("name") or audit.get("id")
    if login is None and view.first("auid") == UNSET_ID:
        login = "unset"
    if login is not None:
        actor["primary"] = login
    acting = _identity(view, "uid")
    if acting:
        actor["secondary"] = acting.get("name") or acting["id"]
    target: Object = {"type": meaning.object.partition("-")[0] if "socket" in meaning.object else meaning.object}
    pair: tuple[Any, Any] = (None, None)
    if meaning.object == "file":
        pair = (out.get("file", {}).get("path"), None)
    elif meaning.object.startswith("socket"):
        address = (view.by_type.get("SOCKADDR") or {}).get("saddr")
        if isinstance(address, dict):
            pair = (address.get("addr") or address.get("path") or address.get("abstract"), address.get("port"))
    elif meaning.object == "user-session":
        source = out.get("source", {})
        pair = (view.string("terminal") or view.string("tty"), source.get("ip") or source.get("domain"))
    elif meaning.object in ("account", "group"):
        names = user.get("target", {})
        group = out.get("group", {}).get("name")
        pair = (group, None) if meaning.object == "group" and group else (names.get("name") or names.get("id"), None)
    elif meaning.object == "service":
        pair = (view.messages.get("unit"), None)
    elif meaning.object == "module":
        pair = ((view.by_type.get("KERN_MODULE") or {}).get("name"), None)
    elif meaning.object == "process":
        target_process = view.by_type.get("OBJ_PID") or {}
        process = out.get("process", {})
        if target_process:
            pair = (target_process.get("ocomm"), target_process.get("opid"))
        else:
            pair = (out.get("file", {}).get("path") or process.get("command_line") or process.get("executable"), None)
    for field, value in zip(("primary", "secondary"), pair):
        if isinstance(value, (str, int)):
            target[field] = str(value)
    process = out.get("process", {})
    summary: Object = {"actor": actor, "object": target}
    how = process.get("executable") or process.get("name")
    if how:
        summary["how"] = how
    return summary
