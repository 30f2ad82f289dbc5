# SPDX-License-Identifier: Apache-2.0
"""Events without raw lines → audit lines that ausearch reads and that become the same event again.

The decoding of emit_ecs.py and emit_records.py backwards: what is a number there is one here, a name of a table its
number, an ENCODED string quoted or upper-case hex as the kernel writes it. Names of users stand in the ENRICHED tail,
whoever looked them up. Spelling is not restored: which of several spellings of a value stood there, how an argument
was cut into chunks, the order of `records` of different types.
"""

from __future__ import annotations

import re
import socket
from typing import Any, Callable, Final, Optional

from . import fields, flags
from .decode import NULLS
from .enrich_records import NAMES
from .quote import ecs_text, unquote
from .sockaddr import FAMILIES
from .tables import ARCHES, ERRNOS, SYSCALLS

Json = dict[str, Any]
Token = Callable[[str, Any], bytes]
Parts = tuple[list[bytes], Optional[list[bytes]], list[bytes]]
"""`name=token` of a record: its fields, those in msg='…' (None without), those of the ENRICHED tail."""

_FAMILY_NUMBERS: Final = {name: number for number, name in FAMILIES.items()}
_ARCH_NUMBERS: Final = {name: number for number, name in ARCHES.items()}
_HEX = re.compile(r"0x[0-9a-f]{1,16}").fullmatch
_UNQUOTED = re.compile(rb"[!#-~]*").fullmatch
_CHUNK: Final = 3700
"""Bytes of an argument in one EXECVE record, in hex twice as long; auditd's records end at 8970."""
_LISTS = ("key", "proctitle", "seperms")


def lines_of_ecs(event: Json) -> list[bytes]:
    """Lines of `auditd.records`, an event of the format `ecs`."""
    hostname = (event.get("host") or {}).get("hostname", "")
    records: list[Json] = event["auditd"]["records"]
    arch = next((str(record.get("arch")) for record in records if record["type"] == "SYSCALL"), "")

    def token(name: str, value: Any) -> bytes:
        return _ecs_token(name, value, arch)

    lines = []
    for record in records:
        lines += _lines(hostname, record["type"], event["event"]["id"], _ecs_parts(record, token, arch))
    return lines


def lines_of_records(event: Json) -> list[bytes]:
    """Lines of an event of the format `records`, type by type."""
    lines = []
    for type_, value in event.items():
        if type_ in ("ID", "NODE", "ORIGINAL", "HOST"):
            continue
        for record in value if isinstance(value, list) else [value]:
            parts = _records_parts(type_, record)
            lines += _lines(event.get("NODE", ""), type_, event["ID"], parts)
    return lines


def _lines(node: str, type_: str, id_: str, parts: Parts) -> list[bytes]:
    body, message, tail = parts
    host = unquote(node)
    head = b"node=" + host + b" " if re.fullmatch(rb"[^ \n]{1,255}", host) else b""
    head += f"type={type_} msg=audit({id_}):".encode()
    records = _split_execve(body) if type_ == "EXECVE" else [body]
    if message is not None:
        records[-1].append(b"msg='" + b" ".join(message) + b"'")
    lines = [b" ".join([head, *each]) for each in records]
    if tail:
        lines[-1] += b"\x1d" + b" ".join(tail)
    return lines


def _ecs_parts(record: Json, token: Token, arch: str) -> Parts:
    inner, outer = _split_message(record.get("msg"))
    message = None if inner is None else _ecs_fields(inner, token)
    body: Json = {name: [] for name in ("seresult", "seperms") if name in record}  # first: they open an AVC
    names: Json = {}
    for name, value in record.items():
        if name in ("type", "msg"):
            continue
        if name.endswith("_name") and name != "exit_name":
            names[name[:-5]] = value
        else:
            body[name] = value
    found = _ecs_fields(body, token)
    said = _said(record, found, arch)
    tail = []
    for name, value in names.items():
        if name not in said or said[name] != value:
            tail += [unquote(name).upper() + b"=" + _tail(each) for each in _repeats(name, value)]
    return found + outer, message, tail


