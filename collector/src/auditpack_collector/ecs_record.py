# SPDX-License-Identifier: Apache-2.0
"""emit, format `ecs`: one element of `auditd.records`, every field of the record decoded.

Names are lower case, dots become underscores, leading text is `text`. Numbers are JSON numbers; where a number was
expected and none stands there, the text goes to `<name>_text`, so that a field has one type. What auditd appended
(ENRICHED) or the user database says stands beside as `<name>_name`. A name met twice becomes a list of its values.
`arch` and `syscall` are names (else as they stood), `exit` of a failed call has `exit_name`, `key` is a list, flags,
modes and commands have their names beside them (`a2_name`, `mode_name`: flags.py),
`saddr` an object with `family` and parts (`raw`, hex, what could not be decoded), `msg` an object.
All EXECVE records of an event become one, at the place of the first, with `args`.
"""

from __future__ import annotations

from typing import Any

from . import decode, fields, flags, sockaddr
from .coalesce import Event
from .emit import Object, put
from .quote import ecs_text as text
from .scan import Field, Record
from .tables import ARCHES, ERRNOS, SYSCALLS
from .users import Names

_BIG_ENDIAN = ("s390x",)
_MAX_NAMES = 4096

_DECIMAL, _HEX, _OCTAL, _KEY, _TITLE, _SADDR, _BRACES, _RESULT, _ENCODED, _PLAIN = range(10)
_SPECIAL = {
    b"key": _KEY, b"proctitle": _TITLE, b"saddr": _SADDR, b"seperms": _BRACES, b"res": _RESULT,
}  # fmt: skip


