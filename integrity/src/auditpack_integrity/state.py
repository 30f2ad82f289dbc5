# SPDX-License-Identifier: Apache-2.0
"""What is known of one name in the file system."""

from __future__ import annotations

import os
import stat
from typing import Any, Final, NamedTuple

FILE, DIR, SYMLINK, FIFO, SOCKET, CHAR_DEVICE, BLOCK_DEVICE = range(7)
KINDS: Final = ("file", "dir", "symlink", "fifo", "socket", "char_device", "block_device")
_KIND_OF: Final = {
    stat.S_IFREG: FILE,
    stat.S_IFDIR: DIR,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFIFO: FIFO,
    stat.S_IFSOCK: SOCKET,
    stat.S_IFCHR: CHAR_DEVICE,
    stat.S_IFBLK: BLOCK_DEVICE,
}


class Stat(NamedTuple):
    """What stat tells. Times in nanoseconds; `mode` without the type; `device` and `rdev` as st_dev and st_rdev."""

    kind: int
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    ctime: int
    inode: int
    device: int
    links: int
    rdev: int


class State(NamedTuple):
    """A name's whole state.

    `hashes`: the configured digests one after the other; None where nothing was hashed, `note` then says why
    ("too-large", "unreadable", "changing"; empty for what is no file). `xattrs`: (name, value), sorted.
    """

    stat: Stat
    target: bytes | None
    hashes: bytes | None
    note: str
    xattrs: tuple[tuple[bytes, bytes], ...]


def stat_of(found: os.stat_result) -> Stat:
    mode = found.st_mode
    kind = _KIND_OF[mode & 0o170000]
    size = found.st_size if kind in (FILE, SYMLINK) else 0  # a directory's size and links follow from its entries
    links = 1 if kind == DIR else found.st_nlink
    return Stat(
        kind,
        mode & 0o7777,
        found.st_uid,
        found.st_gid,
        size,
        found.st_mtime_ns,
        found.st_ctime_ns,
        signed(found.st_ino),
        signed(found.st_dev),
        links,
        signed(found.st_rdev),
    )


def signed(number: int) -> int:
    """64 unsigned bits as SQLite keeps them. Inode numbers of some file systems use the highest bit."""
    return number - (1 << 64) if number >> 63 else number


CONTENT: Final = ("content", "size", "type", "target")
ATTRIBUTES: Final = ("mode", "owner", "group", "xattrs", "links", "device")


def differences(old: State, new: State) -> list[str]:
    """What differs, in words: of CONTENT, of ATTRIBUTES, "inode" and "mtime". A directory's own times do not count."""
    a, b = old.stat, new.stat
    found: list[str] = []

    def differ(name: str, one: Any, other: Any) -> None:
        if one != other:
            found.append(name)

    differ("type", a.kind, b.kind)
    if a.kind == b.kind == FILE:
        differ("size", a.size, b.size)
        if old.hashes is not None and new.hashes is not None:
            differ("content", old.hashes, new.hashes)
        elif (old.note or new.note) and "size" not in found and a.mtime != b.mtime:
            found.append("content")  # not hashed: the time of writing must do
    if a.kind == b.kind == SYMLINK:
        differ("target", old.target, new.target)
    if a.kind == b.kind and a.kind in (CHAR_DEVICE, BLOCK_DEVICE):
        differ("device", a.rdev, b.rdev)
    differ("mode", a.mode, b.mode)
    differ("owner", a.uid, b.uid)
    differ("group", a.gid, b.gid)
    differ("xattrs", old.xattrs, new.xattrs)
    differ("links", a.links, b.links)
    if a.kind == b.kind and a.kind != DIR:
        differ("inode", (a.device, a.inode), (b.device, b.inode))
        differ("mtime", a.mtime, b.mtime)
    return found