def _said(record: Json, found: list[bytes], arch: str) -> Json:
    """The names that flags, modes and commands of the record get anyway."""
    pairs = [(name, token) for name, _, token in (each.partition(b"=") for each in found)]
    type_ = record["type"].encode()
    call = record.get("syscall") if type_ == b"SYSCALL" else None
    own = str(record.get("arch")) if type_ == b"SECCOMP" else arch
    said: Json = dict(flags.FlagDecoder().record(type_, pairs, own, call if isinstance(call, str) else None))
    keys = flags.typed(type_, pairs)
    return said if keys is None else {**said, "data": ecs_text(keys)}


def _ecs_fields(found: Json, token: Token) -> list[bytes]:
    out: list[bytes] = []
    for name, value in found.items():
        if name == "args":
            vector, *others = value if value and isinstance(value[0], list) else [value]
            out += _vector(vector) + [b"args=" + token(name, each) for each in others]
        elif name == "exit_name" and value == ERRNOS.get(-_integer(found.get("exit"))):
            continue
        else:
            base = name[:-5] if name.endswith("_text") and name[:-5].encode() in fields.DECIMAL | fields.OCTAL else name
            base = "type" if base == "type_field" else base
            out += [unquote(base) + b"=" + token(base, each) for each in _repeats(name, value)]
    return _open_avc(out)


def _ecs_token(name: str, value: Any, arch: str) -> bytes:
    if isinstance(value, dict):
        return _address(value, "big" if arch == "s390x" else "little")
    if name == "key" and isinstance(value, list):
        return _encoded(b"\x01".join(map(unquote, value))) if value else b"(null)"
    if name == "proctitle" and isinstance(value, list):
        return _encoded(b"\0".join(map(unquote, value)))
    if name == "arch" and value in _ARCH_NUMBERS:
        return _ARCH_NUMBERS[value]
    if name == "arch" and isinstance(value, str) and value[2:].encode() in ARCHES:
        return value.encode()  # another spelling of a known one, which no table knew
    if name == "syscall" and isinstance(value, str):
        number = next((number for number, known in SYSCALLS.get(arch, {}).items() if known == value), None)
        if number is not None:
            return b"%d" % number
    return _token(name, value)


def _records_parts(type_: str, record: Json) -> Parts:
    inner, outer = _split_message(record.get("msg"))
    message = None if inner is None else _records_fields(type_, inner)[0]
    body, tail = _records_fields(type_, {name: value for name, value in record.items() if name != "msg"})
    return body + outer, message, tail


def _records_fields(type_: str, found: Json) -> tuple[list[bytes], list[bytes]]:
    body: list[bytes] = []
    tail: list[bytes] = []
    for name, value in found.items():
        if name == "ARGV" and type_ in ("SYSCALL", "EXECVE", "PROCTITLE") and isinstance(value, list):
            if type_ == "SYSCALL":
                body += [b"a%d=" % index + _token("a0", each) for index, each in enumerate(value)]
            elif type_ == "EXECVE":
                body += _vector(value)
            else:
                body.append(b"proctitle=" + _encoded(b"\0".join(map(unquote, value))))
        elif name == "SADDR" and isinstance(value, dict):
            body.append(b"saddr=" + _address({**value, "family": value["saddr_fam"]}, "little"))
        elif name in NAMES:
            continue  # enrichment
        elif name.isupper():
            tail += [unquote(name) + b"=" + _tail(each) for each in _repeats(name, value)]
        else:
            body += [unquote(name) + b"=" + _token(name, each) for each in _repeats(name, value)]
    return _open_avc(body), tail


def _split_message(value: Any) -> tuple[Json | None, list[bytes]]:
    """Of `msg`: what stood in msg='…' (the last object), and what stood beside it."""
    if value is None:
        return None, []
    values = value if isinstance(value, list) else [value]
    inner = next((each for each in reversed(values) if isinstance(each, dict)), None)
    texts = [each.get("text") if isinstance(each, dict) else each for each in values if each is not inner]
    return inner, [b"msg=" + _token("msg", each) for each in texts]


def _repeats(name: str, value: Any) -> list[Any]:
    """The values of a name: a list that is one value stays whole."""
    if not isinstance(value, list):
        return [value]
    if name in _LISTS and not any(each is None or isinstance(each, list) for each in value):
        return [value]
    return value


