# SPDX-License-Identifier: Apache-2.0
"""Files that somebody has open for writing: looked at again when the last writer closes, or has ended.

Audit tells of the opening, not of the writes nor of the close. inotify(7) tells of a close after writing, by one
descriptor on the very file that was read, and needs no privilege beyond reading it. Where there is none to be had
(fs.inotify.max_user_watches), the file is looked at again when the process that opened it has ended.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .change import Touch

_IN_CLOSE_WRITE: Final = 0x00000008
_IN_IGNORED: Final = 0x00008000
_HEAD: Final = struct.Struct("iIII")
_MOST: Final = 4096
_POLL: Final = 1.0

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class _Writer:
    path: bytes
    touches: list[Touch]
    watch: int


class Writers:
    """`clock`: monotonic seconds. `unwatched`: files for which there was no inotify watch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: dict[bytes, _Writer] = {}
        self._by_watch: dict[int, bytes] = {}
        self._polled = 0.0
        self.unwatched = 0
        self._fd: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def __contains__(self, path: bytes) -> bool:
        return path in self._open

    def __len__(self) -> int:
        return len(self._open)

    def touches(self, path: bytes) -> list[Touch]:
        """Those who have a file open."""
        writer = self._open.get(path)
        return [] if writer is None else list(writer.touches)

    def watch(self, path: bytes, dir_fd: int, name: bytes, touches: list[Touch]) -> None:
        """Before the content is read: if one of those who opened it still runs, be told when they close."""
        alive = [touch for touch in touches if touch.writes and _alive(touch)]
        known = self._open.get(path)
        if known is not None:
            known.touches = alive or known.touches
            return
        if not alive or len(self._open) >= _MOST:
            return
        watch = -1
        if self._fd >= 0:
            place = b"/proc/self/fd/%d/%s" % (dir_fd, name)
            watch = int(_libc.inotify_add_watch(self._fd, place, _IN_CLOSE_WRITE))
        if watch < 0:
            self.unwatched += 1
        else:
            self._by_watch[watch] = path
        self._open[path] = _Writer(path, alive, watch)

    def closed(self) -> Iterator[tuple[bytes, list[Touch]]]:
        """Paths to look at again, with those who wrote them."""
        yield from self._told()
        if not self._open:
            return
        now = self._clock()
        if now - self._polled < _POLL:
            return
        self._polled = now
        ended = [path for path, writer in self._open.items() if not any(_alive(touch) for touch in writer.touches)]
        for path in ended:
            writer = self._drop(path)
            yield path, writer.touches

    def _told(self) -> Iterator[tuple[bytes, list[Touch]]]:
        if self._fd < 0:
            return
        while True:
            try:
                data = os.read(self._fd, 65536)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                watch, mask, _, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size + length
                path = self._by_watch.get(watch)
                if path is None or path not in self._open:
                    continue
                if mask & _IN_IGNORED:
                    self._by_watch.pop(watch, None)
                elif mask & _IN_CLOSE_WRITE:
                    yield path, self._open[path].touches

    def _drop(self, path: bytes) -> _Writer:
        writer = self._open.pop(path)
        if writer.watch >= 0 and self._by_watch.pop(writer.watch, None) is not None:
            _libc.inotify_rm_watch(self._fd, writer.watch)
        return writer

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _alive(touch: Touch) -> bool:
    """Whether the process runs that made an event; another one of the same number began later than the event."""
    try:
        stat = Path(f"/proc/{touch.pid}/stat").read_bytes()
    except OSError:
        return False
    fields = stat.rpartition(b")")[2].split()
    return fields[0] != b"Z" and _boot_time() + int(fields[19]) / _TICKS <= touch.time + 2


_TICKS: Final = os.sysconf("SC_CLK_TCK")


def _boot_time() -> float:
    with open("/proc/stat", "rb") as file:
        for line in file:
            if line.startswith(b"btime "):
                return float(line[6:])
    return 0.0
