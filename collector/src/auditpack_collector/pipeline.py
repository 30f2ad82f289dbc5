# SPDX-License-Identifier: Apache-2.0
"""scan → coalesce → decode → emit behind one small interface, which the C replaces whole."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Callable, Final, NamedTuple, Union

from .coalesce import Coalescer, Event
from .emit_ecs import EcsEmitter
from .emit_records import RecordsEmitter
from .options import Options
from .scan import MAX_LINE, Malformed, scan
from .users import Names

Emitter = Union[EcsEmitter, RecordsEmitter]

_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class Pipeline:
    """Bytes of audit records in, bytes of JSON lines out. Never raises on input; memory is bounded.

    feed(data, now): any slice of the input, `now` in seconds of a clock of the caller's choice (monotonic or epoch).
    Returns the lines of the first stream; others() those that the same call made for each further one.
    flush(now): ends what has timed out; call it also when no data comes. flush(now, all=True): ends everything, takes
    a last line without newline. counters(): numbers since the start, names below.
    """

    implementation: Final = "python"

    def __init__(self, options: Options, names: Names | None = None) -> None:
        self._coalescer = Coalescer(options.timeout, options.last_serial)
        self._outlets = _outlets(options, names or Names())
        self._all = sum(stream.receives_all << place for place, stream in enumerate(options.all_streams()))
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
        ended = self._begin()
        if not self._event_clock:
            self._now = now
        for line in lines:
            if self._skipping:  # the end of a line whose start went out as too long
                self._skipping = False
                continue
            self._line(line, ended)
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > MAX_LINE:
            self._line(self._rest, ended)
            self._rest = b""
            self._skipping = True
        self._expire(ended, False)
        return self._made(0)

    def flush(self, now: float, all: bool = False) -> bytes:
        ended = self._begin()
        if not self._event_clock:
            self._now = now
        if all:
            if self._rest and not self._skipping:
                self._line(self._rest, ended)
            self._rest = b""
            self._skipping = False
        self._expire(ended, all)
        return self._made(0)

    def others(self) -> tuple[bytes, ...]:
        return tuple(map(self._made, range(1, len(self._outlets))))

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

    def _begin(self) -> list[Event]:
        for outlet in self._outlets:
            outlet.lines.clear()
        return []

    def _made(self, place: int) -> bytes:
        return "".join(self._outlets[place].lines).encode("utf-8")

    def _line(self, line: bytes, ended: list[Event]) -> None:
        record = scan(line)
        if isinstance(record, Malformed):
            if record.reason == "empty":
                return
            self._malformed += 1
            self._write(lambda emitter: emitter.malformed(record.raw, record.reason), self._all)
            return
        self._records_in += 1
        if record.type == b"EOE":
            self._records_out += 1  # EOE says that the event ended and nothing else
        if self._event_clock:
            self._now = max(self._now, record.sec + record.ms / 1000)
        self._coalescer.add(record, self._now, ended)
        if ended:
            self._emit(ended)
        if self._event_clock:
            self._expire(ended, False)

    def _expire(self, ended: list[Event], everything: bool) -> None:
        self._coalescer.expire(self._now, ended, everything)
        self._emit(ended)

    def _emit(self, ended: list[Event]) -> None:
        for event in ended:
            self._records_out += len(event.records)
            self._write(lambda emitter: emitter.event(event, self._now), self._all)  # noqa: B023 - called at once
            self._incomplete += not event.complete
        ended.clear()

    def _write(self, make: Callable[[Emitter], dict[str, Any]], to: int) -> None:
        """One line for each stream whose bit is in `to`; equal streams share the making of it."""
        self._events_out += 1
        made: dict[int, str] = {}
        for place, outlet in enumerate(self._outlets):
            if to >> place & 1:
                if outlet.like not in made:
                    made[outlet.like] = _dumps(make(outlet.emitter)) + "\n"
                outlet.lines.append(made[outlet.like])


class _Outlet(NamedTuple):
    """Where the lines of one stream gather; `like` is the place of the first stream of the same kind."""

    emitter: Emitter
    like: int
    lines: list[str]


def _outlets(options: Options, names: Names) -> list[_Outlet]:
    kinds: list[tuple[str, str, bool]] = []
    outlets: list[_Outlet] = []
    for stream in options.all_streams():
        kind = (stream.format, stream.translate, stream.original)
        kinds.append(kind)
        mine = replace(options, format=stream.format, translate=stream.translate, original=stream.original)
        emitter = EcsEmitter(mine, names) if stream.format == "ecs" else RecordsEmitter(mine, names)
        outlets.append(_Outlet(emitter, kinds.index(kind), []))
    return outlets
