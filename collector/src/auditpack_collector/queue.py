# SPDX-License-Identifier: Apache-2.0
"""The bounded queue between reader and writer: a slow disk costs events, by policy and counted, never the kernel."""

from __future__ import annotations

import threading
from collections import deque


class Queue:
    """Chunks of whole JSON lines. `dropped` counts events lost to the bound; `high` is the most bytes ever held."""

    def __init__(self, max_bytes: int, policy: str) -> None:
        self.max_bytes = max_bytes
        self.policy = policy
        self.bytes = self.high = self.dropped = 0
        self._chunks: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, chunk: bytes, force: bool = False) -> None:
        """Append; `force` (reports of loss) ignores the bound. With policy `block` waits for room or close()."""
        with self._changed:
            while self._full(chunk) and self.policy == "block" and not self._closed and not force:
                self._changed.wait()
            if self._full(chunk) and not force:
                if self.policy == "newest":
                    self.dropped += chunk.count(b"\n")
                    return
                while self._chunks and self._full(chunk):
                    oldest = self._chunks.popleft()
                    self.bytes -= len(oldest)
                    self.dropped += oldest.count(b"\n")
            self._chunks.append(chunk)
            self.bytes += len(chunk)
            self.high = max(self.high, self.bytes)
            self._changed.notify_all()

    def get(self) -> bytes | None:
        """The oldest chunk, waiting for one; None when closed and empty."""
        with self._changed:
            while not self._chunks:
                if self._closed:
                    return None
                self._changed.wait()
            chunk = self._chunks.popleft()
            self.bytes -= len(chunk)
            self._changed.notify_all()
            return chunk

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def drain(self) -> int:
        """Throw all away (at the end, when the disk never came back); how many events, also added to `dropped`."""
        with self._changed:
            events = sum(chunk.count(b"\n") for chunk in self._chunks)
            self._chunks.clear()
            self.bytes = 0
            self.dropped += events
            return events

    def _full(self, chunk: bytes) -> bool:
        return bool(self._chunks) and self.bytes + len(chunk) > self.max_bytes
