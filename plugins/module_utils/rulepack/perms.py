# SPDX-License-Identifier: Apache-2.0
"""On which system calls a rule with `perm` fires.

Source: kernel/auditsc.c audit_match_perm, lib/audit.c audit_classify_syscall and the lists it registers,
include/asm-generic/audit_{read,write,dir_write,change_attr}.h. Newer kernels have more in a list: what every
kernel since 5.10 has is in `SURE`, the rest in `LATER`, which coverage must count against itself. audit >= 4
narrows the mask of a rule with arch and perm to its own table; what that lacks is in `LATER` too.
"""

from __future__ import annotations

from functools import cache, lru_cache

_SURE = {
    "r": "readlink readlinkat quotactl listxattr llistxattr flistxattr getxattr lgetxattr fgetxattr",
    "w": "rename mkdir rmdir creat link unlink symlink mknod mkdirat mknodat unlinkat renameat linkat symlinkat"
    " acct swapon quotactl truncate",
    "x": "execve",
    "a": "chmod fchmod fchmodat chown fchown lchown fchownat setxattr lsetxattr fsetxattr removexattr lremovexattr"
    " fremovexattr",
}
_LATER = {
    "r": "getxattrat listxattrat",
    "w": "renameat2 fallocate bind socketcall truncate64 ftruncate",
    "x": "execveat",
    "a": "fchmodat2 setxattrat removexattrat file_setattr link linkat utime utimes futimesat utimensat"
    " utimensat_time64 chown32 fchown32 lchown32",
}
SURE = {letter: frozenset(names.split()) for letter, names in _SURE.items()}
LATER = {letter: frozenset(names.split()) for letter, names in _LATER.items()}
SINCE = {
    "fchmodat2": ">=6.6",
    **dict.fromkeys(("getxattrat", "listxattrat", "setxattrat", "removexattrat"), ">=6.13"),
    "file_setattr": ">=6.17",
}
"""Calls of `LATER` that an audit older than the kernel may have no name for, with the kernels that have them."""
OPENS = frozenset({"open", "openat", "openat2"})
_LATER_OPENS = frozenset({"openat2"})
AUDIT_4 = {
    "r": SURE["r"] | OPENS,
    "w": SURE["w"] | OPENS | {"renameat2", "fallocate", "bind", "ftruncate"},
    "x": SURE["x"],
    "a": SURE["a"],
}
"""What audit >= 4 adds to the mask of a rule with arch and perm, as 4.0.2 lists it. The kernel would take more."""
_MODES = {"r": {"read", "both"}, "w": {"write", "both"}, "x": set[str](), "a": set[str]()}


@lru_cache(maxsize=2**14)
def covers(early: str, late: str | None, syscall: str) -> bool:
    """Whether a rule with perm `early` fires whenever one with perm `late` (None: without perm) does, on any kernel.

    An open fires by its access mode: r takes reading, w writing, each of them both (ACC_MODE). What a kernel knows as a
    call of some letter it knows for both rules alike; only of `SURE` is it certain that it does.
    """
    if syscall in OPENS:
        if late is None:
            return syscall not in _LATER_OPENS and set("rw") <= set(early)
        return _open_modes(late) <= _open_modes(early)
    if any(syscall in SURE[letter] for letter in early):
        return True
    letters = {letter for letter in late or "" if syscall in SURE[letter] | LATER[letter]}
    return late is not None and letters <= set(early)


def _open_modes(perm: str) -> set[str]:
    return {mode for letter in perm for mode in _MODES[letter]}


@cache
def reachable(perm: str) -> frozenset[str]:
    """Every system call on which a rule with `perm` can fire on some kernel."""
    found = {name for letter in perm for name in SURE[letter] | LATER[letter]}
    return frozenset(found | (OPENS if set(perm) & set("rw") else set()))


def in_table(perm: str, syscall: str) -> bool:
    """Whether audit >= 4 leaves the call in the mask of a rule with arch and perm that names no calls."""
    return any(syscall in AUDIT_4[letter] for letter in perm)
