# SPDX-License-Identifier: Apache-2.0
"""Names of audit events → paths free of symbolic links, by the inodes that the kernel reports beside them."""

from __future__ import annotations

import os
from typing import Final

from .audit import Name
from .baseline import Baseline, join
from .state import DIR, State, signed

_MOST_FRESH: Final = 100_000
_MOST_FOLDERS: Final = 4096


class Resolver:
    """Knows inodes from the baseline, and those of names made since that are not in it yet (`made`)."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self._fresh: dict[tuple[int, int], bytes] = {}
        self._folders: dict[bytes, tuple[bytes, int, int]] = {}

    def made(self, name: Name, path: bytes) -> None:
        """Remember a name that has just come to be, until `forget`."""
        if len(self._fresh) >= _MOST_FRESH:
            self._fresh.clear()
        self._fresh[name.inode, name.device] = path

    def forget(self, inode: int, device: int) -> None:
        self._fresh.pop((inode % (1 << 64), device % (1 << 64)), None)

    def moved(self, old: bytes, new: bytes) -> None:
        """A directory has another path now, and with it all below."""
        self.changed()
        for key, path in self._fresh.items():
            if path == old or path.startswith(old + b"/"):
                self._fresh[key] = new + path[len(old) :]

    def changed(self) -> None:
        """Directories or links have changed, so what was resolved before may not hold."""
        self._folders.clear()

    def child(self, name: Name, parent: Name | None, cwd: bytes) -> bytes | None:
        """Path of a name that was created or deleted: its directory by the PARENT record, else by the text."""
        if name.name is None:
            return None
        text = name.name.rstrip(b"/") or b"/"
        base = text.rpartition(b"/")[2]
        if base in (b"", b".", b".."):
            return None
        known = None if parent is None else self._directory(parent)
        if known is None:
            known = self._folder(text, cwd, parent)
        return None if known is None else join(known, base)

    def existing(self, name: Name, parent: Name | None, cwd: bytes) -> list[bytes]:
        """Paths of a file that was opened or changed: all its known names, else the one that the text gives."""
        found = [path for path, _ in self._rows(name)]
        fresh = self._fresh.get((name.inode, name.device))
        if fresh is not None and fresh not in found:
            found.append(fresh)
        if found or name.name is None:
            return found
        path = self.child(name, parent, cwd)
        return [] if path is None else [os.path.realpath(path)]

    def _rows(self, name: Name) -> list[tuple[bytes, State]]:
        return list(self._baseline.by_inode(signed(name.inode), signed(name.device)))

    def _directory(self, parent: Name) -> bytes | None:
        fresh = self._fresh.get((parent.inode, parent.device))
        if fresh is not None:
            return fresh
        rows = self._baseline.by_inode(signed(parent.inode), signed(parent.device))
        return next((path for path, state in rows if state.stat.kind == DIR), None)

    def _folder(self, text: bytes, cwd: bytes, parent: Name | None) -> bytes | None:
        """By the text; None when another directory stands there than the one that the kernel saw."""
        folder = text.rpartition(b"/")[0] or b"/"
        if not text.startswith(b"/"):
            if not cwd:
                return None
            folder = cwd if folder == b"/" else cwd + b"/" + folder
        known = self._folders.get(folder)
        if known is None:
            if len(self._folders) >= _MOST_FOLDERS:
                self._folders.clear()
            path = os.path.realpath(folder)
            try:
                found = os.stat(path)
                known = (path, found.st_ino, found.st_dev)
            except OSError:
                known = (path, 0, 0)
            self._folders[folder] = known
        path, inode, device = known
        return path if parent is None or (parent.inode, parent.device) == (inode, device) else None
