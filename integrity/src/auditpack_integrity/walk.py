# SPDX-License-Identifier: Apache-2.0
"""Directories of a tree, depth first in order of their names' bytes, by descriptors that no swap can lead astray."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from .opening import open_path
from .selection import Root, Selection
from .state import DIR, Stat, stat_of

_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_GONE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass
class Listing:
    """A directory just read. `fd` is open until the next listing is asked for. `error`: why it could not be read.

    `entries`: (name, stat) of what is watched in it, sorted. `found`: all names there, watched or not.
    """

    path: bytes
    fd: int
    entries: list[tuple[bytes, Stat]]
    found: set[bytes]
    error: str = ""


@dataclass
class Notes:
    """What a walk left out."""

    skipped: list[tuple[bytes, str]] = field(default_factory=list)
    unreadable: list[tuple[bytes, str]] = field(default_factory=list)


def walk(root: Root, selection: Selection, notes: Notes, after: bytes | None = None) -> Iterator[Listing]:
    """Listings below a root that is a directory. `after`: the last path of an earlier walk to go on from."""
    try:
        fd = open_path(root.path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if error.errno not in _GONE:
            notes.unreadable.append((root.path, os.strerror(error.errno or 0)))
            yield Listing(root.path, -1, [], set(), os.strerror(error.errno or 0))
        return
    try:
        device = os.fstat(fd).st_dev
        yield from _descend(root.path, fd, root.depth, device, selection, notes, after)
    finally:
        os.close(fd)


def _descend(  # noqa: PLR0917
    path: bytes, fd: int, depth: int, device: int, selection: Selection, notes: Notes, after: bytes | None
) -> Iterator[Listing]:
    try:
        found = _read(fd)
    except OSError as error:
        notes.unreadable.append((path, os.strerror(error.errno or 0)))
        yield Listing(path, -1, [], set(), os.strerror(error.errno or 0))
        return
    stem = b"/" if path == b"/" else path + b"/"
    wanted = selection.wanted
    if after is None or path_key(path) > path_key(after):
        entries = [(name, each) for name, each in found if wanted(stem + name)]
        yield Listing(path, fd, entries, {name for name, _ in found})
        del entries
    if depth == 0:
        return
    folders = [name for name, each in found if each.kind == DIR and not selection.excluded(stem + name)]
    del found
    for name in folders:
        below = stem + name
        if after is not None and _whole_before(below, after):
            continue
        try:
            child = os.open(name, _FLAGS, dir_fd=fd)
        except OSError as error:
            if error.errno not in _GONE:
                notes.unreadable.append((below, os.strerror(error.errno or 0)))
                yield Listing(below, -1, [], set(), os.strerror(error.errno or 0))
            continue
        try:
            there = os.fstat(child).st_dev
            reason = "" if there == device else selection.enters(below, same_device=False)
            if reason:
                notes.skipped.append((below, reason))
                yield Listing(below, -1, [], set(), reason)
            else:
                yield from _descend(below, child, depth - 1, there, selection, notes, after)
        finally:
            os.close(child)


def _read(fd: int) -> list[tuple[bytes, Stat]]:
    out = []
    with os.scandir(fd) as entries:
        for entry in entries:
            try:
                out.append((os.fsencode(entry.name), stat_of(entry.stat(follow_symlinks=False))))
            except FileNotFoundError:  # gone since it was listed
                continue
            except PermissionError:
                continue
    out.sort()
    return out


def path_key(path: bytes) -> list[bytes]:
    """Sorts paths in the order of a walk: a directory, then what lies below it, then its next sibling."""
    return [part for part in path.split(b"/") if part]


def _whole_before(path: bytes, after: bytes) -> bool:
    """Whether a directory and all below it come before (and not around) a path."""
    mine, other = path_key(path), path_key(after)
    return mine < other[: len(mine)]
