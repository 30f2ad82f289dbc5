# SPDX-License-Identifier: Apache-2.0
"""A name in an open directory → its State. Content is read through one descriptor; FIFOs, devices are never opened."""

from __future__ import annotations

import errno
import os
import time
from typing import Final

from .digest import HASHES
from .state import DIR, FILE, SYMLINK, Stat, State, stat_of

_BLOCK: Final = 262_144
_NOTHING: Final[tuple[tuple[bytes, bytes], ...]] = ()
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_HANDLE: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_GONE: Final = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENODEV)
_REFUSED: Final = (errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE, errno.ETXTBSY, errno.EMFILE, errno.ENFILE)


class Inspector:
    """`hashes`: types to compute; files above `max_size` bytes are not read. `rate`: bytes a second, 0 no limit."""

    def __init__(self, hashes: tuple[str, ...], max_size: int, rate: int = 0) -> None:
        self._makers = [HASHES[name][1] for name in hashes]
        self.max_size = max_size
        self._pace = _Pace(rate)
        self.bytes_read = 0

    def look(self, dir_fd: int, name: bytes) -> State | None:
        """None when there is no such name (any more)."""
        try:
            found = stat_of(os.stat(name, dir_fd=dir_fd, follow_symlinks=False))
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            return None
        return self.inspect(dir_fd, name, found)

    def inspect(self, dir_fd: int, name: bytes, found: Stat) -> State | None:
        """What lies behind a name whose stat is known. What is swapped meanwhile is looked at anew, three times."""
        for _ in range(3):
            if found.kind == SYMLINK:
                state = self._link(dir_fd, name, found)
            elif found.kind in (FILE, DIR):
                state = self._opened(dir_fd, name, found)
            else:
                return State(found, None, None, "", _NOTHING)
            if state is not None:
                return state
            try:
                found = stat_of(os.stat(name, dir_fd=dir_fd, follow_symlinks=False))
            except (FileNotFoundError, NotADirectoryError):
                return None
        return State(found, None, None, "changing", _NOTHING)

    def _link(self, dir_fd: int, name: bytes, found: Stat) -> State | None:
        try:
            return State(found, os.readlink(name, dir_fd=dir_fd), None, "", _NOTHING)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.EINVAL:  # no link any more
                return None
            raise

    def _opened(self, dir_fd: int, name: bytes, found: Stat) -> State | None:
        """By a handle first: opening what has become a FIFO or a device since may block, or wake the device."""
        try:
            handle = os.open(name, _HANDLE, dir_fd=dir_fd)
        except OSError as error:
            if error.errno in _GONE:
                return None
            raise
        try:
            now = stat_of(os.fstat(handle))
            if now.kind != found.kind:
                return None
            try:
                fd = os.open(b"/proc/self/fd/%d" % handle, _FLAGS & ~os.O_NOFOLLOW)
            except OSError as error:
                if error.errno in _REFUSED:
                    return State(now, None, None, "unreadable", _NOTHING)
                raise
        finally:
            os.close(handle)
        try:
            return self.read(fd, now)
        finally:
            os.close(fd)

    def read(self, fd: int, found: Stat) -> State:
        """The state of an open file or directory."""
        extended = xattrs(fd)
        if found.kind == DIR:
            return State(found, None, None, "", extended)
        if found.size > self.max_size:
            return State(found, None, None, "too-large", extended)
        try:
            hashes = self._hash(fd, found.size)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            return State(found, None, None, "unreadable", extended)
        after = stat_of(os.fstat(fd))
        if hashes is None:
            return State(after, None, None, "changing" if after.size <= self.max_size else "too-large", extended)
        return State(after, None, hashes, "" if after.mtime == found.mtime else "changing", extended)

    def _hash(self, fd: int, size: int) -> bytes | None:
        """None when the file grows past the limit, or without end, while it is read."""
        makers = self._makers
        if not makers:
            return b""
        hashes = [make() for make in makers]
        limit = max(self.max_size, size)
        total = 0
        block = min(_BLOCK, size + 1)
        while True:
            data = os.read(fd, block)
            if not data:
                break
            total += len(data)
            if total > limit:
                return None
            for each in hashes:
                each.update(data)
            self._pace.spend(len(data))
            block = _BLOCK
        self.bytes_read += total
        return b"".join([each.digest() for each in hashes])


def xattrs(fd: int) -> tuple[tuple[bytes, bytes], ...]:
    """All extended attributes of an open file, sorted; ACLs, capabilities and SELinux labels are among them."""
    try:
        names = os.listxattr(fd)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EOPNOTSUPP, errno.EACCES, errno.EPERM):
            return _NOTHING
        raise
    out = []
    for name in names:
        try:
            out.append((os.fsencode(name), os.getxattr(fd, name)))
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.EACCES, errno.EPERM, errno.ENOTSUP):
                raise
    return tuple(sorted(out)) if out else _NOTHING


class _Pace:
    """At most `rate` bytes a second, with a burst of a quarter of a second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._free_at = 0.0

    def spend(self, amount: int) -> None:
        if not self._rate:
            return
        now = time.monotonic()
        self._free_at = max(self._free_at, now - 0.25) + amount / self._rate
        if self._free_at > now:
            time.sleep(self._free_at - now)
