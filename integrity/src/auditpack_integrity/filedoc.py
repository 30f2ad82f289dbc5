# SPDX-License-Identifier: Apache-2.0
"""A State as the ECS object `file`, in the names that Auditbeat's file_integrity uses."""

from __future__ import annotations

import grp
import os
import posixpath
import pwd
import time
from collections.abc import Callable
from typing import Any, Final

from . import acl
from .digest import split
from .quote import ecs_text as text
from .state import BLOCK_DEVICE, CHAR_DEVICE, FILE, KINDS, SYMLINK, State

_NAMES_KEPT: Final = 1800.0
_NAMES_MOST: Final = 4096
_PLAIN_XATTRS: Final = (acl.ACL_ACCESS, acl.ACL_DEFAULT, acl.CAPABILITY, acl.SELINUX)


class Names:
    """Names of users and groups, asked once in a while."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[float, str]] = {}

    def user(self, uid: int) -> str:
        return self._ask("u", uid, lambda: pwd.getpwuid(uid).pw_name)

    def group(self, gid: int) -> str:
        return self._ask("g", gid, lambda: grp.getgrgid(gid).gr_name)

    def _ask(self, kind: str, number: int, ask: Callable[[], str]) -> str:
        """The number itself where there is no name."""
        now = time.monotonic()
        known = self._known.get((kind, number))
        if known is not None and now - known[0] < _NAMES_KEPT:
            return known[1]
        try:
            name = ask()
        except (KeyError, OverflowError):
            name = str(number)
        if len(self._known) >= _NAMES_MOST:
            self._known.clear()
        self._known[kind, number] = (now, name)
        return name


def path_doc(path: bytes) -> dict[str, Any]:
    """`path`, `name`, `directory`, `extension`; bytes that are no UTF-8 are %xx, docs/collector/events.md."""
    shown = text(path)
    name = posixpath.basename(shown)
    out: dict[str, Any] = {"path": shown, "name": name, "directory": posixpath.dirname(shown)}
    stem, dot, extension = name.rpartition(".")
    if dot and stem and extension:
        out["extension"] = extension
    return out


def state_doc(state: State, hashes: tuple[str, ...], names: Names) -> dict[str, Any]:
    """All that is known of a name but its path."""
    found = state.stat
    out: dict[str, Any] = {
        "type": KINDS[found.kind],
        "mode": f"{found.mode:04o}",
        "uid": str(found.uid),
        "gid": str(found.gid),
        "owner": names.user(found.uid),
        "group": names.group(found.gid),
        "inode": str(found.inode % (1 << 64)),
        "device": f"{os.major(found.device % (1 << 64)):02x}:{os.minor(found.device % (1 << 64)):02x}",
        "mtime": stamp(found.mtime / 1e9),
        "ctime": stamp(found.ctime / 1e9),
    }
    if found.kind in (FILE, SYMLINK):
        out["size"] = found.size
    if found.links > 1:
        out["links"] = found.links
    if found.kind == FILE:
        out["setuid"] = bool(found.mode & 0o4000)
        out["setgid"] = bool(found.mode & 0o2000)
    if state.target is not None:
        out["target_path"] = text(state.target)
    if found.kind in (CHAR_DEVICE, BLOCK_DEVICE):
        out["rdev"] = f"{os.major(found.rdev % (1 << 64))}:{os.minor(found.rdev % (1 << 64))}"
    if state.hashes:
        out["hash"] = split(hashes, state.hashes)
    if state.note:
        out["unhashed"] = state.note
    kept = dict(state.xattrs)
    for name, field in ((acl.ACL_ACCESS, "posix_acl_access"), (acl.ACL_DEFAULT, "posix_acl_default")):
        if name in kept:
            out[field] = acl.acl_text(kept[name], names.user, names.group)
    if acl.SELINUX in kept:
        out["selinux"] = text(kept[acl.SELINUX].rstrip(b"\0"))
    if acl.CAPABILITY in kept:
        out["capabilities"] = acl.capability_text(kept[acl.CAPABILITY])
    rest = {text(name): text(value) for name, value in state.xattrs if name not in _PLAIN_XATTRS}
    if rest:
        out["xattr"] = rest
    return out


def stamp(seconds: float) -> str:
    """Seconds since 1970 → RFC 3339 with milliseconds; years outside 1 … 9999 at their edge."""
    seconds = min(max(seconds, -62135596800.0), 253402300799.999)
    whole = int(seconds // 1)
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)).rjust(19, "0") + f".{int((seconds - whole) * 1000):03d}Z"
    )