class RecordDecoder:
    """Records of one event → list of objects. `names`: resolve user and group numbers where auditd did not."""

    def __init__(self, names: Names | None) -> None:
        self._names = names
        self._flags = flags.FlagDecoder()
        self._known: dict[bytes, tuple[str, int]] = {}

    def event(self, event: Event, now: float) -> list[Object]:
        records = event.records
        out: list[Object] = []
        arch = ""
        for record in records:
            if record.type == b"SYSCALL":
                arch = flags.arch_of(record.fields)
                break
        execves = [record for record in records if record.type == b"EXECVE"]
        for record in records:
            if record.type != b"EXECVE":
                out.append(self._record(record, arch, now))
            elif record is execves[0]:
                execve, whole = self._execve(execves, arch, now)
                event.complete = event.complete and whole
                out.append(execve)
        return out

    def _execve(self, records: list[Record], arch: str, now: float) -> tuple[Object, bool]:
        out: Object = {"type": "EXECVE"}
        vector, rest, whole = decode.arguments(records)
        out["args"] = [None if argument is None else text(argument) for argument in vector]
        self._fields(rest, out, arch, now)
        for record in records:
            self._message(record, out, arch, now)
            self._tail(record, out)
        return out, whole

    def _record(self, record: Record, arch: str, now: float) -> Object:
        out: Object = {"type": record.type.decode("ascii")}
        if record.type == b"SECCOMP":  # it comes without a SYSCALL record
            arch = flags.arch_of(record.fields)
        self._fields(record.fields, out, arch, now)
        self._message(record, out, arch, now)
        if record.tail:
            self._tail(record, out)
        if self._names is not None:
            self._resolve(record.fields, out, now)
        call = out.get("syscall") if record.type == b"SYSCALL" else None
        for name, meaning in self._flags.record(
            record.type, record.fields, arch, call if isinstance(call, str) else None
        ):
            out.setdefault(name + "_name", meaning)
        keys = flags.typed(record.type, record.fields)
        if keys is not None:
            out.setdefault("data_name", text(keys))
        return out

    def _message(self, record: Record, out: Object, arch: str, now: float) -> None:
        if record.message is None:
            return
        message: Object = {}
        self._fields(record.message, message, arch, now)
        if self._names is not None:
            self._resolve(record.message, message, now)
        put(out, "msg", message)

    def _tail(self, record: Record, out: Object) -> None:
        for name, token in record.tail:
            value = decode.plain(token)
            decoded = None if value is None else text(value)
            key = _name(name)
            if key in ("arch", "syscall") and out.get(key) == decoded:
                continue
            put(out, key + "_name", decoded)

    def _resolve(self, pairs: list[Field], out: Object, now: float) -> None:
        names = self._names
        assert names is not None
        for name, token in pairs:
            user = name in fields.USER_IDS
            if not user and name not in fields.GROUP_IDS:
                continue
            key = self._entry(name)[0] + "_name"
            number = decode.decimal(token)
            if number is None or key in out:
                continue
            resolved = names.user(number, now) if user else names.group(number, now)
            if not resolved.startswith("unknown("):
                out[key] = resolved

    def _entry(self, name: bytes) -> tuple[str, int]:
        entry = self._known.get(name)
        if entry is None:
            if len(self._known) >= _MAX_NAMES:
                self._known.clear()
            entry = self._known[name] = (_name(name), _kind(name.lower()))
        return entry

    def _fields(self, pairs: list[Field], out: Object, arch: str, now: float) -> None:
        for name, token in pairs:
            key, kind = self._known.get(name) or self._entry(name)
            value: Any
            if kind == _DECIMAL:
                value = decode.decimal(token)
                if key == "syscall":
                    value = _syscall(value, token, arch)
                elif value is None and token not in decode.NULLS:
                    key, value = key + "_text", _string(decode.plain(token))
            elif kind == _HEX:
                if key == "arch":
                    value = ARCHES.get(token) or decode.hexadecimal(token) or _string(decode.plain(token))
                else:
                    value = decode.hexadecimal(token)
                    if value is None:
                        value = _string(decode.plain(token))
            elif kind == _PLAIN:
                value = _string(decode.plain(token))
            elif kind == _ENCODED:
                value = _string(decode.encoded(token))
            elif kind == _OCTAL:
                value = decode.octal(token)
                if value is not None:
                    value = "0" + value[2:]
                elif token not in decode.NULLS:
                    key, value = key + "_text", _string(decode.plain(token))
            elif kind == _KEY:
                value = [text(each) for each in decode.keys(token)]
            elif kind == _TITLE:
                parts = decode.title(token)
                value = None if parts is None else [text(part) for part in parts]
            elif kind == _SADDR:
                value = _address(token, arch)
            elif kind == _BRACES:
                value = [text(word) for word in decode.words(token)]
            else:
                value = _string(decode.plain(token))
            if key == "msg":
                value = {"text": value}
            elif key == "type":
                key = "type_field"
            if key in out:
                if key == "key":
                    out[key].extend(value)
                else:
                    put(out, key, value)
            else:
                out[key] = value
            if key == "exit" and isinstance(value, int) and value < 0:
                errno = ERRNOS.get(-value)
                if errno is not None:
                    put(out, "exit_name", errno)


def _name(name: bytes) -> str:
    return text((name or b"text").lower()).replace(".", "_")


def _kind(name: bytes) -> int:
    special = _SPECIAL.get(name)
    if special is not None:
        return special
    if name in fields.DECIMAL:
        return _DECIMAL
    if name in fields.HEX:
        return _HEX
    if name in fields.OCTAL:
        return _OCTAL
    return _ENCODED if name in fields.ENCODED else _PLAIN


def _string(value: bytes | None) -> str | None:
    return None if value is None else text(value)


def _syscall(number: int | None, token: bytes, arch: str) -> str | None:
    if number is None:
        return _string(decode.plain(token))
    return SYSCALLS.get(arch, {}).get(number) or str(number)


def _address(token: bytes, arch: str) -> Object | None:
    data = decode.encoded(token)
    if data is None:
        return None
    family, parts, rest = sockaddr.parse(data, arch in _BIG_ENDIAN)
    out: Object = {"family": family}
    for name, value in parts.items():
        out[name] = text(value) if isinstance(value, bytes) else value
    if rest:
        out["raw"] = data.hex()
    return out
