# SPDX-License-Identifier: Apache-2.0
"""POSIX ACLs and file capabilities, as the kernel keeps them in extended attributes, in words.

Layouts: linux/posix_acl_xattr.h (version 2: tag, perm, id, little-endian) and linux/capability.h (struct vfs_cap_data).
"""

from __future__ import annotations

import struct
from typing import Callable, Final

ACL_ACCESS: Final = b"system.posix_acl_access"
ACL_DEFAULT: Final = b"system.posix_acl_default"
CAPABILITY: Final = b"security.capability"
SELINUX: Final = b"security.selinux"

_TAGS: Final = {0x01: "user", 0x02: "user", 0x04: "group", 0x08: "group", 0x10: "mask", 0x20: "other"}
_CAPABILITIES: Final = (
    *("chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"),
    *("linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner"),
    *("sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice"),
    *("sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap"),
    *("mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf"),
    "checkpoint_restore",
)


def acl_text(value: bytes, user: Callable[[int], str], group: Callable[[int], str]) -> str:
    """As getfacl prints it, entries parted by commas; hexadecimal when it is no ACL of version 2."""
    if len(value) % 8 != 4 or value[:4] != b"\x02\0\0\0":
        return value.hex()
    out = []
    for tag, perm, number in struct.iter_unpack("<HHI", value[4:]):
        if tag not in _TAGS:
            return value.hex()
        name = user(number) if tag == 0x02 else group(number) if tag == 0x08 else ""
        bits = "".join(letter if perm & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1)))
        out.append(f"{_TAGS[tag]}:{name}:{bits}")
    return ",".join(out)


def capability_text(value: bytes) -> str:
    """As getcap prints it, such as `cap_net_raw=ep`; hexadecimal when it is of another layout."""
    if len(value) not in (12, 20, 24):
        return value.hex()
    magic, *words = struct.unpack_from("<5I" if len(value) >= 20 else "<3I", value)
    if len(words) == 2:
        words += [0, 0]
    permitted, inheritable = words[0] | words[2] << 32, words[1] | words[3] << 32
    groups: dict[str, list[str]] = {}
    for number in range(64):
        flags = "e" * (magic & 1 and (permitted | inheritable) >> number & 1)
        flags += "i" * (inheritable >> number & 1) + "p" * (permitted >> number & 1)
        if flags:
            name = _CAPABILITIES[number] if number < len(_CAPABILITIES) else str(number)
            groups.setdefault(flags, []).append(f"cap_{name}")
    return " ".join(f"{','.join(names)}={flags}" for flags, names in groups.items())
