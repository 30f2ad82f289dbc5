# SPDX-License-Identifier: Apache-2.0
"""Rotated files of one name in one folder: name.1 is the newest; each may be compressed."""

from __future__ import annotations

import os
import re
from typing import NamedTuple


class Rotated(NamedTuple):
    """One rotated file."""

    number: int
    name: str
    size: int
    changed: float


class Rotation:
    """`folder`: an open directory. All methods raise OSError, but never because a file is gone."""

    def __init__(self, folder: int, name: str) -> None:
        self._folder = folder
        self._name = name
        self._pattern = re.compile(re.escape(name) + r"\.([1-9][0-9]*)(\.gz|\.zst)?")

    def files(self) -> list[Rotated]:
        """Newest first."""
        found = []
        for name in os.listdir(self._folder):  # noqa: PTH208 - an open folder
            match = self._pattern.fullmatch(name)
            if match:
                try:
                    about = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                found.append(Rotated(int(match[1]), name, about.st_size, about.st_mtime))
        return sorted(found)

    def shift(self, generations: int) -> None:
        """Make room for name.1 and put the file itself there; what falls behind the last generation goes."""
        for each in reversed(self.files()):
            if each.number >= generations:
                self.remove(each.name)
            else:
                suffix = each.name[len(f"{self._name}.{each.number}") :]
                self._rename(each.name, f"{self._name}.{each.number + 1}{suffix}")
        self._rename(self._name, f"{self._name}.1")

    def keep(self, generations: int, seconds: int, total: int, now: float) -> None:
        """Remove what is beyond `generations`, older than `seconds`, or behind the first `total` bytes; 0: no bound."""
        used = 0
        for each in self.files():
            used += each.size
            if each.number > generations or (seconds and now - each.changed > seconds) or (total and used > total):
                self.remove(each.name)

    def remove(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._folder)
        except FileNotFoundError:
            return

    def _rename(self, old: str, new: str) -> None:
        try:
            os.rename(old, new, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except FileNotFoundError:
            return
