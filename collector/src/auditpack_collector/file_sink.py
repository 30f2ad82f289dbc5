# SPDX-License-Identifier: Apache-2.0
"""The event file: appended, rotated, written again by itself when the disk has room or the folder is back."""

from __future__ import annotations

import errno
import os
import posixpath
import threading
import time
from typing import Any, Final

from . import acl, compress
from .config import Output
from .rotation import Rotation
from .sink import Sink

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class FileSink(Sink):
    """Counters beside Sink's: rotations, torn (a line cut by a crash, closed with a newline), compress_errors."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self.rotations = self.torn = self.compress_errors = 0
        self._file = -1
        self._size = 0
        self._cut = 0  # bytes of the line at hand that are in the file already, when the disk became full in it
        self._period = 0
        self._look = 0.0
        folder, self._name = posixpath.split(self.path)
        # Held from before the privileges are dropped, so no parent folder need be open to the collector's user.
        self._folder_path = folder
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._packer: threading.Thread | None = None

    def open(self) -> None:
        """Open for appending, 0640, readers by ACL; a line that a crash cut short is closed with a newline."""
        self._file = os.open(self._name, FLAGS, 0o640, dir_fd=self._folder)
        found = os.fstat(self._file)
        self._size = found.st_size
        self._cut = 0
        self._period = self._period_of(found.st_mtime if self._size else time.time())
        if not self._size:
            acl.apply(self._file, self.output.readers)
        elif os.pread(self._file, 1, self._size - 1) != b"\n":
            self._size += os.write(self._file, b"\n")
            self.torn += 1

    def release(self) -> None:
        self._close()
        self._join_packer()
        os.close(self._folder)

    def send(self, chunk: bytes, start: int) -> int:
        if self._file >= 0 and self._moved():
            self._reopen()
        if self._file < 0:
            self.open()
        if self._due(len(chunk) - start):
            self.rotate()
        written = os.write(self._file, memoryview(chunk)[start + self._cut :])
        self._size += written
        end = chunk.rfind(b"\n", start, start + self._cut + written) + 1
        whole = max(0, end - start)
        self._cut += written - whole
        return whole

    def recover(self, error: OSError) -> None:
        """With room again, go on in the middle of the line; else open anew, also the folder if it was made anew."""
        if error.errno not in _FULL:
            self._reopen()

    def _reopen(self) -> None:
        self._close()
        try:
            folder = os.open(self._folder_path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return  # gone, or its parents are closed to us: the folder we hold stays
        os.close(self._folder)
        self._folder = folder

    def _moved(self) -> bool:
        """Whether somebody removed the file, or (looked at once a second) put another in its place."""
        mine = os.fstat(self._file)
        now = time.monotonic()
        if mine.st_nlink and now < self._look:
            return False
        self._look = now + 1
        try:
            named = os.stat(self._name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return True
        return (named.st_dev, named.st_ino) != (mine.st_dev, mine.st_ino)

    def rotate(self) -> None:
        """events.jsonl → .1 → .2 …; what is too many, too old or too much goes; then .1 is compressed, beside."""
        self._join_packer()
        rotation = Rotation(self._folder, self._name)
        rotation.shift(self.output.generations)
        self._close()
        self.open()
        self._period = self._period_of(time.time())
        self.rotations += 1
        rotation.keep(self.output.generations, self.output.keep_seconds, self.output.keep_bytes, time.time())
        if self.output.compress != "none":
            self._packer = threading.Thread(target=self._pack, args=(rotation,), name="compress", daemon=True)
            self._packer.start()

    def _due(self, more: int) -> bool:
        if self._cut or not self._size:
            return False
        full = 0 < self.output.max_bytes < self._size + more
        return full or self._period != self._period_of(time.time())

    def _period_of(self, seconds: float) -> int:
        return int(seconds // self.output.rotate_seconds) if self.output.rotate_seconds else 0

    def _pack(self, rotation: Rotation) -> None:
        name = f"{self._name}.1"
        suffix = compress.SUFFIXES[self.output.compress]
        try:
            source = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self._folder)
            with os.fdopen(source, "rb") as file:
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
                target = os.open(f"{name}{suffix}.new", flags, 0o640, dir_fd=self._folder)
                with os.fdopen(target, "wb") as packed:
                    acl.apply(target, self.output.readers)
                    compress.compress(self.output.compress, file, packed)
            os.rename(f"{name}{suffix}.new", name + suffix, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            os.unlink(name, dir_fd=self._folder)
        except OSError as error:  # the file stays as it is
            self.compress_errors += 1
            self.last_error = f"{self.path}.1: {error.strerror or error}"
            rotation.remove(f"{name}{suffix}.new")

    def _join_packer(self) -> None:
        if self._packer is not None:
            self._packer.join()
            self._packer = None

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def report(self) -> dict[str, Any]:
        own = {"rotations": self.rotations, "torn_lines": self.torn, "compress_errors": self.compress_errors}
        return {**super().report(), **own}
