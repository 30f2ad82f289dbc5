# SPDX-License-Identifier: Apache-2.0
"""SHA-256 of executables, remembered by device, inode, mtime with nanoseconds, and size."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import OrderedDict
from typing import Final

CHUNK: Final = 1 << 20

Key = tuple[int, int, int, int]


class ExeHash:
    """`max_bytes`: a larger file has no hash. `entries`: how many are remembered; 0 hashes every time."""

    def __init__(self, max_bytes: int, entries: int) -> None:
        self._max_bytes = max_bytes
        self._entries = entries
        self._known: OrderedDict[Key, bytes] = OrderedDict()

    def digest(self, path: str) -> bytes:
        """Lower-case hex; b"" when the file is gone, no regular file, too large, or changed while it was read."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except (OSError, ValueError):
            return b""
        try:
            return self._of(descriptor)
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def _of(self, descriptor: int) -> bytes:
        found = os.fstat(descriptor)
        key = _key(found)
        if not stat.S_ISREG(found.st_mode) or found.st_size > self._max_bytes:
            return b""
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        digest = hashlib.sha256()
        read = 0
        while read <= self._max_bytes:
            data = os.read(descriptor, CHUNK)
            if not data:
                break
            read += len(data)
            digest.update(data)
        if _key(os.fstat(descriptor)) != key or read != found.st_size:
            return b""
        value = digest.hexdigest().encode("ascii")
        if self._entries:
            self._known[key] = value
            if len(self._known) > self._entries:
                self._known.popitem(last=False)
        return value


def _key(found: os.stat_result) -> Key:
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
