# SPDX-License-Identifier: Apache-2.0
"""The disk queue of one output: whole JSON lines in numbered segments, which outlive the process.

Delivery is at least once: after a kill the lines since the last noted position (one chunk at most) are written again.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import Final

SEGMENT_BYTES: Final = 1 << 20
CHUNK: Final = 1 << 18
_FIRST: Final = 1_000_000_000


class _Segment:
    __slots__ = ("lines", "number", "size")

    def __init__(self, number: int, size: int, lines: int) -> None:
        self.number = number
        self.size = size
        self.lines = lines


class Spool:
    """Used by one thread. `bytes`: on disk and not delivered; `high`: the most ever. Methods raise OSError."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = self.high = self.torn = 0
        self._folder = folder
        self._segments: deque[_Segment] = deque()
        self._at = 0  # in the first segment
        self._writing = -1
        folder.mkdir(mode=0o700, exist_ok=True)
        self._load()

    def append(self, chunk: bytes) -> bool:
        """False when there is no room. A write cut short by a full disk is taken back before the error goes out."""
        if self.bytes + len(chunk) > self.max_bytes:
            return False
        last = self._segments[-1] if self._segments else None
        if last is None or self._writing < 0 or last.size >= SEGMENT_BYTES:
            last = self._begin(last.number + 1 if last else _FIRST)
        try:
            _write_all(self._writing, chunk)
        except OSError:
            os.ftruncate(self._writing, last.size)
            raise
        last.size += len(chunk)
        self.bytes += len(chunk)
        last.lines += chunk.count(b"\n")
        self.high = max(self.high, self.bytes)
        return True

    def prepend(self, chunk: bytes) -> None:
        """Put what is older than all here; whatever the bound, for it was held in memory until now."""
        number = self._segments[0].number - 1 if self._segments else _FIRST
        if self._at:
            rest = self._rest_of_first()
            self._path(number).write_bytes(chunk + rest)
            self._remove_first()
            chunk += rest
        path = self._path(number)
        path.write_bytes(chunk)
        self._segments.appendleft(_Segment(number, len(chunk), chunk.count(b"\n")))
        self.bytes += len(chunk)
        self._note()

    def read(self) -> bytes:
        """The oldest lines, CHUNK bytes or one line at least; b"" when empty. They stay until delivered()."""
        while self._segments and self._at >= self._segments[0].size:
            self._remove_first()
        if not self._segments:
            return b""
        with self._path(self._segments[0].number).open("rb") as file:
            file.seek(self._at)
            chunk = file.read(CHUNK)
            end = chunk.rfind(b"\n") + 1
            while not end:
                more = file.read(CHUNK)
                if not more:
                    raise OSError(5, "a line without end", str(self._path(self._segments[0].number)))
                chunk += more
                end = chunk.rfind(b"\n") + 1
        return chunk[:end]

    def delivered(self, size: int) -> None:
        """The first `size` bytes of what read() gave are with the output, or lost and counted."""
        self._at += size
        self.bytes -= size
        first = self._segments[0]
        if self._at >= first.size:
            self._remove_first()
        else:
            self._note()

    def drop_oldest(self) -> int:
        """Make room by the oldest segment; how many lines that costs."""
        if not self._segments:
            return 0
        lines = self._rest_of_first().count(b"\n")
        self._remove_first()
        return lines

    def close(self) -> None:
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1

    def last_lines(self) -> bytes:
        """The newest segment, for the highest serial in it."""
        return self._path(self._segments[-1].number).read_bytes() if self._segments else b""

    def _load(self) -> None:
        for path in sorted(self._folder.glob("*.jsonl")):
            data = path.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):  # torn by a kill
                self.torn += 1
                os.truncate(path, whole)
            self._segments.append(_Segment(int(path.stem), whole, data.count(b"\n")))
            self.bytes += whole
        note = self._folder / "position"
        words = note.read_text().split() if note.exists() else []
        if len(words) == 2 and self._segments and words[0] == str(self._segments[0].number):
            self._at = min(int(words[1]), self._segments[0].size)
            self.bytes -= self._at

    def _begin(self, number: int) -> _Segment:
        self.close()
        self._writing = os.open(self._path(number), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        segment = _Segment(number, 0, 0)
        self._segments.append(segment)
        return segment

    def _rest_of_first(self) -> bytes:
        return self._path(self._segments[0].number).read_bytes()[self._at : self._segments[0].size]

    def _remove_first(self) -> None:
        first = self._segments[0]
        self._path(first.number).unlink(missing_ok=True)
        if len(self._segments) == 1:
            self.close()
        self._segments.popleft()
        self.bytes -= first.size - self._at
        self._at = 0
        self._note()

    def _note(self) -> None:
        text = f"{self._segments[0].number} {self._at}\n" if self._segments else ""
        fresh = self._folder / "position.new"
        fresh.write_text(text)
        fresh.replace(self._folder / "position")

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:010d}.jsonl"


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
