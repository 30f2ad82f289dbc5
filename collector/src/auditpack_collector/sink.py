# SPDX-License-Identifier: Apache-2.0
"""The event file: appended, rotated by size, written again by itself when the disk has room or the folder is back."""

from __future__ import annotations

import errno
import os
import posixpath
import threading

from .config import Output
from .queue import Queue

RETRY = 1.0
"""Seconds between tries while the file cannot be written."""


class FileSink:
    """Owned by the writer thread. Counters: events, bytes, rotations, errors, torn (a line cut by a crash, closed)."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.events = self.bytes = self.rotations = self.errors = self.torn = 0
        self.last_error = ""
        self._file = -1
        self._size = 0
        folder, self._name = posixpath.split(output.path)
        # Held from before the privileges are dropped, so no parent folder need be open to the collector's user.
        self._folder_path = folder
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def open(self) -> None:
        """Open for appending, 0640; a line that a crash cut short is closed with a newline. Raises OSError."""
        self._file = os.open(
            self._name, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640, dir_fd=self._folder
        )
        self._size = os.fstat(self._file).st_size
        if self._size and os.pread(self._file, 1, self._size - 1) != b"\n":
            self._size += os.write(self._file, b"\n")
            self.torn += 1

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def release(self) -> None:
        """Close for good."""
        self.close()
        os.close(self._folder)

    def write(self, chunk: bytes, stop: threading.Event) -> int:
        """Write whole lines however long it takes; how many events were given up because `stop` came meanwhile."""
        start = 0
        while start < len(chunk):
            try:
                if self._file < 0:
                    self.open()
                at_line = start == 0 or chunk[start - 1 : start] == b"\n"
                if at_line and self._size and 0 < self.output.max_bytes < self._size + len(chunk) - start:
                    self.rotate()
                written = os.write(self._file, chunk[start:])
            except OSError as error:
                self.errors += 1
                self.last_error = f"{self.output.path}: {error.strerror}"
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):  # with room again, go on in the middle of the line
                    self._reopen()
                    start = chunk.rfind(b"\n", 0, start) + 1  # open() closes the torn line; write it whole again
                if stop.wait(RETRY):
                    break
            else:
                start += written
                self._size += written
                self.bytes += written
        done = chunk.count(b"\n", 0, start)
        self.events += done
        return chunk.count(b"\n") - done

    def rotate(self) -> None:
        """events.jsonl → .1 → .2 … the last generation goes."""
        for number in range(self.output.generations - 1, 0, -1):
            self._rename(f"{self._name}.{number}", f"{self._name}.{number + 1}")
        self._rename(self._name, f"{self._name}.1")
        self.close()
        self.open()
        self.rotations += 1

    def _rename(self, old: str, new: str) -> None:
        try:
            os.rename(old, new, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except FileNotFoundError:
            return  # that generation is not there yet

    def _reopen(self) -> None:
        self.close()
        try:
            folder = os.open(self._folder_path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return  # gone, or its parents are closed to us: the folder we hold stays
        os.close(self._folder)
        self._folder = folder


class Writer(threading.Thread):
    """Takes chunks from the queue to the sink until the queue is closed and empty."""

    def __init__(self, queue: Queue, sink: FileSink) -> None:
        super().__init__(name="writer", daemon=True)
        self.sink = sink
        self.given_up = 0
        self._queue = queue
        self._next: FileSink | None = None
        self.stopping = threading.Event()

    def replace(self, sink: FileSink) -> None:
        """Write to another sink from the next chunk on (reload)."""
        self._next = sink

    def run(self) -> None:
        while (chunk := self._queue.get()) is not None:
            following = self._next
            if following is not None:
                self._next = None
                self.sink.release()
                self.sink = following
            self.given_up += self.sink.write(chunk, self.stopping)
