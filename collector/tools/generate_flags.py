#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generate src/auditpack_collector/flag_tables.py from kernel and libc headers.

    generate_flags.py --root DIR [--output FILE] [--check]

DIR holds the unpacked Debian packages linux-libc-dev-{arm64,ppc64el}-cross, as for generate_tables.py; all else comes
from the machine's own linux-libc-dev and libc6-dev (x86-64). Needs cc as preprocessor. --check: exit 1 when the file
is not what would be written.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path("/usr/include")
SELF = "/usr/include/x86_64-linux-gnu"


class Macros(NamedTuple):
    """A table of macros whose whole name matches `wanted` and not `unwanted`; `strip` leads every name and goes."""

    headers: str
    wanted: str
    unwanted: str = "-"
    strip: str = ""


class Enum(NamedTuple):
    """A table of the enumerators of the `enum` in a header that has the tag or, without one, that first enumerator."""

    header: str
    tag: str
    strip: str = ""


_OPEN = Macros("linux/fcntl.h", r"O_\w+", r"O_(ACCMODE|RDONLY|WRONLY|RDWR|NDELAY|TMPFILE_MASK)")
_MMAP = Macros("asm/mman.h", r"MAP_\w+", r"MAP_(SHARED|PRIVATE|SHARED_VALIDATE|TYPE|FILE|HUGE_\w+)")
_PTRACE = Macros(
    "linux/ptrace.h",
    r"PTRACE_[A-Z_]+",
    r"PTRACE_((EVENT|O|SYSCALL_INFO|EVENTMSG|PEEKSIGINFO|RSEQ)_\w+|OLDSETOPTIONS)",
)

