# SPDX-License-Identifier: Apache-2.0
"""The event file: lines appended, rotated by size. What it cannot take waits in the journal, so nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

from .config import Output
from .journal import Journal


class EventFile:
    """`flush` prints what the journal holds unprinted. `errors`, `last_error`: the disk's refusals so far."""

    def __init__(self, config: Output) -> None:
        self._config = config
        self._path = Path(config.path)
        self.events = 0
        self.errors = 0
        self.last_error = ""

    def flush(self, journal: Journal) -> int:
        """Print all that is unprinted; returns how many events. A refusal is counted, and tried again next time."""
        count = 0
        while True:
            rows = journal.unprinted()
            if not rows:
                return count
            try:
                self._write(b"".join(text.encode("utf-8") + b"\n" for _, text in rows))
            except OSError as error:
                self.errors += 1
                self.last_error = f"{self._path}: {error.strerror}"
                return count
            self.last_error = ""
            journal.printed(rows[-1][0])
            count += len(rows)
            self.events += len(rows)

    def _write(self, data: bytes) -> None:
        """All of it or nothing: what a full disk took of it is cut off again."""
        fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(fd).st_size
            if self._config.max_bytes and size and size + len(data) > self._config.max_bytes:
                os.close(fd)
                self._rotate()
                fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
                size = 0
            if size and os.pread(fd, 1, size - 1) != b"\n":  # killed in the middle of a line
                data = b"\n" + data
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(fd, rest) :]
            except OSError:
                os.ftruncate(fd, size)
                raise
        finally:
            os.close(fd)

    def _rotate(self) -> None:
        for number in range(self._config.generations - 1, 0, -1):
            older = Path(f"{self._path}.{number}")
            if older.exists():
                older.replace(f"{self._path}.{number + 1}")
        self._path.replace(f"{self._path}.1")
