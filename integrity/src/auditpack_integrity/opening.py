# SPDX-License-Identifier: Apache-2.0
"""Opening by path without ever following a symbolic link, and without opening what is no file or directory.

openat2(2) with RESOLVE_NO_SYMLINKS does it in one call. Where the kernel (before 5.6) or a seccomp filter does not have
it, the path is walked component by component with O_NOFOLLOW. Both take paths beyond PATH_MAX in pieces.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterator
from typing import Final

_SYS_OPENAT2: Final = 437  # the same on every machine: it came after the tables were unified
_RESOLVE_NO_MAGICLINKS: Final = 0x02
_RESOLVE_NO_SYMLINKS: Final = 0x04
_PATH_PIECE: Final = 4000  # below PATH_MAX, 4096 with its NUL

_libc = ctypes.CDLL(None, use_errno=True)
_openat2_works = True


def open_path(path: bytes, flags: int) -> int:
    """Open an absolute path; OSError with ELOOP when a part of it is a symbolic link (its name may be, with O_PATH)."""
    fd = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    pieces = list(_pieces(path))
    try:
        for piece in pieces[:-1]:
            below = open_below(fd, piece, os.O_PATH | os.O_DIRECTORY)
            os.close(fd)
            fd = below
        return open_below(fd, pieces[-1], flags)
    finally:
        os.close(fd)


def open_below(fd: int, path: bytes, flags: int) -> int:
    """The same, for a path relative to a directory."""
    global _openat2_works  # noqa: PLW0603 - found out once a process
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    if _openat2_works:
        how = struct.pack("QQQ", flags, 0, _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS)
        opened = _libc.syscall(_SYS_OPENAT2, fd, path, how, len(how))
        if opened >= 0:
            return int(opened)
        number = ctypes.get_errno()
        if number not in (errno.ENOSYS, errno.EPERM):
            raise OSError(number, os.strerror(number), os.fsdecode(path))
        if number == errno.ENOSYS:
            _openat2_works = False
    return _open_walking(fd, path, flags)


def _open_walking(fd: int, path: bytes, flags: int) -> int:
    names = [name for name in path.split(b"/") if name] or [b"."]
    at = os.dup(fd)
    try:
        for name in names[:-1]:
            below = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
            if stat.S_ISLNK(os.fstat(at).st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fsdecode(path))
        return os.open(names[-1], flags, dir_fd=at)
    finally:
        os.close(at)


def _pieces(path: bytes) -> Iterator[bytes]:
    path = path.strip(b"/") or b"."
    while len(path) > _PATH_PIECE:
        cut = path.rfind(b"/", 0, _PATH_PIECE)
        yield path[:cut]
        path = path[cut + 1 :]
    yield path


@contextlib.contextmanager
def directory(path: bytes) -> Iterator[int]:
    """A directory to read; no component of its path may be a symbolic link."""
    fd = open_path(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)
