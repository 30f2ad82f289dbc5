# SPDX-License-Identifier: Apache-2.0
"""The bounded queue between reader and writer: memory, then disk, then loss by policy, counted; never the kernel's."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

from .spool import Spool

RETRY: Final = 1.0
"""Seconds between tries while the disk queue cannot be written."""

Item = tuple[float, bytes, bool]
"""(when it was put, monotonic; whole JSON lines; they are on disk too)"""


class Queue:
    """Chunks of whole JSON lines. `dropped` counts events lost by reason; `high` is the most bytes ever in memory.

    `_front` is for the writer. With a disk queue a thread of this class takes from `_back` what finds no room in
    front, to disk, and from disk to the front: neither the reader nor the writer waits for that disk.
    """

    def __init__(self, max_bytes: int, policy: str, spool: Spool | None = None) -> None:
        self.max_bytes = max_bytes
        self.policy = policy
        self.bytes = self.high = 0
        self.dropped = {"queue_full": 0, "disk_queue_full": 0, "write_failed": 0}
        self.last_error = ""
        self.spool = spool
        self._front: deque[Item] = deque()
        self._back: deque[Item] = deque()
        self._moving: Item | None = None  # between the two, in the hands of the thread
        self._spooled = 0  # bytes of the front that are still on disk
        self._acknowledged = 0  # of those, with the output
        self._changed = threading.Condition()
        self._closed = self._stopped = False
        self._spooler = threading.Thread(target=self._run, name="disk queue", daemon=True) if spool else None
        if self._spooler is not None:
            self._spooler.start()

    def put(self, chunk: bytes, force: bool = False) -> None:
        """Append; `force` (reports of loss) ignores the bound. With policy `block` waits for room or close()."""
        with self._changed:
            while self._full(chunk) and self.policy == "block" and not self._closed and not force:
                self._changed.wait()
            if self._full(chunk) and not force and not self._make_room(chunk):
                self.dropped["queue_full"] += chunk.count(b"\n")
                return
            direct = self.spool is None or not (self._pending() or self.bytes > self.max_bytes // 2)
            (self._front if direct else self._back).append((time.monotonic(), chunk, False))
            self.bytes += len(chunk)
            self.high = max(self.high, self.bytes)
            self._changed.notify_all()

    def get(self) -> bytes | None:
        """The oldest chunk, waiting for one; None when closed and empty. It stays in the bound until done()."""
        with self._changed:
            while not self._front:
                if self._closed and not self._pending():
                    return None
                self._changed.wait()
            return self._front[0][1]

    def done(self, size: int) -> None:
        """The first `size` bytes of what get() gave, whole lines, are with the output; the rest stays in front."""
        with self._changed:
            put, chunk, on_disk = self._front.popleft()
            self._leave((put, chunk[:size], on_disk))
            if size < len(chunk):
                self._front.appendleft((put, chunk[size:], on_disk))
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def age(self) -> float:
        """Seconds that the oldest chunk in memory has waited."""
        with self._changed:
            oldest = self._front or self._back
            return time.monotonic() - oldest[0][0] if oldest else 0.0

    def empty(self) -> bool:
        with self._changed:
            return not self._front and not self._pending()

    def _pending(self) -> bool:
        on_disk = 0 if self.spool is None else self.spool.bytes
        return bool(self._back) or self._moving is not None or on_disk > self._acknowledged

    def _full(self, chunk: bytes) -> bool:
        return self.bytes > 0 and self.bytes + len(chunk) > self.max_bytes

    def _make_room(self, chunk: bytes) -> bool:
        """By policy: drop the oldest but the one that is being written; False: the new one goes."""
        if self.policy != "oldest":
            return False
        while self._full(chunk):
            source = self._front if len(self._front) > 1 else self._back
            if not source:
                return False
            oldest = source[1] if source is self._front else source[0]
            del source[1 if source is self._front else 0]
            self.dropped["queue_full"] += oldest[1].count(b"\n")
            self._leave(oldest)
        return True

    def _leave(self, item: Item) -> None:
        self.bytes -= len(item[1])
        if item[2]:
            self._acknowledged += len(item[1])

    # The disk queue's thread. It alone touches the spool; the lock is never held over its input and output.

    def _run(self) -> None:
        assert self.spool is not None
        while True:
            with self._changed:
                while not self._has_work() or self._stopped:
                    if self._stopped:
                        return
                    self._changed.wait()
            try:
                self._step(self.spool)
                self.last_error = ""
            except OSError as error:
                self.last_error = f"{error.filename or 'disk queue'}: {error.strerror}"
                with self._changed:
                    self._changed.wait(RETRY)

    def _has_work(self) -> bool:
        assert self.spool is not None
        return bool(self._acknowledged or self._back or (self.spool.bytes > self._spooled and not self._front))

    def _step(self, spool: Spool) -> None:
        with self._changed:
            acknowledged, self._acknowledged = self._acknowledged, 0
            item = self._moving = self._back.popleft() if self._back else None
        if acknowledged:
            self._spooled -= acknowledged
            spool.delivered(acknowledged)
        try:
            item = self._refill(spool, item)
            if item is not None and self._to_disk(spool, item):
                item = None
        finally:
            with self._changed:
                self._moving = None
                if item is not None:
                    self._back.appendleft(item)
                self._changed.notify_all()
        if item is not None:
            with self._changed:
                self._changed.wait(RETRY)

    def _refill(self, spool: Spool, item: Item | None) -> Item | None:
        """Give the writer the oldest: from disk, else `item` itself; what is left of `item`."""
        with self._changed:
            if self._front or self._spooled:
                return item
        chunk = spool.read()
        given = (time.monotonic(), chunk, True) if chunk else item
        if given is None:
            return item
        self._spooled = len(chunk)
        with self._changed:
            self._front.append(given)
            self.bytes += len(chunk)
            self._changed.notify_all()
        return item if chunk else None

    def _to_disk(self, spool: Spool, item: Item) -> bool:
        while not spool.append(item[1]):
            if self.policy != "oldest" or self._spooled:
                return False
            dropped = spool.drop_oldest()
            if not dropped:
                return False
            self.dropped["disk_queue_full"] += dropped
        with self._changed:
            self.bytes -= len(item[1])
        return True

    def finish(self) -> None:
        """At the end: what the output did not take goes to the disk queue, else it is lost, and counted."""
        with self._changed:
            self._closed = self._stopped = True
            self._changed.notify_all()
        if self._spooler is not None:
            self._spooler.join(timeout=5)
        rest = [item for item in (*self._front, *self._back) if not item[2]]
        try:
            if self.spool is not None:
                if self._acknowledged:
                    self.spool.delivered(self._acknowledged)
                front = b"".join(item[1] for item in self._front if not item[2])
                if front:
                    self.spool.prepend(front)
                rest = [item for item in self._back if not self.spool.append(item[1])]
                self.spool.close()
        except OSError as error:
            self.last_error = f"{error.filename or 'disk queue'}: {error.strerror}"
        self._front.clear()
        self._back.clear()
        self.bytes = self._acknowledged = 0
        self.dropped["write_failed"] += sum(item[1].count(b"\n") for item in rest)
