# SPDX-License-Identifier: Apache-2.0
"""scan → coalesce → decode → emit behind one small interface, which the C replaces whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, Final, NamedTuple, Union

from .coalesce import MAX_ENDED, Coalescer, Event
from .emit_ecs import EcsEmitter
from .emit_records import RecordsEmitter
from .options import Options
from .scan import MAX_LINE, Malformed, scan
from .tables import RECORD_TYPES
from .users import Names

if TYPE_CHECKING:
    from .enrich import Enricher
    from .filter import Filter
    from .limit import Repeat
    from .redact import Redactor

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
        streams = options.all_streams()
        self._all = sum(stream.receives_all << place for place, stream in enumerate(streams))
        self._enricher = _enricher(options)
        self._outlets = _outlets(options, names or Names(), self._enricher)
        self._filter = _filter(options, len(streams), self._all)
        self._redactor = _redactor(options)
        self._types: dict[str, list[int]] = {}
        self._event_clock = options.clock == "event"
        self._now = 0.0
        self._rest = b""
        self._skipping = False
        self._bytes_in = self._records_in = self._malformed = self._incomplete = self._events_out = (
            self._records_out
        ) = 0
        self._last_serial = options.last_serial
        self._events_filtered = self._records_filtered = self._redacted = 0

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
            "events_filtered": self._events_filtered,
            "records_filtered": self._records_filtered,
            "redacted": self._redacted,
            "last_serial": self._last_serial,
            "no_memory": 0,  # the C counts what it loses; here MemoryError ends the process
        }

    def types(self) -> dict[str, tuple[int, int]]:
        """Records by type, (in, out); a type that the tables lack counts as `other`."""
        return {name: (came, went) for name, (came, went) in sorted(self._types.items())}

    def rules(self) -> tuple[tuple[int, int], ...]:
        """Of each filter rule the events that it matched and those that it held back from an output."""
        return tuple(zip(self._filter.matched, self._filter.held)) if self._filter else ()

    def repeats(self) -> list[Repeat]:
        """Aggregates that ended since the last call."""
        if self._filter is None:
            return []
        ended, self._filter.repeats = self._filter.repeats, []
        return ended

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
        self._count(record.type)[0] += 1
        if record.type == b"EOE":
            self._records_out += 1  # EOE says that the event ended and nothing else
            self._count(record.type)[1] += 1
        elif not record.type.startswith(b"DAEMON_") and (
            record.serial > self._last_serial or self._last_serial - record.serial >= MAX_ENDED
        ):
            self._last_serial = record.serial
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
        if self._filter is not None:
            self._filter.expire(self._now, everything)

    def _emit(self, ended: list[Event]) -> None:
        for event in ended:
            self._event(event)
        ended.clear()

    def _event(self, event: Event) -> None:
        to = self._all
        if self._enricher is not None:
            event.enrichment = self._enricher.event(event)
        if self._filter is not None:
            to, event.labels = self._filter.event(event, self._now, *_process_of(event))
            if not to:
                self._events_filtered += 1
                self._records_filtered += len(event.records)
                return
        if self._redactor is not None:
            event.redacted = self._redactor.records(event.records)
            self._redacted += event.redacted
        self._records_out += len(event.records)
        for record in event.records:
            self._count(record.type)[1] += 1
        self._write(lambda emitter: emitter.event(event, self._now), to)
        self._incomplete += not event.complete

    def _count(self, type_: bytes) -> list[int]:
        name = type_.decode("ascii")
        return self._types.setdefault(name if name in RECORD_TYPES else "other", [0, 0])

    def _write(self, make: Callable[[Emitter], dict[str, Any]], to: int) -> None:
        """One line for each stream whose bit is in `to`; equal streams share the making of it."""
        self._events_out += 1
        made: dict[int, str] = {}
        for place, outlet in enumerate(self._outlets):
            if to >> place & 1:
                if outlet.like not in made:
                    made[outlet.like] = _dumps(make(outlet.emitter)) + "\n"
                outlet.lines.append(made[outlet.like])


def _enricher(options: Options) -> Enricher | None:
    wanted = options.enrichment()
    if wanted is None:
        return None
    from .enrich import Enricher  # noqa: PLC0415 - loaded only where something is added

    return Enricher(wanted, options.hostname, options.enrich_source())


def _process_of(event: Event) -> tuple[list[bytes], bytes, bytes]:
    """Labels, unit and container of the event's process, as filters ask for them."""
    found = event.enrichment
    if found is None or found.process is None:
        return [], b"", b""
    return found.labels, found.process.cgroup.unit, found.process.cgroup.container


def _filter(options: Options, streams: int, default: int) -> Filter | None:
    if not options.rules:
        return None
    from .filter import Filter  # noqa: PLC0415 - loaded only where there are filters

    return Filter(options.rules, streams, default)


def _redactor(options: Options) -> Redactor | None:
    if options.redact is None:
        return None
    from .redact import Redactor  # noqa: PLC0415

    return Redactor(options.redact)


class _Outlet(NamedTuple):
    """Where the lines of one stream gather; `like` is the place of the first stream of the same kind."""

    emitter: Emitter
    like: int
    lines: list[str]


def _outlets(options: Options, names: Names, enricher: Enricher | None) -> list[_Outlet]:
    kinds: list[tuple[str, str, bool]] = []
    outlets: list[_Outlet] = []
    for stream in options.all_streams():
        kind = (stream.format, stream.translate, stream.original)
        kinds.append(kind)
        mine = options._replace(format=stream.format, translate=stream.translate, original=stream.original)
        make = EcsEmitter if stream.format == "ecs" else RecordsEmitter
        outlets.append(_Outlet(make(mine, names, enricher), kinds.index(kind), []))
    return outlets
