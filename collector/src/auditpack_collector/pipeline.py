# SPDX-License-Identifier: Apache-2.0
"""scan → coalesce → decode → emit behind one small interface, which the C replaces whole."""

from __future__ import annotations

import json
from typing import Any, Final

from .coalesce import Coalescer, Event
from .emit_ecs import EcsEmitter
from .emit_records import RecordsEmitter
from .options import Options
from .scan import MAX_LINE, Malformed, scan
from .users import Names

_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class Pipeline:
    """Bytes of audit records in, bytes of JSON lines out. Never raises on input; memory is bounded.

    feed(data, now): any slice of the stream, `now` in seconds of a clock of the caller's choice (monotonic or epoch).
    flush(now): ends what has timed out; call it also when no data comes. flush(now, all=True): ends everything, takes
    a last line without newline. counters(): numbers since the start, names below.
    """

    implementation: Final = "python"

    def __init__(self, options: Options, names: Names | None = None) -> None:
        self._coalescer = Coalescer(options.timeout, options.last_serial)
        names = names or Names()
        self._emitter: EcsEmitter | RecordsEmitter = (
            EcsEmitter(options, names) if options.format == "ecs" else RecordsEmitter(options, names)
        )
        self._event_clock = options.clock == "event"
        self._now = 0.0
        self._rest = b""
        self._skipping = False
        self._bytes_in = self._records_in = self._malformed = self._incomplete = self._events_out = (
            self._records_out
        ) = 0

    def feed(self, data: bytes, now: float) -> bytes:
        self._bytes_in += len(data)
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        out: list[str] = []
        ended: list[Event] = []
        if not self._event_clock:
            self._now = now
        for line in lines:
            if self._skipping:  # the end of a line whose start went out as too long
                self._skipping = False
                continue
            self._line(line, ended, out)
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > MAX_LINE:
            self._line(self._rest, ended, out)
            self._rest = b""
            self._skipping = True
        self._expire(ended, out, False)
        return "".join(out).encode("utf-8")

    def flush(self, now: float, all: bool = False) -> bytes:
        out: list[str] = []
        ended: list[Event] = []
        if not self._event_clock:
            self._now = now
        if all:
            if self._rest and not self._skipping:
                self._line(self._rest, ended, out)
            self._rest = b""
            self._skipping = False
        self._expire(ended, out, all)
        return "".join(out).encode("utf-8")

    def counters(self) -> dict[str, int]:
        coalescer = self._coalescer
        return {
            "bytes_in": self._bytes_in,
            "records_in": self._records_in,
            "records_out": self._records_out,
            "events_out": self._events_out,
            "malformed": self._malformed,
            "late": coalescer.late,
            "incomplete": self._incomplete,
            "forced": coalescer.forced,
            "serial_gaps": coalescer.serial_gaps,
            "open_events": coalescer.open_events(),
            "no_memory": 0,  # the C counts what it loses; here MemoryError ends the process
        }

    def _line(self, line: bytes, ended: list[Event], out: list[str]) -> None:
        record = scan(line)
        if isinstance(record, Malformed):
            if record.reason == "empty":
                return
            self._malformed += 1
            self._write(self._emitter.malformed(record.raw, record.reason), out)
            return
        self._records_in += 1
        if record.type == b"EOE":
            self._records_out += 1  # EOE says that the event ended and nothing else
        if self._event_clock:
            self._now = max(self._now, record.sec + record.ms / 1000)
        self._coalescer.add(record, self._now, ended)
        if ended:
            self._emit(ended, out)
        if self._event_clock:
            self._expire(ended, out, False)

    def _expire(self, ended: list[Event], out: list[str], everything: bool) -> None:
        self._coalescer.expire(self._now, ended, everything)
        self._emit(ended, out)

    def _emit(self, ended: list[Event], out: list[str]) -> None:
        for event in ended:
            self._records_out += len(event.records)
            self._write(self._emitter.event(event, self._now), out)
            self._incomplete += not event.complete
        ended.clear()

    def _write(self, value: dict[str, Any], out: list[str]) -> None:
        self._events_out += 1
        out.append(_dumps(value))
        out.append("\n")
