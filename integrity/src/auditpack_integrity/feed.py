# SPDX-License-Identifier: Apache-2.0
"""Where audit events come from: the collector's event file, followed over its rotations, or a socket we listen on."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
from pathlib import Path
from typing import Final, Protocol

_CHUNK: Final = 1 << 18
_MOST_LINE: Final = 16 << 20
_IN_MODIFY: Final = 0x00000002
_IN_MOVE_SELF: Final = 0x00000800

_libc = ctypes.CDLL(None, use_errno=True)


class Feed(Protocol):
    """`take` returns lines that have come, with a position to go on from, or None where positions mean nothing.

    `gap`: why events may have been missed since the last call, empty when none were.
    """

    def take(self) -> list[tuple[bytes, str | None]]: ...

    def gap(self) -> str: ...

    def position(self) -> str | None:
        """Where the next line begins."""

    def live(self) -> bool: ...

    def fileno(self) -> int:
        """A descriptor that becomes readable when something comes; -1 when there is none."""

    def close(self) -> None: ...


class Notices:
    """Becomes readable when a file is written (inotify), so that waiting for it costs nothing."""

    def __init__(self) -> None:
        self.fd = int(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._watch = -1

    def watch(self, fd: int) -> None:
        """Only this open file from now on."""
        if self.fd < 0:
            return
        if self._watch >= 0:
            _libc.inotify_rm_watch(self.fd, self._watch)
        self._watch = int(_libc.inotify_add_watch(self.fd, b"/proc/self/fd/%d" % fd, _IN_MODIFY | _IN_MOVE_SELF))

    def clear(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            os.read(self.fd, 65536)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class NoFeed:
    """Without audit: nothing ever comes."""

    def take(self) -> list[tuple[bytes, str | None]]:
        return []

    def gap(self) -> str:
        return ""

    def position(self) -> str | None:
        return None

    def live(self) -> bool:
        return False

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        pass


class FileFeed:
    """Follows a file of JSON lines by inode. A position is [inode, offset] behind a line, as JSON.

    Started without a position it begins at the end: what was written before is older than the first scan.
    """

    def __init__(self, path: str, position: str | None) -> None:
        self._path = path
        self._fd = -1
        self._inode = 0
        self._offset = 0
        self._rest = b""
        self._gap = ""
        self._notices = Notices()
        if position is not None:
            self._resume(*json.loads(position))
        elif self._open(path):
            self._offset = os.fstat(self._fd).st_size

    def _open(self, path: str) -> bool:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        if self._fd >= 0:
            os.close(self._fd)
        self._notices.watch(fd)
        self._fd, self._inode, self._offset, self._rest = fd, os.fstat(fd).st_ino, 0, b""
        return True

    def _resume(self, inode: int, offset: int) -> None:
        folder = Path(self._path).parent
        for name in (Path(self._path), *sorted(folder.glob(Path(self._path).name + ".*"))):
            with contextlib.suppress(FileNotFoundError):
                if name.stat().st_ino == inode and name.stat().st_size >= offset and self._open(str(name)):
                    self._offset = offset
                    return
        self._gap = f"{self._path} was rotated away beyond where it had been read"
        self._open(self._path)

    def take(self) -> list[tuple[bytes, str | None]]:
        if self._fd < 0 and not self._open(self._path):
            return []
        self._notices.clear()
        data = os.pread(self._fd, _CHUNK, self._offset)
        if not data:
            self._next_file()
            return []
        begin = self._offset - len(self._rest)
        self._offset += len(data)
        whole = self._rest + data
        out: list[tuple[bytes, str | None]] = []
        at = 0
        while True:
            end = whole.find(b"\n", at)
            if end < 0:
                break
            out.append((whole[at:end], f"[{self._inode}, {begin + end + 1}]"))
            at = end + 1
        self._rest = whole[at:]
        if len(self._rest) > _MOST_LINE:
            self._gap = f"{self._path}: a line of more than {_MOST_LINE} bytes"
            self._rest = b""
        return out

    def _next_file(self) -> None:
        """At the end: what was rotated away is left for the new file; what was cut is read from its start."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return
        if found.st_ino != self._inode:
            following = self._following()
            self._open(following)
        elif found.st_size < self._offset:
            self._gap = f"{self._path} was cut"
            self._offset, self._rest = 0, b""

    def _following(self) -> str:
        """The file written after the one that was read: rotations count up, so it has the next lower number."""
        for number in range(1, 1000):
            name = f"{self._path}.{number}"
            try:
                if os.stat(name).st_ino == self._inode:
                    return self._path if number == 1 else f"{self._path}.{number - 1}"
            except FileNotFoundError:
                break
        self._gap = f"{self._path} was rotated away before it was read to its end"
        return self._path

    def gap(self) -> str:
        said, self._gap = self._gap, ""
        return said

    def position(self) -> str | None:
        return f"[{self._inode}, {self._offset - len(self._rest)}]" if self._fd >= 0 else None

    def live(self) -> bool:
        return self._fd >= 0

    def fileno(self) -> int:
        return self._notices.fd

    def close(self) -> None:
        self._notices.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class SocketFeed:
    """Listens on a stream socket; one sender at a time, the collector. It holds events back while nobody listens."""

    def __init__(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self._path = path
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        os.chmod(path, 0o660)
        self._server.listen(4)
        self._server.setblocking(False)
        self._sender: socket.socket | None = None
        self._rest = b""
        self._gap = ""

    def take(self) -> list[tuple[bytes, str | None]]:
        if self._sender is None:
            try:
                self._sender, _ = self._server.accept()
            except BlockingIOError:
                return []
            self._sender.setblocking(False)
        try:
            data = self._sender.recv(_CHUNK)
        except BlockingIOError:
            return []
        except ConnectionError:
            data = b""
        if not data:
            self._sender.close()
            self._sender = None
            if self._rest:
                self._gap, self._rest = "the collector went away in the middle of an event", b""
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MOST_LINE:
            self._gap, self._rest = f"a line of more than {_MOST_LINE} bytes", b""
        return [(line, None) for line in lines]

    def gap(self) -> str:
        said, self._gap = self._gap, ""
        return said

    def position(self) -> str | None:
        return None

    def live(self) -> bool:
        return self._sender is not None

    def fileno(self) -> int:
        return (self._sender or self._server).fileno()

    def close(self) -> None:
        if self._sender is not None:
            self._sender.close()
        self._server.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)


def make(file: str, path: str, position: str | None) -> Feed:
    """By the configuration: the socket when one is named, else the file, else none."""
    if path:
        return SocketFeed(path)
    return FileFeed(file, position) if file else NoFeed()
