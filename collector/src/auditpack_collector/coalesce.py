# SPDX-License-Identifier: Apache-2.0
"""coalesce: records → events.

Records of one event share node, time stamp and serial. They may be interleaved with other events', out of order and
late. An event ends
- at once, if its type is one that its writer sends alone (user space 1100-1299 and 2100-2999: one message, one serial);
- on EOE, if SYSCALL (or URINGOP) and as many PATH records as its `items` promises are there, else when they have come;
- on PROCTITLE under the same condition, as long as the source has shown no EOE (auditd keeps EOE out of its log,
  plugins get it). kernel/auditsc.c audit_log_exit() writes SYSCALL first, PROCTITLE after every PATH, EOE last;
- after `timeout` seconds of the caller's clock since its first record (auparse: end_of_event_timeout, 2 s);
- when memory bounds are hit: then the oldest open event goes, or the event that grew too large.
A record that comes after its event's end is `late` and makes an event of its own with the same id.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from .decode import decimal
from .scan import Record
from .tables import RECORD_TYPES

if TYPE_CHECKING:
    from .enrich import Enrichment

MAX_OPEN_EVENTS: Final = 1024
MAX_OPEN_BYTES: Final = 16 << 20
"""Raw bytes of all open events."""
MAX_EVENT_BYTES: Final = 4 << 20
MAX_EVENT_RECORDS: Final = 4096
MAX_ENDED: Final = 4096
"""Ids of ended events remembered, to tell a late record from a new event."""
MAX_SERIAL_GAP: Final = 1 << 20
"""A larger step is a new boot or another source, not a loss."""

Key = tuple[bytes, bytes]


def is_single(type_: bytes) -> bool:
    """Sent alone by user space (or by auditd itself), so whole with its one record."""
    return type_ in _SINGLE or (type_.startswith(b"UNKNOWN[") and _single_number(int(type_[8:-1])))


def _single_number(number: int) -> bool:
    return number == 1005 or 1100 <= number <= 1299 or 2100 <= number <= 2999


_SINGLE: Final = frozenset(name.encode() for name, number in RECORD_TYPES.items() if _single_number(number))


class Event:
    """Records of one event in arrival order. `complete`: nothing that its records promise is missing, neither a PATH
    of `items` nor, as the emitter finds, an argument of `argc`."""

    __slots__ = (
        *("complete", "enrichment", "eoe", "items", "key", "labels", "late", "paths"),
        *("records", "redacted", "size", "started", "syscall", "title"),
    )

    def __init__(self, key: Key, started: float) -> None:
        self.key = key
        self.started = started
        self.records: list[Record] = []
        self.size = 0
        self.items = 0
        self.paths = 0
        self.syscall = self.title = self.eoe = self.late = False
        self.complete = True
        self.enrichment: Enrichment | None = None
        self.labels: list[bytes] = []  # that filters gave
        self.redacted = 0  # values taken out

    def add(self, record: Record) -> None:
        self.size += len(record.raw)
        type_ = record.type
        if type_ == b"EOE":
            self.eoe = True
            return
        self.records.append(record)
        if type_ == b"PATH":
            self.paths += 1
        elif type_ in (b"SYSCALL", b"URINGOP"):
            self.syscall = True
            for name, token in record.fields:
                if name == b"items":
                    self.items = decimal(token) or 0
                    break
        elif type_ == b"PROCTITLE":
            self.title = True

    def promised(self) -> bool:
        """SYSCALL came, if EOE says there is one, and every PATH that its `items` counts."""
        return self.paths >= self.items and (self.syscall or not self.eoe)


class Coalescer:
    """Feed records, take ended events. Counters: late, forced (ended by a memory bound), serial_gaps."""

    def __init__(self, timeout: float = 2.0, last_serial: int = 0) -> None:
        self.timeout = timeout
        self.late = self.forced = self.serial_gaps = 0
        self._open: OrderedDict[Key, Event] = OrderedDict()
        self._bytes = 0
        self._ended: OrderedDict[Key, None] = OrderedDict()
        self._eoe_seen = False
        self._serials: dict[bytes, int] = {}
        self._last_serial = last_serial

    def add(self, record: Record, now: float, out: list[Event]) -> None:
        """Take one record; append to `out` the events that it ends."""
        key = (record.node, record.id)
        event = self._open.get(key)
        if record.type == b"EOE":
            self._eoe_seen = True
        if event is None:
            if key in self._ended:
                if record.type != b"EOE":
                    self.late += 1
                    event = Event(key, now)
                    event.late = True
                    event.add(record)
                    out.append(event)
                return
            event = Event(key, now)
            self._count_serial(record)
            if is_single(record.type):
                event.add(record)
                self._remember(key)
                out.append(event)
                return
            self._open[key] = event
        event.add(record)
        self._bytes += len(record.raw)
        if event.syscall and event.promised() and (event.eoe or (event.title and not self._eoe_seen)):
            self._end(event, out)
        elif event.size > MAX_EVENT_BYTES or len(event.records) > MAX_EVENT_RECORDS:
            self._force(event, out)
        while len(self._open) > MAX_OPEN_EVENTS or self._bytes > MAX_OPEN_BYTES:
            self._force(next(iter(self._open.values())), out)

    def expire(self, now: float, out: list[Event], everything: bool = False) -> None:
        """End events older than the timeout (or all). A clock that went back makes an event new again."""
        while self._open:
            event = next(iter(self._open.values()))
            event.started = min(event.started, now)
            if not everything and now - event.started < self.timeout:
                return
            self._end(event, out)

    def open_events(self) -> int:
        return len(self._open)

    def _force(self, event: Event, out: list[Event]) -> None:
        self.forced += 1
        event.complete = False
        self._end(event, out)

    def _end(self, event: Event, out: list[Event]) -> None:
        del self._open[event.key]
        self._bytes -= event.size
        self._remember(event.key)
        if not event.promised():
            event.complete = False
        if event.records:
            out.append(event)

    def _remember(self, key: Key) -> None:
        self._ended[key] = None
        if len(self._ended) > MAX_ENDED:
            self._ended.popitem(last=False)

    def _count_serial(self, record: Record) -> None:
        """Serials of a node rise by one per event; a step forward over some of them is a gap of that many events.

        Reordering makes a gap and then fills it, so a serial below the highest one takes one off again.
        """
        if record.type.startswith(b"DAEMON_"):
            return  # auditd counts its own events, from a random number on
        highest = self._serials.get(record.node)
        if highest is None and self._last_serial:
            highest = self._serials[record.node] = self._last_serial
            self._last_serial = 0
        if highest is None:
            if len(self._serials) < 4096:
                self._serials[record.node] = record.serial
            return
        step = record.serial - highest
        if step > 0:
            self._serials[record.node] = record.serial
            if step <= MAX_SERIAL_GAP:
                self.serial_gaps += step - 1
        elif -MAX_ENDED < step < 0 and self.serial_gaps:
            self.serial_gaps -= 1
        elif step <= -MAX_ENDED:
            self._serials[record.node] = record.serial  # a new boot counts from the start
