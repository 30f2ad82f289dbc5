# SPDX-License-Identifier: Apache-2.0
"""emit, format `records`: the JSON that LAUREL 0.8 prints. Differences: docs/collector/laurel.md.

One object: `ID` ("sec.ms:serial"), `NODE` if the line had one, then one key per record type in arrival order.
SYSCALL, EXECVE, CWD, PROCTITLE and user-space records are objects, all others lists of objects; a second record of
an object type makes a list of it. Decimal → integer, hex → "0x…", octal → "0o…", (null) and ? → null.
Names of auditd (ENRICHED) and ours are upper case beside the lower-case numbers. A name met twice becomes a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from . import decode, fields, sockaddr
from .coalesce import Event, is_single
from .emit import Object, put
from .options import Options
from .quote import records_text as text
from .scan import Field, Record
from .tables import ARCHES, SYSCALLS
from .users import Names

if TYPE_CHECKING:
    from .enrich import Enricher
    from .enrich_records import RecordsEnricher

_OBJECT_TYPES = frozenset((b"SYSCALL", b"CWD"))
_MAX_CONVERTERS = 4096


def _hex(token: bytes) -> Any:
    return decode.hexadecimal(token) or _number_text(token)


def _octal(token: bytes) -> Any:
    return decode.octal(token) or _number_text(token)


def _number_text(token: bytes) -> str | None:
    """A number that is none: LAUREL prints `?` as it is here."""
    return None if token == b"(null)" else text(decode.plain(token) or token)


def _plain(token: bytes) -> str | None:
    value = decode.plain(token)
    return None if value is None else text(value)


def _encoded(token: bytes) -> str | None:
    value = decode.encoded(token)
    return None if value is None else text(value)


def _braces(token: bytes) -> list[str]:
    return [text(word) for word in decode.words(token)]


def _converter(name: bytes) -> Callable[[bytes], Any]:
    if name in fields.DECIMAL:
        return _decimal
    if name in fields.HEX:
        return _hex
    if name in fields.OCTAL:
        return _octal
    if name == b"seperms":
        return _braces
    return _encoded if name in fields.ENCODED else _plain


def _decimal(token: bytes) -> Any:
    value = decode.decimal(token)
    return _number_text(token) if value is None else value


class RecordsEmitter:
    """Event → JSON value."""

    def __init__(self, options: Options, names: Names, enricher: Enricher | None = None) -> None:
        self._enrich: RecordsEnricher | None = None
        if enricher is not None:
            from .enrich_records import RecordsEnricher  # noqa: PLC0415 - only where something is added

            self._enrich = RecordsEnricher(enricher)
        self._universal = options.translate in ("universal", "all")
        self._users = options.translate == "all"
        self._original = options.original
        self._names = names
        self._known: dict[bytes, tuple[str, Callable[[bytes], Any]]] = {}

    def event(self, event: Event, now: float) -> Object:
        records = event.records
        first = records[0]
        arch = ""
        if self._enrich is not None:
            arch = self._enrich.arch(records)
        out: Object = {"ID": first.id.decode("ascii")}
        if first.node:
            out["NODE"] = text(first.node)
        for record in records:
            kind = record.type
            name = kind.decode("ascii")
            if kind == b"EXECVE":
                if name not in out:
                    out[name], whole = self._execve([each for each in records if each.type == kind])
                    event.complete = event.complete and whole
                    if self._enrich is not None and event.enrichment is not None:
                        self._enrich.record(record, event.enrichment, arch, out[name])
                continue
            value = self._record(record, now)
            if self._enrich is not None and event.enrichment is not None:
                self._enrich.record(record, event.enrichment, arch, value)
            if kind in _OBJECT_TYPES or kind == b"PROCTITLE" or is_single(kind):
                put(out, name, value)
            else:
                out.setdefault(name, []).append(value)
        if event.labels:
            put(out, "LABELS", [text(label) for label in event.labels])
        if event.redacted:
            put(out, "REDACTED", event.redacted)
        if self._enrich is not None:
            self._enrich.host(first.node, out)
        if self._original:
            out["ORIGINAL"] = [text(record.raw) for record in records]
        return out

    def malformed(self, raw: bytes, reason: str) -> Object:
        return {"MALFORMED": {"reason": reason, "raw": text(raw)}}

    def _fields(self, pairs: list[Field], into: Object) -> None:
        known = self._known
        for name, token in pairs:
            entry = known.get(name)
            if entry is None:
                if len(known) >= _MAX_CONVERTERS:
                    known.clear()
                entry = known[name] = (text(name or b"text"), _converter(name))
            key, convert = entry
            if key in into:
                put(into, key, convert(token))
            else:
                into[key] = convert(token)

    def _record(self, record: Record, now: float) -> Object:
        out: Object = {}
        kind = record.type
        if kind == b"SYSCALL":
            arguments: list[Any] = []
            rest: list[Field] = []
            for field in record.fields:
                name = field[0]
                if name in (b"a0", b"a1", b"a2", b"a3"):
                    arguments.append(_hex(field[1]))
                else:
                    rest.append(field)
            self._fields(rest, out)
            if arguments:
                out["ARGV"] = arguments
        elif kind == b"PROCTITLE":
            for field in record.fields:
                argv = decode.title(field[1]) if field[0] == b"proctitle" else None
                if argv is None or "ARGV" in out:
                    self._fields([field], out)
                else:
                    out["ARGV"] = [text(argument) for argument in argv]
        else:
            self._fields(record.fields, out)
        self._message(record, out)
        self._tail(record, out)
        if self._universal:
            self._translate(record, out)
        if self._users:
            self._translate_ids(record, out, now)
        return out

    def _message(self, record: Record, out: Object) -> None:
        if record.message is not None:
            message: Object = {}
            self._fields(record.message, message)
            put(out, "msg", message)

    def _tail(self, record: Record, out: Object) -> None:
        for name, token in record.tail:
            if name == b"SADDR" and token[:1] == b"{" and token[-1:] == b"}":
                put(out, "SADDR", "{" + text(token[1:-1].strip()) + "}")
            else:
                put(out, text(name or b"TEXT"), _plain(token))

    def _execve(self, records: list[Record]) -> tuple[Object, bool]:
        out: Object = {}
        vector, rest, whole = decode.arguments(records)
        out["ARGV"] = [None if argument is None else text(argument) for argument in vector]
        self._fields(rest, out)
        for record in records:
            self._message(record, out)
            self._tail(record, out)
        return out, whole

    def _translate(self, record: Record, out: Object) -> None:
        if record.type == b"SYSCALL":
            found = dict(record.fields)
            arch = ARCHES.get(found.get(b"arch", b""))
            if arch is not None:
                out.pop("ARCH", None)  # ours stand behind all that auditd appended
                out["ARCH"] = arch
                number = decode.decimal(found.get(b"syscall", b""))
                syscall = None if number is None else SYSCALLS[arch].get(number)
                if syscall is not None:
                    out.pop("SYSCALL", None)
                    out["SYSCALL"] = syscall
        elif record.type == b"SOCKADDR":
            for name, token in record.fields:
                if name == b"saddr":
                    family, parts, _ = sockaddr.parse(decode.encoded(token) or b"")
                    if parts and family not in sockaddr.RARE:
                        out.pop("saddr", None)
                        out.pop("SADDR", None)
                        out["SADDR"] = {"saddr_fam": family} | {
                            key: text(value) if isinstance(value, bytes) else value for key, value in parts.items()
                        }

    def _translate_ids(self, record: Record, out: Object, now: float) -> None:
        for name, token in record.fields:
            user = name in fields.USER_IDS
            if user or name in fields.GROUP_IDS:
                number = decode.decimal(token)
                upper = name.decode("ascii").upper()
                if number is not None and upper not in out:
                    out[upper] = self._names.user(number, now) if user else self._names.group(number, now)