TABLES: dict[str, Macros | Enum] = {
    "access": Macros("fcntl.h unistd.h", r"[RWX]_OK"),
    "arch_prctl": Macros("asm/prctl.h", r"ARCH_\w+", r"ARCH_MAP_\w+"),
    "at": Macros("linux/fcntl.h", r"AT_\w+", r"AT_(FDCWD|EACCESS|REMOVEDIR|STATX_\w+|HANDLE_\w+)"),
    "bpf": Enum("linux/bpf.h", "bpf_cmd"),
    "capability": Macros("linux/capability.h", r"CAP_[A-Z_]+", r"CAP_(LAST_CAP|TO_\w+)"),
    "clock": Macros("linux/time.h", r"CLOCK_\w+"),
    "clone": Macros("linux/sched.h", r"CLONE_\w+", r"CLONE_ARGS_\w+"),
    "family": Macros("sys/socket.h", r"AF_\w+", r"AF_(MAX|FILE|LOCAL|ROUTE)"),
    "fanotify_init": Macros("linux/fanotify.h",
                            r"FAN_(CLOEXEC|NONBLOCK|CLASS_\w+|UNLIMITED_\w+|ENABLE_AUDIT|REPORT_\w+)",
                            r"FAN_(CLASS_NOTIF|REPORT_DFID_NAME|REPORT_DFID_NAME_TARGET)"),
    "fanotify_mark": Macros("linux/fanotify.h", r"FAN_MARK_\w+", r"FAN_MARK_(INODE|IGNORE_SURV)"),
    "fcntl": Macros("linux/fcntl.h", r"F_[A-Z0-9_]+",
                    r"F_(LINUX_SPECIFIC_BASE|RDLCK|WRLCK|UNLCK|EXLCK|SHLCK|OWNER_\w+|SEAL_\w+|GETLK64|SETLKW?64)"),
    "filter_list": Macros("linux/audit.h", r"AUDIT_FILTER_(USER|TASK|ENTRY|WATCH|EXIT|EXCLUDE|FS|URING_EXIT)",
                          strip="AUDIT_FILTER_"),
    "fsconfig": Enum("linux/mount.h", "fsconfig_command"),
    "fsmount": Macros("linux/mount.h", r"MOUNT_ATTR_\w+", r"MOUNT_ATTR_(_ATIME|RELATIME|SIZE_\w+)"),
    "ioctl": Macros("asm/ioctls.h", r"(TIOC|TC|FIO)[A-Z0-9]+", r"TIOC(PKT|SER|INQ|M)_?\w*"),
    "ip_protocol": Enum("linux/in.h", "IPPROTO_IP"),
    "ipc": Macros("linux/ipc.h", r"(SEM|MSG|SHM)(OP|GET|CTL|TIMEDOP|SND|RCV|AT|DT)"),
    "keyctl": Macros("linux/keyctl.h", r"KEYCTL_[A-Z_]+", r"KEYCTL_(CAPS\d?_|MOVE_EXCL|SUPPORTS_)\w*"),
    "kexec": Macros("linux/kexec.h", r"KEXEC_(ON_CRASH|PRESERVE_CONTEXT)"),
    "kexec_file": Macros("linux/kexec.h", r"KEXEC_FILE_\w+"),
    "madvise": Macros("asm/mman.h", r"MADV_\w+"),
    "memfd": Macros("linux/memfd.h", r"MFD_\w+", r"MFD_HUGE_\w+"),
    "message": Enum("x86_64-linux-gnu/bits/socket.h", "MSG_OOB"),
    "mmap": _MMAP,
    "mmap_ppc64le": _MMAP,
    "module_init": Macros("linux/module.h", r"MODULE_INIT_\w+"),
    "mount": Macros("linux/mount.h", r"MS_\w+", r"MS_(MGC_\w+|RMT_MASK|VERBOSE)"),
    "move_mount": Macros("linux/mount.h", r"MOVE_MOUNT_\w+", r"MOVE_MOUNT__MASK"),
    "netfilter_family": Enum("linux/netfilter.h", "NFPROTO_UNSPEC", "NFPROTO_"),
    "open": _OPEN,
    "open_arm": _OPEN,
    "open_ppc64le": _OPEN,
    "open_tree": Macros("linux/mount.h", r"OPEN_TREE_CLONE"),
    "perf_event": Macros("linux/perf_event.h", r"PERF_FLAG_\w+"),
    "personality": Enum("linux/personality.h", "PER_LINUX"),
    "protection": Macros("asm/mman.h", r"PROT_\w+", r"PROT_NONE"),
    "ptrace": _PTRACE,
    "ptrace_arm": _PTRACE,
    "quotactl": Macros("linux/quota.h", r"Q_\w+"),
    "reboot": Macros("linux/reboot.h", r"LINUX_REBOOT_CMD_\w+", strip="LINUX_"),
    "rename": Macros("linux/fs.h", r"RENAME_\w+"),
    "resolve": Macros("linux/openat2.h", r"RESOLVE_\w+"),
    "resource": Macros("asm/resource.h", r"RLIMIT_\w+"),
    "scheduler": Macros("linux/sched.h", r"SCHED_(NORMAL|FIFO|RR|BATCH|ISO|IDLE|DEADLINE|EXT)"),
    "seccomp": Macros("linux/seccomp.h", r"SECCOMP_(SET|GET)_\w+"),
    "seccomp_action": Macros("linux/seccomp.h", r"SECCOMP_RET_\w+", r"SECCOMP_RET_(ACTION(_FULL)?|DATA|KILL)"),
    "signal": Macros("asm/signal.h", r"SIG[A-Z0-9]+", r"SIG(IOT|POLL|CLD|UNUSED|RTMIN|RTMAX|STKSZ)|SIGLOST"),
    "socket_call": Macros("linux/net.h", r"SYS_\w+"),
    "socket_level": Macros("sys/socket.h linux/in.h", r"SOL_\w+"),
    "swap": Macros("sys/swap.h", r"SWAP_FLAG_\w+", r"SWAP_FLAG_PRIO_\w+"),
    "umount": Macros("sys/mount.h", r"MNT_\w+|UMOUNT_NOFOLLOW"),
    "uring": Enum("linux/io_uring.h", "io_uring_op"),
    "uring_register": Enum("linux/io_uring.h", "IORING_REGISTER_BUFFERS"),
    "xattr": Macros("linux/xattr.h", r"XATTR_(CREATE|REPLACE)"),
}  # fmt: skip
FOREIGN = {
    "open_arm": ("usr/aarch64-linux-gnu/include", ["-U__x86_64__", "-D__aarch64__"]),
    "ptrace_arm": ("usr/aarch64-linux-gnu/include", ["-U__x86_64__", "-D__aarch64__"]),
    "open_ppc64le": ("usr/powerpc64le-linux-gnu/include", ["-U__x86_64__", "-D__powerpc64__"]),
    "mmap_ppc64le": ("usr/powerpc64le-linux-gnu/include", ["-U__x86_64__", "-D__powerpc64__"]),
}
# Of the kernel's own headers or newer than linux-libc-dev 6.1; each with its home in Linux 6.12.
ADDED = {
    "at": {"AT_EMPTY_PATH": 0x1000, "AT_RECURSIVE": 0x8000, "AT_EXECVE_CHECK": 0x10000},  # uapi/linux/fcntl.h
    "open": {"O_LARGEFILE": 0o100000},  # arch/x86: set by every 32-bit open and by glibc's headers hidden
    "umount": {"UMOUNT_NOFOLLOW": 8, "MNT_FORCE": 1, "MNT_DETACH": 2, "MNT_EXPIRE": 4},  # linux/fs.h
    "memfd": {"MFD_NOEXEC_SEAL": 8, "MFD_EXEC": 16},  # uapi/linux/memfd.h
    "personality_flags": {  # uapi/linux/personality.h, an enum of bits
        "UNAME26": 0x0020000, "ADDR_NO_RANDOMIZE": 0x0040000, "FDPIC_FUNCPTRS": 0x0080000, "MMAP_PAGE_ZERO": 0x0100000,
        "ADDR_COMPAT_LAYOUT": 0x0200000, "READ_IMPLIES_EXEC": 0x0400000, "ADDR_LIMIT_32BIT": 0x0800000,
        "SHORT_INODE": 0x1000000, "WHOLE_SECONDS": 0x2000000, "STICKY_TIMEOUTS": 0x4000000, "ADDR_LIMIT_3GB": 0x8000000,
    },
    "socket_type": {  # linux/net.h
        "SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_RAW": 3, "SOCK_RDM": 4, "SOCK_SEQPACKET": 5, "SOCK_DCCP": 6,
        "SOCK_PACKET": 10,
    },
    "socket_flags": {"SOCK_NONBLOCK": 0o4000, "SOCK_CLOEXEC": 0o2000000},  # linux/net.h
    "accmode": {"O_RDONLY": 0, "O_WRONLY": 1, "O_RDWR": 2},  # asm-generic/fcntl.h
    "map_type": {"MAP_SHARED": 1, "MAP_PRIVATE": 2, "MAP_SHARED_VALIDATE": 3},  # asm-generic/mman-common.h
    "dirfd": {"AT_FDCWD": 0xFFFFFF9C},  # uapi/linux/fcntl.h, -100
    "mount_magic": {"MS_MGC_VAL": 0xC0ED0000},  # uapi/linux/mount.h
    "unlink": {"AT_REMOVEDIR": 0x200},
    "faccess": {"AT_EACCESS": 0x200, "AT_SYMLINK_NOFOLLOW": 0x100, "AT_EMPTY_PATH": 0x1000},
    "socket_level": {"SOL_IP": 0, "SOL_TCP": 6, "SOL_UDP": 17, "SOL_IPV6": 41, "SOL_SCTP": 132},  # linux/socket.h
}  # fmt: skip
_INTEGER = re.compile(r"\b(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)(?:[uU]?[lL]{0,2})\b")


