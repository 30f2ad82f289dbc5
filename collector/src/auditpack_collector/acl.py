# SPDX-License-Identifier: Apache-2.0
"""POSIX ACL that lets more users and groups read a file, written as its extended attribute: no setfacl on hosts.

Form: linux/posix_acl_xattr.h, version 2; entries sorted by tag, then id.
"""

from __future__ import annotations

import grp
import os
import pwd
import struct
from typing import Final

XATTR: Final = "system.posix_acl_access"
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID: Final = 0xFFFFFFFF
_READ, _WRITE = 4, 2

Entry = tuple[int, int]
"""(tag, uid or gid)"""


def entries(readers: tuple[str, ...]) -> list[Entry]:
    """`alice`, `@adm` → entries. Raises KeyError that names an unknown account."""
    found = []
    for name in readers:
        try:
            is_group = name.startswith("@")
            found.append((_GROUP, grp.getgrnam(name[1:]).gr_gid) if is_group else (_USER, pwd.getpwnam(name).pw_uid))
        except KeyError:
            raise KeyError(f"no account {name!r} here") from None
    return sorted(set(found))


def encode(found: list[Entry]) -> bytes:
    """Owner rw, group r, the entries r, others nothing."""
    rows = [
        (_USER_OBJ, _READ | _WRITE, _NO_ID),
        (_GROUP_OBJ, _READ, _NO_ID),
        (_MASK, _READ, _NO_ID),
        (_OTHER, 0, _NO_ID),
    ]
    rows += [(tag, _READ, number) for tag, number in found]
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", *row) for row in sorted(rows, key=lambda row: (row[0], row[2]))
    )


def apply(descriptor: int, readers: tuple[str, ...]) -> None:
    """Let `readers` read the open file; nothing for none. Raises OSError (EOPNOTSUPP: no ACL on that file system)."""
    if readers:
        os.setxattr(descriptor, XATTR, encode(entries(readers)))
