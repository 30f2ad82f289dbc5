# SPDX-License-Identifier: Apache-2.0
"""decode, what a number says: flags, commands, modes and capabilities by name; for both formats and for the C.

A decoder turns a number into one name (a command, a mode) or a list of names (flags); bits that no table knows end
the list as "0x…". Which argument of which system call has which decoder is ARGUMENTS, which field of which record
FIELDS. The numbers' names are generated (flag_tables.py). Sources: man 2 of each call; kernel/auditsc.c
audit_log_exit(), show_special(), audit_log_fcaps(); net/netfilter/x_tables.c; security/lsm_audit.c.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Union

from . import decode
from .flag_tables import TABLES
from .scan import Field
from .tables import ARCHES

Meaning = Union[str, list[str], None]


class Decoder(NamedTuple):
    """`enum`: table of the value under `mask`; `bits`: table of flags. `width`: bits of the argument's C type.

    kind: names | permissions ("0644") | creation (the same, 0 says nothing) | mode ("-rw-r--r--") |
    capabilities (bit n is capability n) | keys (of a tty).
    """

    enum: str = ""
    mask: int = 0xFFFFFFFF
    bits: str = ""
    width: int = 32
    kind: str = "names"


_LONG: Final = 64
_ALL: Final = 0xFFFFFFFFFFFFFFFF

DECODERS: Final[dict[str, Decoder]] = {
    "access": Decoder(bits="access"),
    "arch_prctl": Decoder("arch_prctl"),
    "at": Decoder(bits="at"),
    "bpf": Decoder("bpf"),
    "capabilities": Decoder(bits="capability", width=_LONG, kind="capabilities"),
    "capability": Decoder("capability"),
    "clock": Decoder("clock"),
    "clone": Decoder("signal", 0xFF, "clone", _LONG),
    "creation": Decoder(kind="creation"),
    "dirfd": Decoder("dirfd"),
    "faccess": Decoder(bits="faccess"),
    "family": Decoder("family"),
    "fanotify_init": Decoder(bits="fanotify_init"),
    "fanotify_mark": Decoder(bits="fanotify_mark"),
    "fcntl": Decoder("fcntl"),
    "filter_list": Decoder("filter_list"),
    "fsconfig": Decoder("fsconfig"),
    "fsmount": Decoder(bits="fsmount"),
    "ioctl": Decoder("ioctl"),
    "ip_protocol": Decoder("ip_protocol"),
    "ipc": Decoder("ipc"),
    "keyctl": Decoder("keyctl"),
    "keys": Decoder(kind="keys"),
    "kexec": Decoder(bits="kexec", width=_LONG),
    "kexec_file": Decoder(bits="kexec_file", width=_LONG),
    "madvise": Decoder("madvise"),
    "memfd": Decoder(bits="memfd"),
    "message": Decoder(bits="message"),
    "mmap": Decoder("map_type", 3, "mmap"),
    "mode": Decoder(kind="mode"),
    "module_init": Decoder(bits="module_init"),
    "mount": Decoder("mount_magic", 0xFFFF0000, "mount", _LONG),
    "move_mount": Decoder(bits="move_mount"),
    "namespace": Decoder(bits="clone"),
    "netfilter_family": Decoder("netfilter_family"),
    "open": Decoder("accmode", 3, "open"),
    "open_flags": Decoder(bits="open"),
    "open_tree": Decoder(bits="open_tree"),
    "perf_event": Decoder(bits="perf_event", width=_LONG),
    "permissions": Decoder(kind="permissions"),
    "personality": Decoder("personality", 0xFF, "personality_flags"),
    "prctl": Decoder("prctl"),
    "protection": Decoder(bits="protection", width=_LONG),
    "ptrace": Decoder("ptrace", _ALL, width=_LONG),
    "quotactl": Decoder("quotactl", 0xFFFFFF00),
    "reboot": Decoder("reboot"),
    "rename": Decoder(bits="rename"),
    "resolve": Decoder(bits="resolve", width=_LONG),
    "resource": Decoder("resource"),
    "scheduler": Decoder("scheduler"),
    "seccomp": Decoder("seccomp"),
    "seccomp_action": Decoder("seccomp_action", 0xFFFF0000),
    "signal": Decoder("signal"),
    "socket_call": Decoder("socket_call"),
    "socket_level": Decoder("socket_level"),
    "socket_type": Decoder("socket_type", 0xF, "socket_flags"),
    "swap": Decoder(bits="swap"),
    "umount": Decoder(bits="umount"),
    "unlink": Decoder(bits="unlink"),
    "uring": Decoder("uring"),
    "uring_register": Decoder("uring_register"),
    "xattr": Decoder(bits="xattr"),
}

VARIANTS: Final[dict[str, dict[str, str]]] = {
    "open": {"aarch64": "open_arm", "arm": "open_arm", "ppc64le": "open_ppc64le"},
    "mmap": {"ppc64le": "mmap_ppc64le"},
    "ptrace": dict.fromkeys(("aarch64", "arm", "ppc64le", "riscv64", "s390x"), "ptrace_arm"),
}
"""Tables that some architectures have otherwise."""

# "system calls": what a0 to a3 hold; "-" is nothing with a name
_ARGUMENTS: Final = {
    "open": "- open creation",
    "openat": "dirfd - open creation",
    "openat2 name_to_handle_at readlinkat utimensat futimesat": "dirfd",
    "open_by_handle_at": "- - open",
    "creat chmod mkdir": "- permissions",
    "fchmod": "- permissions",
    "fchmodat mkdirat": "dirfd - permissions",
    "fchmodat2": "dirfd - permissions at",
    "mknod": "- mode",
    "mknodat": "dirfd - mode",
    "umask": "permissions",
    "unlinkat": "dirfd - unlink",
    "symlinkat": "- dirfd",
    "linkat": "dirfd - dirfd",
    "renameat renameat2": "dirfd - dirfd",
    "fchownat": "dirfd",
    "newfstatat fstatat64": "dirfd - - at",
    "statx": "dirfd - at",
    "execveat": "dirfd",
    "access": "- access",
    "faccessat": "dirfd - access",
    "faccessat2": "dirfd - access faccess",
    "fcntl fcntl64": "- fcntl",
    "ioctl": "- ioctl",
    "mmap mmap2": "- - protection mmap",
    "mprotect pkey_mprotect": "- - protection",
    "madvise": "- - madvise",
    "process_madvise": "- - - madvise",
    "clone": "clone",
    "unshare": "namespace",
    "setns": "- namespace",
    "kill": "- signal",
    "tkill rt_sigqueueinfo pidfd_send_signal": "- signal",
    "tgkill rt_tgsigqueueinfo": "- - signal",
    "ptrace": "ptrace",
    "prctl": "prctl",
    "arch_prctl": "arch_prctl",
    "seccomp": "seccomp",
    "personality": "personality",
    "mount": "- - - mount",
    "umount2": "- umount",
    "fsconfig": "- fsconfig",
    "fsmount": "- - fsmount",
    "open_tree": "dirfd - open_tree",
    "mount_setattr": "dirfd - at",
    "move_mount": "dirfd - dirfd",
    "bpf": "bpf",
    "keyctl": "keyctl",
    "finit_module": "- - module_init",
    "delete_module": "- open_flags",
    "kexec_load": "- - - kexec",
    "reboot": "- - reboot",
    "swapon": "- swap",
    "socket socketpair": "family socket_type",
    "setsockopt getsockopt": "- socket_level",
    "accept4": "- - - socket_type",
    "sendto recvfrom": "- - - message",
    "sendmsg recvmsg": "- - message",
    "sendmmsg recvmmsg": "- - - message",
    "socketcall": "socket_call",
    "ipc": "ipc",
    "memfd_create": "- memfd",
    "quotactl": "quotactl",
    "clock_settime clock_adjtime clock_settime64 clock_adjtime64": "clock",
    "setrlimit": "resource",
    "prlimit64": "- resource",
    "sched_setscheduler": "- scheduler",
    "fanotify_init": "fanotify_init",
    "fanotify_mark": "- fanotify_mark",
    "io_uring_register": "- uring_register",
}
ARGUMENTS: Final[dict[str, tuple[str | None, ...]]] = {
    name: tuple(None if each == "-" else each for each in row.split())
    for names, row in _ARGUMENTS.items()
    for name in names.split()
}
"""System call → decoder of a0, a1, … (s390x: see `arguments`)."""


def arguments(syscall: str, arch: str) -> tuple[str | None, ...]:
    """clone() of s390x takes the stack first (CONFIG_CLONE_BACKWARDS2)."""
    return (None, "clone") if syscall == "clone" and arch == "s390x" else ARGUMENTS.get(syscall, ())


FIELDS: Final[dict[bytes, dict[bytes, tuple[str, int]]]] = {
    b"PATH": {b"mode": ("mode", 8), **dict.fromkeys((b"cap_fp", b"cap_fi"), ("capabilities", 16))},
    b"CAPSET": dict.fromkeys((b"cap_pi", b"cap_pp", b"cap_pe", b"cap_pa"), ("capabilities", 16)),
    b"BPRM_FCAPS": dict.fromkeys(
        b"fp fi old_pp old_pi old_pe old_pa pp pi pe pa new_pp new_pi new_pe new_pa".split(), ("capabilities", 16)
    ),
    b"SYSCALL": {b"per": ("personality", 16)},
    b"MMAP": {b"flags": ("mmap", 16)},
    b"OPENAT2": {b"oflag": ("open", 8), b"mode": ("permissions", 8), b"resolve": ("resolve", 16)},
    b"IPC": {b"mode": ("permissions", 8)},
    b"IPC_SET_PERM": {b"mode": ("permissions", 8)},
    b"MQ_OPEN": {b"oflag": ("open", 16), b"mode": ("permissions", 8)},
    b"SECCOMP": {b"sig": ("signal", 10), b"code": ("seccomp_action", 16)},
    b"ANOM_ABEND": {b"sig": ("signal", 10)},
    b"NETFILTER_CFG": {b"family": ("netfilter_family", 10)},
    b"NETFILTER_PKT": {b"proto": ("ip_protocol", 10)},
    b"CONFIG_CHANGE": {b"list": ("filter_list", 10)},
    b"URINGOP": {b"uring_op": ("uring", 10)},
    b"AVC": {b"capability": ("capability", 10), b"ioctlcmd": ("ioctl", 16)},
    b"TTY": {b"data": ("keys", 0)},
    b"USER_TTY": {b"data": ("keys", 0)},
}
"""Record type → field → (decoder, base of the number; 0: the field's bytes)."""

_FILE_LETTERS: Final = {1: "p", 2: "c", 4: "d", 6: "b", 8: "-", 10: "l", 12: "s"}
_KEY_NAMES: Final = {0x03: "^C", 0x04: "^D", 0x08: "backspace", 0x09: "tab", 0x0A: "nl", 0x0D: "ret", 0x1A: "^Z",
                     0x1B: "esc", 0x7F: "backspace"}  # fmt: skip
KEY_SEQUENCES: Final = {b"\x1b[A": "up", b"\x1b[B": "down", b"\x1b[C": "right", b"\x1b[D": "left"}
_MAX_CACHE: Final = 8192
_BITS: Final = {
    name: sorted(values.items(), key=lambda item: (-bin(item[0]).count("1"), item[0]))
    for name, values in TABLES.items()
}
_CAPABILITY_BITS: Final = [(1 << number, name) for number, name in TABLES["capability"].items()]


def meaning(decoder: str, value: int, arch: str = "") -> Meaning:
    """What a number says; None: nothing that has a name."""
    kind = DECODERS[decoder]
    value &= (1 << kind.width) - 1
    if kind.kind in ("permissions", "creation"):
        return f"{value & 0o7777:04o}" if value or kind.kind == "permissions" else None
    if kind.kind == "mode":
        return _mode(value)
    if kind.kind == "capabilities":
        return _flags(value, _CAPABILITY_BITS, []) or None
    names = TABLES[_variant(kind.enum, arch)].get(value & kind.mask) if kind.enum else None
    if not kind.bits:
        return names
    rest = value & ~kind.mask if names is not None else value
    return _flags(rest, _BITS[_variant(kind.bits, arch)], [] if names is None else [names]) or None


def _variant(table: str, arch: str) -> str:
    return VARIANTS.get(table, {}).get(arch, table)


def _flags(value: int, table: list[tuple[int, str]], found: list[str]) -> list[str]:
    for bits, name in table:
        if bits and value & bits == bits:
            found.append(name)
            value &= ~bits
    return [*found, f"{value:#x}"] if value else found


def _mode(value: int) -> str | None:
    """As `ls -l` writes it; None when the file type is none."""
    letter = _FILE_LETTERS.get(value >> 12)
    if letter is None:
        return None
    out = [letter]
    for shift, special, small in ((6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")):
        bits = value >> shift & 7
        out.append("r" if bits & 4 else "-")
        out.append("w" if bits & 2 else "-")
        if value & special:
            out.append(small if bits & 1 else small.upper())
        else:
            out.append("x" if bits & 1 else "-")
    return "".join(out)


def keys(data: bytes) -> bytes:
    """Keys typed at a terminal: `ls<ret>`; what has no name stays as it is."""
    out = bytearray()
    at = 0
    while at < len(data):
        sequence = KEY_SEQUENCES.get(data[at : at + 3])
        name = sequence or _KEY_NAMES.get(data[at])
        if name is None:
            out.append(data[at])
        else:
            out += b"<" + name.encode("ascii") + b">"
        at += 3 if sequence else 1
    return bytes(out)


def arch_of(fields: list[Field]) -> str:
    """The architecture that a record names; "" for none that the tables know."""
    return next((ARCHES.get(token, "") for name, token in fields if name == b"arch"), "")


class FlagDecoder:
    """Fields of a record → (field, what it says), for those that say something; remembers what it has decoded."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes, str], Meaning] = {}

    def record(self, type_: bytes, fields: list[Field], arch: str, syscall: str | None) -> list[tuple[str, Meaning]]:
        """`syscall`: name of the call in a SYSCALL record. Of fields of one name the first counts that says something.
        Typed keys are not from here: they are text, which each format quotes (`typed`)."""
        found: dict[str, Meaning] = {}
        decoders = arguments(syscall, arch) if syscall is not None else ()
        if decoders:
            for name, token in fields:
                if len(name) == 2 and name[0] == 0x61 and 0x30 <= name[1] < 0x30 + len(decoders):
                    decoder = decoders[name[1] - 0x30]
                    if decoder is not None:
                        self._put(found, name, (decoder, 16, arch), token)
        table = FIELDS.get(type_)
        if table is not None:
            for name, token in fields:
                entry = table.get(name)
                if entry is not None and entry[1]:
                    self._put(found, name, (*entry, arch), token)
        return list(found.items())

    def _put(self, found: dict[str, Meaning], name: bytes, by: tuple[str, int, str], token: bytes) -> None:
        key = name.decode("ascii")
        if key in found:
            return
        decoder, base, arch = by
        known = (decoder, token, arch)
        if known not in self._known:
            if len(self._known) >= _MAX_CACHE:
                self._known.clear()
            number = _number(token, base)
            self._known[known] = None if number is None else meaning(decoder, number, arch)
        value = self._known[known]
        if value is not None:
            found[key] = value


def typed(type_: bytes, fields: list[Field]) -> bytes | None:
    """The keys in `data` of a TTY or USER_TTY record; None without."""
    if type_ not in (b"TTY", b"USER_TTY"):
        return None
    data = next((decode.encoded(token) for name, token in fields if name == b"data"), None)
    return None if data is None else keys(data)


def _number(token: bytes, base: int) -> int | None:
    if base == 10:
        number = decode.decimal(token)
        return None if number is None else max(-(1 << 63), min(number, (1 << 63) - 1))  # as int64_t saturates
    text = decode.hexadecimal(token) if base == 16 else decode.octal(token)
    return None if text is None else int(text, base)
