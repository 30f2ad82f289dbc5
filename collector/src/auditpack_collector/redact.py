# SPDX-License-Identifier: Apache-2.0
"""redact: secrets out of the raw lines of an event, before anything is decoded, so no format and no raw line has them.

Looked at: arguments of EXECVE, the process title, and `cmd`, `data` and `cmdline` of any record. Both implementations
call this; the C only for events that have such a field.
"""

from __future__ import annotations

import re
from typing import Final

from . import decode
from .config import Redact
from .scan import Malformed, Record, scan

_NAME = (
    rb"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?[\w.-]*"
)
_NO_SECRET = re.compile(rb"(?i)[_-](?:file|path|dir|url|name|id|expiry|ttl|length|policy|age)$")
_FLAG = re.compile(rb"(?i)(--?(?:%s|pass|pwd))(?:=(.*))?" % _NAME, re.S)
_VARIABLE = re.compile(rb"(?i)((?:%s|[A-Z_]*_pwd|pgpassword|[A-Z_]+_pass))=(.+)" % _NAME, re.S)
_WORDS = re.compile(rb"[^\s;|&]+")
_URL = re.compile(rb"(?<![A-Za-z0-9+.-])([A-Za-z0-9+.-]+://[^\s/@:]*:)([^\s/@]+)(?=@)")
# Hostile input: no pattern here may try one run of bytes from each of its bytes on, hence the lookbehinds.
_TOKENS = [
    re.compile(each)
    for each in (
        rb"(?i)\b(?:bearer|basic)\s+(?P<secret>[A-Za-z0-9._~+/=-]{8,})",
        rb"\bA(?:KI|SI)A[0-9A-Z]{16}\b",
        rb"\bgh[pousr]_[A-Za-z0-9]{36,}",
        rb"\bgithub_pat_[A-Za-z0-9_]{22,}",
        rb"(?<![\w-])glpat-[A-Za-z0-9_-]{20,}",
        rb"(?<![\w-])xox[abeoprs]-[A-Za-z0-9-]{10,}",
        rb"(?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*",
    )
]
_MYSQL: Final = ("mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin")
_SHORT: Final[dict[bytes, tuple[bytes, ...]]] = {
    **{name.encode(): (b"-p",) for name in (*_MYSQL, "sshpass", "useradd", "usermod", "mongo", "mongosh", "7z")},
    **{name.encode(): (b"-w",) for name in ("ldapsearch", "ldapadd", "ldapmodify", "ldapdelete")},
    b"ldappasswd": (b"-w", b"-s", b"-a"),
    b"curl": (b"-u", b"-U", b"--user", b"--proxy-user"),
    b"redis-cli": (b"-a",),
    b"smbclient": (b"-U",),
    b"openssl": (b"-passin", b"-passout"),
    b"zip": (b"-P",),
    b"unzip": (b"-P",),
    b"pscp": (b"-pw",),
    b"plink": (b"-pw",),
    b"xfreerdp": (b"/p:",),
}
"""Programs whose short flag takes a secret, in the same argument or in the next; of user:secret the user stays."""
_GLUED_ONLY: Final = frozenset(name.encode() for name in (*_MYSQL, "7z", "xfreerdp"))
"""Those of which `-p` alone asks for the password."""
_FIELD = re.compile(rb"(?<=[ '])(cmd|data|cmdline)=(\"[^\"]*\"|[^ '\x1d]*)")


class RedactError(ValueError):
    """A pattern that is no regular expression."""