def _token(name: str, value: Any) -> bytes:
    if value is None:
        return b"(null)"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, list):
        words = [unquote(word) for word in value]
        return words[0] if len(words) == 1 and b" " in words[0] else b"{ " + b" ".join([*words, b"}"])
    data = unquote(value)
    known = name.lower().encode()
    if known in fields.HEX and _HEX(value):
        return data[2:]
    if known in fields.OCTAL and value.startswith("0o"):
        return b"0" + data[2:]
    if known in fields.ENCODED or known == b"key":
        return _encoded(data)
    if not data and known in fields.DECIMAL | fields.HEX | fields.OCTAL:
        return b""
    if b'"' in data:
        return b'"' + data + b'"' if data[0] == data[-1] == 0x22 else data
    return b'"' + data + b'"' if not data or data in NULLS or b" " in data else data


def _encoded(data: bytes) -> bytes:
    """Kernel: audit_log_untrustedstring()."""
    return b'"' + data + b'"' if _UNQUOTED(data) else data.hex().upper().encode()


def _tail(value: str | None) -> bytes:
    data = b"(null)" if value is None else unquote(value)
    return data if value is None or b'"' in data or data[:1] == b"{" else b'"' + data + b'"'


def _vector(arguments: list[str | None]) -> list[bytes]:
    """`a0=…`, or `a0_len=… a0[0]=… a0[1]=…` where one is too long for a record."""
    out = []
    for at, argument in enumerate(arguments):
        if argument is None:
            continue
        data = unquote(argument)
        if len(data) <= _CHUNK:
            out.append(b"a%d=" % at + _encoded(data))
            continue
        digits = data.hex().upper().encode()
        out.append(b"a%d_len=%d" % (at, len(digits)))
        chunks = range(0, len(digits), 2 * _CHUNK)
        out += [b"a%d[%d]=" % (at, number) + digits[start : start + 2 * _CHUNK] for number, start in enumerate(chunks)]
    return out


def _split_execve(body: list[bytes]) -> list[list[bytes]]:
    """The kernel splits a long argument vector, too: kernel/auditsc.c audit_log_execve_info()."""
    records: list[list[bytes]] = [[]]
    size = 0
    for part in body:
        size += len(part) + 1
        if size > 2 * _CHUNK + 100 and records[-1]:
            records.append([])
            size = len(part) + 1
        records[-1].append(part)
    return records


def _open_avc(body: list[bytes]) -> list[bytes]:
    """`seresult=denied seperms={ read } …` → `avc:  denied  { read } for  …`."""
    if len(body) > 1 and body[0] in (b"seresult=denied", b"seresult=granted") and body[1].startswith(b"seperms={ "):
        return [b"avc:  " + body[0][9:] + b"  " + body[1][8:] + b" for ", *body[2:]]
    return body


def _integer(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _address(parts: Json, order: Any) -> bytes:
    """The bytes of sockaddr.parse(), in hex; their padding is zeros."""
    if "raw" in parts:
        return str(parts["raw"]).upper().encode()
    family = str(parts["family"])
    number = _FAMILY_NUMBERS.get(family, -1)
    start = number.to_bytes(2, order) if number >= 0 else b""
    if "path" in parts:
        data = start + unquote(parts["path"]) + b"\0"
    elif "abstract" in parts:
        data = start + b"\0" + unquote(parts["abstract"])
    elif number == 2 and "addr" in parts:
        data = start + parts["port"].to_bytes(2, "big") + socket.inet_aton(parts["addr"]) + bytes(8)
    elif number == 10 and "addr" in parts:
        middle = parts["flowinfo"].to_bytes(4, "big") + socket.inet_pton(socket.AF_INET6, parts["addr"])
        data = start + parts["port"].to_bytes(2, "big") + middle + parts["scope_id"].to_bytes(4, order)
    elif "groups" in parts:
        data = start + bytes(2) + parts["pid"].to_bytes(4, order) + int(parts["groups"], 16).to_bytes(4, order)
    elif "ifindex" in parts:
        data = start + parts["protocol"].to_bytes(2, "big") + parts["ifindex"].to_bytes(4, order) + bytes(12)
    elif "cid" in parts:
        data = start + bytes(2) + parts["port"].to_bytes(4, order) + parts["cid"].to_bytes(4, order) + bytes(4)
    else:
        return b'""'
    return data.hex().upper().encode()
