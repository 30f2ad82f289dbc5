# SPDX-License-Identifier: Apache-2.0
"""Inputs: where bytes come from. Each is read without waiting; the rest of its work is tick()'s."""

from __future__ import annotations

import abc
import errno
import os
import socket
import stat
import time
from typing import Any, Final

from .config import Input

CHUNK: Final = 1 << 18
RETRY: Final = 1.0
"""Seconds between tries to connect, or to find a file."""


class Source(abc.ABC):
    """`descriptor`: what to poll for input, -1 for none now. read() gives b"" when nothing is there at the moment."""

    def __init__(self, config: Input) -> None:
        self.config = config
        self.name = config.path or config.kind
        self.descriptor = -1
        self.ended = False
        self.bytes = self.errors = 0
        self.last_error = ""

    def tick(self, now: float) -> None:  # noqa: B027 - stdin needs none
        """Connect, look for a new file; `now` is monotonic."""

    @abc.abstractmethod
    def read(self) -> bytes:
        """What is there, CHUNK at most."""

    def close(self) -> None:
        if self.descriptor > 2:
            os.close(self.descriptor)
        self.descriptor = -1

    def failed(self, error: OSError) -> None:
        self.errors += 1
        self.last_error = f"{self.name}: {error.strerror or error}"

    def report(self) -> dict[str, Any]:
        return {
            "kind": self.config.kind,
            "path": self.config.path,
            "connected": self.descriptor >= 0,
            "bytes": self.bytes,
            "errors": self.errors,
            "last_error": self.last_error,
        }


class StdinSource(Source):
    """auditd's pipe. Its end ends the collector."""

    def __init__(self, config: Input) -> None:
        super().__init__(config)
        self.descriptor = 0

    def read(self) -> bytes:
        data = os.read(0, CHUNK)
        self.ended = not data
        self.bytes += len(data)
        return data


class SocketSource(Source):
    """A client of a stream socket (auditd's af_unix plugin, format string). A line cut by its end goes out as it is."""

    def __init__(self, config: Input) -> None:
        super().__init__(config)
        self._socket: socket.socket | None = None
        self._due = 0.0

    def tick(self, now: float) -> None:
        if self._socket is not None or now < self._due:
            return
        fresh = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            fresh.settimeout(RETRY)
            fresh.connect(self.config.path)
            fresh.setblocking(False)
        except OSError as error:
            fresh.close()
            self.failed(error)
            self._due = now + RETRY
            return
        self._socket = fresh
        self.descriptor = fresh.fileno()

    def read(self) -> bytes:
        if self._socket is None:
            return b""
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            self.failed(error)
            data = b""
        if not data:
            self.close()
            return b"\n"  # the next connection starts with a line of its own
        self.bytes += len(data)
        return data

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self.descriptor = -1


class FileSource(Source):
    """A file followed by name across rotation: the old file to its end, then the new one from its start.

    `position` is (device, inode, bytes read); given one, reading goes on there, else at the end or the start.
    A regular file is always ready to be read, so it is not polled: read() until it gives nothing, tick() again.
    """

    def __init__(self, config: Input, position: tuple[int, int, int] | None = None) -> None:
        super().__init__(config)
        self._file = -1
        self._at = 0
        self._identity = (0, 0)
        self._resume = position
        self._first = True
        self._due = 0.0

    @property
    def position(self) -> tuple[int, int, int]:
        return (*self._identity, self._at)

    def tick(self, now: float) -> None:
        if self._file < 0 and now >= self._due:
            try:
                self._open()
            except OSError as error:
                self._due = now + RETRY
                self.failed(error)

    def read(self) -> bytes:
        if self._file < 0:
            return b""
        try:
            data = os.read(self._file, CHUNK)
            if not data and self._was_replaced():
                data = os.read(self._file, CHUNK)  # written between the look and now
                if not data:
                    self.close()
                    self.tick(time.monotonic())
                    return b""
            if not data and os.fstat(self._file).st_size < self._at:  # truncated in place
                self._at = os.lseek(self._file, 0, os.SEEK_SET)
        except OSError as error:
            self.failed(error)
            self.close()
            return b""
        self._at += len(data)
        self.bytes += len(data)
        return data

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _was_replaced(self) -> bool:
        try:
            found = os.stat(self.config.path)  # noqa: PTH116
        except FileNotFoundError:
            return False  # between the two steps of a rotation; the old one may still grow
        return (found.st_dev, found.st_ino) != self._identity

    def _open(self) -> None:
        """After a restart, what was rotated away meanwhile is read first, if it is still beside."""
        resume, self._resume = self._resume, None
        path = self.config.path
        if resume is not None:
            path = _find(path, resume) or path
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise OSError(errno.EINVAL, "is no regular file; use kind = 'stdin' or 'unix'", path)
        self._identity = (found.st_dev, found.st_ino)
        self._at = 0
        if resume is not None and resume[:2] == self._identity and resume[2] <= found.st_size:
            self._at = resume[2]
        elif self._first and resume is None and not self.config.from_start:
            self._at = found.st_size
        self._first = False
        os.lseek(self._file, self._at, os.SEEK_SET)


def _find(path: str, resume: tuple[int, int, int]) -> str | None:
    """The rotated file that was being read: path, path.1, path.2 …"""
    for number in range(100):
        name = f"{path}.{number}" if number else path
        try:
            found = os.stat(name)  # noqa: PTH116
        except OSError:
            if number:
                return None
            continue
        if (found.st_dev, found.st_ino) == resume[:2]:
            return name
    return None


def make_source(config: Input, position: tuple[int, int, int] | None = None) -> Source:
    if config.kind == "file":
        return FileSource(config, position)
    return SocketSource(config) if config.kind == "unix" else StdinSource(config)