def preprocess(source: str, *flags: str) -> str:
    return subprocess.run(["cc", "-E", *flags, "-"], input=source, capture_output=True, text=True, check=True).stdout


def macros(headers: str, include: str, flags: list[str]) -> dict[str, str]:
    source = "".join(f"#include <{header}>\n" for header in headers.split())
    options = ["-nostdinc", "-I", include, "-I", "/usr/include", *flags] if include else flags
    return dict(re.findall(r"^#define (\w+) (.+)$", preprocess(source, "-D_GNU_SOURCE", "-dM", *options), re.M))


def value_of(name: str, defined: dict[str, str]) -> int | None:
    """The integer that a macro stands for; None when it is no constant."""
    text = defined[name]
    for _ in range(8):
        text = re.sub(r"\b[A-Za-z_]\w*\b", lambda match: f"({defined.get(match[0], match[0])})", text)
    text = re.sub(r"\(\s*(?:__u32|int|unsigned int)\s*\)", "", text)
    text = _INTEGER.sub(lambda match: str(int(match[1], 8 if re.fullmatch(r"0[0-7]+", match[1]) else 0)), text)
    if not re.fullmatch(r"[-0-9 ()|<>+*]+", text):
        return None
    return int(eval(text, {"__builtins__": {}}))  # noqa: S307 - integers and operators, checked above


def table(spec: Macros, include: str, flags: list[str]) -> dict[str, int]:
    defined = macros(spec.headers, include, flags)
    found: dict[str, int] = {}
    for name in sorted(defined):
        if not re.fullmatch(spec.wanted, name) or re.fullmatch(spec.unwanted, name):
            continue
        value = value_of(name, defined)
        if value is not None and value >= 0:
            found[name.removeprefix(spec.strip)] = value
    return found


