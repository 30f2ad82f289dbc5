# SPDX-License-Identifier: Apache-2.0
"""Follow the collector's `events.jsonl` by inode, so that a rotation in between loses nothing.

Runs on hosts: standard library, Python >= 3.9.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO


class Follower:
    """Yields the events written after it was made. `path` must exist: no file means no collector."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("rb")
        self._file.seek(0, os.SEEK_END)
        self._partial = b""

    def close(self) -> None:
        self._file.close()

    def read(self) -> Iterator[dict[str, Any]]:
        """Events complete by now; returns at the end of what is there."""
        yield from self._drain()
        while self._rotated():
            # What was written between the first drain and the rename belongs to the old file.
            yield from self._drain()
            self._file.close()
            self._file = self._path.open("rb")
            self._partial = b""
            yield from self._drain()

    def _drain(self) -> Iterator[dict[str, Any]]:
        while chunk := self._file.read(1 << 20):
            *lines, self._partial = (self._partial + chunk).split(b"\n")
            for line in lines:
                yield json.loads(line)

    def _rotated(self) -> bool:
        """Whether the path names another file than the open one, or the open one was cut."""
        held = os.fstat(self._file.fileno())
        try:
            there = self._path.stat()
        except FileNotFoundError:  # between rename and creation
            return False
        return (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino) or there.st_size < self._file.tell()
