# SPDX-License-Identifier: Apache-2.0
"""On which system calls a rule with `perm` fires.

Source: kernel/auditsc.c audit_match_perm, lib/audit.c audit_classify_syscall and the lists it registers,
include/asm-generic/audit_{read,write,dir_write,change_attr}.h. Newer kernels have more in a list: what every
kernel since 5.10 has is in `SURE`, the rest in `LATER`, which coverage must count against itself. audit >= 4
narrows the mask of a rule with arch and perm to its own table; what that lacks is in `LATER` too.
"""

from __future__ import annotations

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
OPENS = frozenset({"open", "openat", "openat2"})
_LATER_OPENS = frozenset({"openat2"})
AUDIT_4 = {
    "r": SURE["r"] | OPENS,
    "w": SURE["w"] | OPENS | {"renameat2", "fallocate", "bind", "ftruncate"},
    "x": SURE["x"],
    "a": SURE["a"],
}
"""What audit >= 4 adds to the mask of a rule with arch and perm, as 4.0.2 lists it. The kernel would take more."""
_ANY = frozenset({"any"})
_OPEN_MODES = {"r": {"read", "both"}, "w": {"write", "both"}, "x": set[str](), "a": set[str]()}


def modes(perm: str | None, syscall: str, *, sure: bool) -> frozenset[str]:
    """In which modes of `syscall` a rule with `perm` (None: without) fires; empty = never.

    An open has the modes read, write and both, by its access mode (ACC_MODE); other calls have one, `any`.
    `sure` counts what every kernel does, else what some kernel does.
    """
    if perm is None:
        return frozenset({"read", "write", "both"}) if syscall in OPENS else _ANY
    if syscall in OPENS:
        if sure and syscall in _LATER_OPENS:
            return frozenset()
        return frozenset(mode for letter in perm for mode in _OPEN_MODES[letter])
    fires = any(syscall in SURE[letter] or (not sure and syscall in LATER[letter]) for letter in perm)
    return _ANY if fires else frozenset()


def reachable(perm: str) -> frozenset[str]:
    """Every system call on which a rule with `perm` can fire on some kernel."""
    found = {name for letter in perm for name in SURE[letter] | LATER[letter]}
    return frozenset(found | (OPENS if set(perm) & set("rw") else set()))
