# SPDX-License-Identifier: Apache-2.0
"""scan: one line of bytes → one record.

A line is `[node=NAME ]type=TYPE msg=audit(SEC.MS:SERIAL): BODY[\\x1dTAIL]`. The tail holds what auditd appended with
`log_format = ENRICHED`. The body is a run of `name=token`; a token is `"…"` or reaches to the next space, and words
without `=` belong to the token before them (`text=a b c`). `msg='…'` of user-space records nests a second run.
Shapes: audit-userspace lib/audit_logging.c and src/auditd-event.c (tail), kernel/audit.c audit_log_untrustedstring().
Input is hostile: scanning never raises; what is no record comes back as `Malformed` with a reason.
"""

from __future__ import annotations

import re
from typing import Final

Field = tuple[bytes, bytes]
"""(name, token); the token as it stood in the line, quotes included; the name is b"" for leading text without `=`."""

MAX_LINE: Final = 131072
"""Longest line taken, bytes without newline. A kernel record is at most 8970 bytes (MAX_AUDIT_MESSAGE_LENGTH)."""

_HEADER = re.compile(
    rb"(?:node=([^ ]{1,255}) )?type=([A-Za-z0-9_]{1,64}(?:\[[0-9]{1,10}\])?)"
    rb" msg=audit\(([0-9]{1,15})\.([0-9]{1,3}):([0-9]{1,19})\):"
)
_RESERVED: Final = (
    b"ID",
    b"NODE",
    b"HOST",
    b"ORIGINAL",
    b"LABELS",
    b"REDACTED",
)  # no record types; names of an event's own members in `records`
_FIELD = re.compile(
    rb'([^ =]+)=("[^"]*"(?![^ ])|[^ ]*(?: +[^ =]+(?![^ ]))*)'  # name=token and the words that follow an unquoted token
    rb"|([^ ]+(?: +[^ =]+(?![^ ]))*)"
)
_AVC = re.compile(rb" *avc: +(denied|granted) +(\{[^}]*\}) +for ")


class Record:
    """One record. `message` are the fields inside msg='…' (None without); `tail` is what auditd appended."""

    __slots__ = ("fields", "id", "message", "ms", "node", "raw", "sec", "serial", "tail", "type")

    def __init__(self, raw: bytes, header: re.Match[bytes]) -> None:
        node, type_, sec, ms, serial = header.groups()
        self.raw = raw
        self.node: bytes = node or b""
        self.type: bytes = type_
        self.sec = int(sec)
        self.ms = int(ms)
        self.serial = int(serial)
        self.id: bytes = sec + b"." + ms + b":" + serial
        self.fields: list[Field] = []
        self.message: list[Field] | None = None
        self.tail: list[Field] = []


class Malformed:
    """A line that is no record: `empty`, `no-header` or `too-long` (raw is then the first MAX_LINE bytes)."""

    __slots__ = ("raw", "reason")

    def __init__(self, raw: bytes, reason: str) -> None:
        self.raw = raw
        self.reason = reason


def scan(line: bytes) -> Record | Malformed:
    """Scan one line without its newline."""
    if len(line) > MAX_LINE:
        return Malformed(line[:MAX_LINE], "too-long")
    header = _HEADER.match(line)
    if header is None or header[2] in _RESERVED:
        return Malformed(line, "no-header" if line.strip(b" \t\r") else "empty")
    record = Record(line, header)
    type_ = record.type
    body = line[header.end() :]
    if b"\x1d" in body:
        body, _, tail = body.partition(b"\x1d")
        # A socket path may hold spaces, quotes and braces: the tail of a SOCKADDR is one field.
        record.tail = [(b"SADDR", tail[6:])] if type_ == b"SOCKADDR" and tail[:6] == b"SADDR=" else scan_fields(tail)
    if b"msg='" in body:
        start = body.find(b" msg='")
        end = body.rfind(b"'")
        if start >= 0 and end > start + 5:
            record.message = scan_fields(body[start + 6 : end])
            body = body[:start] + b" " + body[end + 1 :]
    record.fields = scan_fields(body)
    return record


def scan_fields(body: bytes) -> list[Field]:
    """Split a run of `name=token`; `avc:  denied  { read } for` becomes seresult and seperms, auparse's names."""
    found: list[Field] = []
    if b"avc: " in body:
        avc = _AVC.match(body)
        if avc is not None:
            found = [(b"seresult", avc[1]), (b"seperms", avc[2])]
            body = body[avc.end() :]
    found.extend([(name, token) if name else (b"", text) for name, token, text in _FIELD.findall(body)])
    return found