class Redactor:
    """Raises RedactError for a pattern that does not compile."""

    def __init__(self, config: Redact) -> None:
        self._text = config.text.encode()
        self._flags = config.flags
        self._patterns: list[re.Pattern[bytes]] = list(_TOKENS) if config.tokens else []
        self._urls = config.urls
        for pattern in config.patterns:
            try:
                self._patterns.append(re.compile(pattern.encode()))
            except re.error as error:
                raise RedactError(f"redact.patterns: {pattern!r}: {error} — a Python regular expression") from error

    def records(self, records: list[Record]) -> int:
        """Replace the records that held a secret; how many values were changed."""
        changed, lines = self.lines([record.raw for record in records])
        if changed:
            for place, line in enumerate(lines):
                if line != records[place].raw:
                    fresh = scan(line)
                    if isinstance(fresh, Malformed):
                        raise AssertionError("a redacted line is a record as before")
                    records[place] = fresh
        return changed

    def lines(self, lines: list[bytes]) -> tuple[int, list[bytes]]:
        """(values changed, the lines) of one event."""
        changed = 0
        executed = [place for place, line in enumerate(lines) if b"type=EXECVE " in line[:320]]
        if executed:
            changed += self._execve(lines, executed)
        for place, line in enumerate(lines):
            if b"type=PROCTITLE " in line[:320]:
                fresh, count = self._title(line)
            elif b"cmd" in line or b"data=" in line:
                fresh, count = self._commands(line)
            else:
                continue
            lines[place] = fresh
            changed += count
        return changed, lines

    def _execve(self, lines: list[bytes], places: list[int]) -> int:
        records = [record for record in (scan(lines[place]) for place in places) if isinstance(record, Record)]
        vector, _, _ = decode.arguments(records)
        before = [each or b"" for each in vector]
        after = self.arguments(before)
        changed = [index for index, (old, new) in enumerate(zip(before, after)) if old != new]
        if changed:
            wanted = {b"%d" % index: after[index] for index in changed}
            for place in places:
                lines[place] = _replace_arguments(lines[place], wanted)
        return len(changed)

    def _title(self, line: bytes) -> tuple[bytes, int]:
        head, name, token = line.rpartition(b" proctitle=")
        value = decode.encoded(token.partition(b"\x1d")[0]) if name else None
        if value is None:
            return line, 0
        before = value.split(b"\0")
        after = self.arguments(before)
        if before == after:
            return line, 0
        tail = token.partition(b"\x1d")
        return head + name + _encode(b"\0".join(after)) + tail[1] + tail[2], sum(map(_differs, before, after))

    def _commands(self, line: bytes) -> tuple[bytes, int]:
        count = 0

        def one(match: re.Match[bytes]) -> bytes:
            nonlocal count
            before = decode.encoded(match[2])
            if before is None:
                return match[0]
            after = self.text(before)
            if after == before:
                return match[0]
            count += 1
            return match[1] + b"=" + _encode(after)

        return _FIELD.sub(one, line), count

    def arguments(self, vector: list[bytes]) -> list[bytes]:
        """An argument vector without its secrets."""
        out = [self.text(each) if b" " in each and not _FLAG.fullmatch(each) else self._word(each) for each in vector]
        if self._flags and vector:
            program = vector[0].rpartition(b"/")[2]
            short = _SHORT.get(program, ())
            for place, each in enumerate(vector[1:], 1):
                following = place + 1 if place + 1 < len(vector) else 0
                match = _FLAG.fullmatch(each)
                if match and match[2] is None and not _NO_SECRET.search(match[1]):
                    if following and not vector[following].startswith(b"-"):
                        out[following] = self._text
                    continue
                for flag in short:
                    if each == flag and following and program not in _GLUED_ONLY:
                        out[following] = self._pair(vector[following])
                    elif each.startswith(flag) and len(each) > len(flag) and not flag.startswith(b"--") and not match:
                        out[place] = flag + self._pair(each[len(flag) :])
        return out

    def text(self, text: bytes) -> bytes:
        """A command line as one text."""
        for pattern in self._patterns:
            text = pattern.sub(self._secret, text)
        if self._urls:
            text = _URL.sub(lambda match: match[1] + self._text, text)
        if not self._flags:
            return text
        pieces, end = [], 0
        words = list(_WORDS.finditer(text))
        after = self.arguments([match[0] for match in words])
        for match, fresh in zip(words, after):
            pieces += [text[end : match.start()], fresh]
            end = match.end()
        return b"".join(pieces) + text[end:]

    def _word(self, word: bytes) -> bytes:
        for pattern in self._patterns:
            word = pattern.sub(self._secret, word)
        if self._urls and b"://" in word:
            word = _URL.sub(lambda match: match[1] + self._text, word)
        if self._flags and b"=" in word:
            match = _FLAG.fullmatch(word) or _VARIABLE.fullmatch(word)
            if match and match[2] and not _NO_SECRET.search(match[1]):
                return match[1] + b"=" + self._text
        return word

    def _pair(self, value: bytes) -> bytes:
        user, colon, _ = value.partition(b":")
        return user + colon + self._text if colon else self._text

    def _secret(self, match: re.Match[bytes]) -> bytes:
        if "secret" not in match.re.groupindex or match["secret"] is None:
            return self._text
        start, end = match.start("secret") - match.start(), match.end("secret") - match.start()
        return match[0][:start] + self._text + match[0][end:]


def _differs(before: bytes, after: bytes) -> bool:
    return before != after


_ARGUMENT = re.compile(rb"(?<= )a([0-9]+)(\[[0-9]+\]|_len)?=(\"[^\"]*\"|[^ \x1d]*)")


def _replace_arguments(line: bytes, wanted: dict[bytes, bytes]) -> bytes:
    """Whole arguments and the chunk [0] get the new text, further chunks the empty one, aN_len its length."""

    def one(match: re.Match[bytes]) -> bytes:
        fresh = wanted.get(match[1])
        if fresh is None:
            return match[0]
        kind = match[2] or b""
        if kind == b"_len":
            return b"a%s_len=%d" % (match[1], len(fresh))
        return b"a" + match[1] + kind + b"=" + (_encode(fresh) if kind in (b"", b"[0]") else b'""')

    return _ARGUMENT.sub(one, line)


def _encode(value: bytes) -> bytes:
    """As kernel/audit.c audit_log_untrustedstring() and libaudit's audit_encode_nv_string() write a text."""
    if any(byte < 0x21 or byte > 0x7E or byte == 0x22 for byte in value):
        return value.hex().upper().encode("ascii")
    return b'"' + value + b'"'
