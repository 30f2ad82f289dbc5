# SPDX-License-Identifier: Apache-2.0
"""Which names are watched: the configured paths found on this machine, less what rules exclude."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from .config import Config

_MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPE: Final = re.compile(rb"\\([0-7]{3})")
_MAGIC: Final = re.compile(r"[*?\[]")


class Root(NamedTuple):
    """A watched path, free of symbolic links but for its last name. `depth`: levels of directories below; -1 a file."""

    path: bytes
    depth: int


class Selection:
    """`roots` in order, none inside another (but for a file of its own). `missing`: configured, and not there.

    `top`: a directory that stands for /, as when a disk is looked at from elsewhere.
    """

    def __init__(self, config: Config, top: bytes = b"/") -> None:
        self.top = top.rstrip(b"/")
        self.missing: list[str] = []
        self.skipped_roots: list[tuple[bytes, str]] = []
        self._exclude = _any(config.exclude)
        self._include = _any(config.include)
        self._config = config
        self._types = mounted() if not self.top else {}
        self.roots = self._find()
        self._trees = [root for root in self.roots if root.depth >= 0]
        self._files = {root.path for root in self.roots if root.depth < 0}

    def _find(self) -> list[Root]:
        found: dict[bytes, int] = {}
        for pattern in self._config.paths:
            for path in self._matches(pattern):
                self._add(path, found)
        roots: list[Root] = []
        for path, depth in sorted(found.items()):
            inside = any(path.startswith(other.path.rstrip(b"/") + b"/") and other.depth >= 0 for other in roots)
            if not (inside and self._reached(path, depth, roots)):
                roots.append(Root(path, depth))
        return roots

    def _reached(self, path: bytes, depth: int, roots: list[Root]) -> bool:
        for root in roots:
            levels = _levels(root.path, path)
            if root.depth >= 0 and levels is not None and levels - 1 + max(depth, 0) <= root.depth:
                return True
        return False

    def _matches(self, pattern: str) -> Iterable[bytes]:
        full = self.top + os.fsencode(pattern)
        if not _MAGIC.search(pattern):
            if os.path.lexists(full):
                return [full]
            self.missing.append(pattern)
            return []
        hits = sorted(glob.glob(full, recursive=True))
        if not hits:
            self.missing.append(pattern)
        return hits

    def _add(self, path: bytes, found: dict[bytes, int]) -> None:
        """A name and, where it is a link to a directory, also the directory: either may be swapped."""
        named = os.path.join(os.path.realpath(os.path.dirname(path.rstrip(b"/"))), os.path.basename(path.rstrip(b"/")))
        mode = os.lstat(named or b"/").st_mode
        if stat.S_ISLNK(mode):
            found.setdefault(named, -1)
            named = os.path.realpath(named)
            if not named.startswith(self.top + b"/"):
                return  # a link that leads out of the tree that is looked at
            if not os.path.isdir(named):
                if os.path.lexists(named):
                    found.setdefault(named, -1)
                return
            mode = stat.S_IFDIR
        if not stat.S_ISDIR(mode):
            found.setdefault(named, -1)
        elif self.file_system(named) in self._config.skip_file_systems:
            self.skipped_roots.append((named, self.file_system(named)))
        else:
            found[named] = self._config.recursion

    def file_system(self, path: bytes) -> str:
        """Type of the file system that a path lies on, "" when unknown."""
        while True:
            if path in self._types:
                return self._types[path]
            if path in (b"/", b""):
                return self._types.get(b"/", "")
            path = path.rpartition(b"/")[0] or b"/"

    def wanted(self, path: bytes) -> bool:
        """Whether exclude and include let a path in. Directories on the way to an included path are always walked."""
        path = path[len(self.top) :]
        if self._exclude is not None and self._exclude.search(path):
            return False
        return self._include is None or self._include.search(path) is not None

    def excluded(self, path: bytes) -> bool:
        """Whether a directory is left out with all below it."""
        return self._exclude is not None and self._exclude.search(path[len(self.top) :]) is not None

    def watches(self, path: bytes) -> bool:
        """Whether a path, free of symbolic links but for its last name, is watched (should it exist)."""
        if path in self._files:
            return self.wanted(path)
        for root in self._trees:
            levels = _levels(root.path, path)
            if levels is not None and levels - 1 <= root.depth:
                return self.wanted(path) and not self._inside_excluded(root.path, path)
        return False

    def _inside_excluded(self, root: bytes, path: bytes) -> bool:
        if self._exclude is None:
            return False
        at = len(root)
        while True:
            at = path.find(b"/", at + 1)
            if at < 0:
                return False
            if self._exclude.search(path[len(self.top) : at]):
                return True

    def enters(self, path: bytes, same_device: bool) -> str:
        """Why a mount point below a root is not entered; empty when it is."""
        if not self._config.cross_mounts:
            return "" if same_device else "another file system"
        kind = "" if same_device else self.file_system(path)
        return f"file system {kind}" if kind in self._config.skip_file_systems else ""


def _levels(root: bytes, path: bytes) -> int | None:
    """How many names a path lies below a root: 0 for itself, None when elsewhere."""
    if path == root:
        return 0
    prefix = root.rstrip(b"/") + b"/"
    return path.count(b"/", len(prefix)) + 1 if path.startswith(prefix) else None


def _any(expressions: Iterable[str]) -> re.Pattern[bytes] | None:
    joined = b"|".join(b"(?:" + _local_flags(each).encode() + b")" for each in expressions)
    return re.compile(joined) if joined else None


def _local_flags(expression: str) -> str:
    """`(?i)x` → `(?i:x)`: flags at the start of one expression must not reach the others."""
    match = re.match(r"\(\?([aiLmsux]+)\)", expression)
    return f"(?{match[1]}:{expression[match.end() :]})" if match else expression


def mounted() -> dict[bytes, str]:
    """Mount point → type of what is mounted there last (proc(5), mountinfo)."""
    out: dict[bytes, str] = {}
    for line in _MOUNTS.read_bytes().splitlines():
        before, _, after = line.partition(b" - ")
        point = _ESCAPE.sub(lambda match: bytes((int(match[1], 8),)), before.split(b" ")[4])
        out[point] = after.split(b" ", 1)[0].decode("ascii", "replace")
    return out