def enumerators(spec: Enum) -> dict[str, int]:
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", (HERE / spec.header).read_text(), flags=re.S)
    bodies = re.findall(r"enum\s*(\w*)\s*\{(.*?)\}", text, re.S)
    body = next(body for tag, body in bodies if spec.tag in (tag, *re.findall(r"\w+", body)[:1]))
    found: dict[str, int] = {}
    at = -1
    for item in re.sub(r"^\s*#.*$", "", body, flags=re.M).split(","):
        name, _, written = (part.strip() for part in item.partition("="))
        if not name:
            continue
        if written:
            known = re.sub(r"\b[A-Z]\w+", lambda match: str(found.get(match[0], 0)), written)
            at = eval(known, {"__builtins__": {}}) if re.fullmatch(r"[-0-9a-fx |()<]+", known) else at + 1  # noqa: S307
        else:
            at += 1
        found[name] = at
    kept = {
        name: value for name, value in found.items() if not re.search(r"^__|_(LAST|MAX|MASK|NUMPROTO)$|^MAX_", name)
    }
    return {name.removeprefix(spec.strip): value for name, value in kept.items()}


_PRCTL_VALUE = re.compile(  # what prctl.h does not indent though it is no option
    r"PR_(SPEC|TIMING|FP_|ENDIAN|UNALIGN|MTE_|SVE_VL|SME_VL|TAGGED|PAC_[AFG]|SYS_DISPATCH|TSC|SET_VMA_|SCHED_CORE_"
    r"|MCE_KILL_[SCLED])"
)


def prctl_options() -> dict[str, int]:
    """prctl.h indents the values of its options (`# define`), most of them."""
    text = (HERE / "linux/prctl.h").read_text()
    options: dict[int, str] = {}
    for name, value in re.findall(r"^#define\s+(PR_\w+)\s+(0x[0-9a-fA-F]+|\d+)\b", text, re.M):
        if not _PRCTL_VALUE.match(name):
            options.setdefault(int(value, 0), name)
    return {name: number for number, name in options.items()}


def build(root: Path) -> dict[str, dict[str, int]]:
    out: dict[str, dict[str, int]] = {}
    for name, spec in TABLES.items():
        if isinstance(spec, Enum):
            out[name] = enumerators(spec)
        else:
            folder, flags = FOREIGN.get(name, ("", []))
            include = str(next(path for path in root.rglob("include") if str(path).endswith(folder))) if folder else ""
            out[name] = table(spec, include, flags)
    out["prctl"] = prctl_options()
    out["quotactl"] = {name: value << 8 for name, value in out["quotactl"].items()}  # QCMD(cmd, type) = cmd << 8 | type
    for name, more in ADDED.items():
        out.setdefault(name, {}).update(more)
    if empty := [name for name, values in out.items() if not values]:
        sys.exit(f"nothing found for {', '.join(empty)}")
    return dict(sorted(out.items()))


HEAD = '''# SPDX-License-Identifier: Apache-2.0
"""Generated by tools/generate_flags.py; do not edit.

Names of the kernel's constants by number; of several names of a number the first by alphabet. Sources: Debian
linux-libc-dev 6.1 and libc6-dev (x86-64), linux-libc-dev-{arm64,ppc64el}-cross; what they lack: ADDED in the generator.
"""

from __future__ import annotations

from typing import Final

TABLES: Final[dict[str, dict[int, str]]] = {
'''


def text(tables: dict[str, dict[str, int]]) -> str:
    parts = [HEAD]
    for name, values in tables.items():
        parts.append(f'    "{name}": {{\n')
        numbers: dict[int, str] = {}
        for each, value in values.items():
            numbers.setdefault(value, each)
        parts.extend(f'        {value:#x}: "{each}",\n' for value, each in sorted(numbers.items()))
        parts.append("    },\n")
    return "".join([*parts, "}\n"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    output = Path(__file__).resolve().parent.parent / "src/auditpack_collector/flag_tables.py"
    parser.add_argument("--output", type=Path, default=output)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    made = text(build(options.root))
    if options.check:
        if options.output.read_text() != made:
            print(f"{options.output}: out of date: run tools/generate_flags.py", file=sys.stderr)
            return 1
        return 0
    options.output.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
