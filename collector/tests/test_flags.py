# SPDX-License-Identifier: Apache-2.0
"""What flags, modes and commands of a record say, over both implementations."""

from __future__ import annotations

from typing import Any

import pytest
from collector_support import Run

HEAD = b"msg=audit(1795180152.760:1485): "


def record_of(run: Run, type_: bytes, body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = run(b"type=" + type_ + b" " + HEAD + body + b"\n")[0]["auditd"]["records"][0]
    return found


def call(run: Run, arch: bytes, number: int, arguments: bytes) -> dict[str, Any]:
    return record_of(
        run, b"SYSCALL", b"arch=%s syscall=%d success=yes exit=0 %s items=0 pid=7" % (arch, number, arguments)
    )


X86 = b"c000003e"
CALLS: list[tuple[bytes, int, bytes, dict[str, Any]]] = [
    (X86, 257, b"a0=ffffff9c a1=7f a2=90800 a3=0",
     {"a0_name": "AT_FDCWD", "a2_name": ["O_RDONLY", "O_NONBLOCK", "O_DIRECTORY", "O_CLOEXEC"]}),
    (X86, 257, b"a0=3 a1=7f a2=410002 a3=180", {"a2_name": ["O_RDWR", "O_TMPFILE"], "a3_name": "0600"}),
    (b"c00000b7", 56, b"a0=ffffffffffffff9c a1=7f a2=4000 a3=0",
     {"a0_name": "AT_FDCWD", "a2_name": ["O_RDONLY", "O_DIRECTORY"]}),
    (X86, 9, b"a0=0 a1=1000 a2=7 a3=22",
     {"a2_name": ["PROT_READ", "PROT_WRITE", "PROT_EXEC"], "a3_name": ["MAP_PRIVATE", "MAP_ANONYMOUS"]}),
    (X86, 10, b"a0=0 a1=1000 a2=5 a3=0", {"a2_name": ["PROT_READ", "PROT_EXEC"]}),
    (X86, 56, b"a0=1200011 a1=0 a2=0 a3=7f",
     {"a0_name": ["SIGCHLD", "CLONE_CHILD_CLEARTID", "CLONE_CHILD_SETTID"]}),
    (b"80000016", 120, b"a0=7f a1=11 a2=0 a3=0", {"a1_name": ["SIGCHLD"]}),
    (X86, 272, b"a0=10020000 a1=0 a2=0 a3=0", {"a0_name": ["CLONE_NEWNS", "CLONE_NEWUSER"]}),
    (X86, 308, b"a0=3 a1=40000000 a2=0 a3=0", {"a1_name": ["CLONE_NEWNET"]}),
    (X86, 41, b"a0=11 a1=80003 a2=300 a3=0", {"a0_name": "AF_PACKET", "a1_name": ["SOCK_RAW", "SOCK_CLOEXEC"]}),
    (X86, 101, b"a0=4206 a1=1 a2=0 a3=0", {"a0_name": "PTRACE_SEIZE"}),
    (X86, 157, b"a0=26 a1=1 a2=0 a3=0", {"a0_name": "PR_SET_NO_NEW_PRIVS"}),
    (X86, 165, b"a0=7f a1=7f a2=7f a3=c0ed1001", {"a3_name": ["MS_MGC_VAL", "MS_RDONLY", "MS_BIND"]}),
    (X86, 166, b"a0=7f a1=2 a2=0 a3=0", {"a1_name": ["MNT_DETACH"]}),
    (X86, 321, b"a0=5 a1=7f a2=80 a3=0", {"a0_name": "BPF_PROG_LOAD"}),
    (X86, 250, b"a0=0 a1=0 a2=0 a3=0", {"a0_name": "KEYCTL_GET_KEYRING_ID"}),
    (X86, 16, b"a0=0 a1=5412 a2=7f a3=0", {"a1_name": "TIOCSTI"}),
    (X86, 62, b"a0=1 a1=9 a2=0 a3=0", {"a1_name": "SIGKILL"}),
    (X86, 135, b"a0=40000 a1=0 a2=0 a3=0", {"a0_name": ["PER_LINUX", "ADDR_NO_RANDOMIZE"]}),
    (b"40000003", 102, b"a0=3 a1=7f a2=0 a3=0", {"a0_name": "SYS_CONNECT"}),
    (X86, 272, b"a0=3 a1=0 a2=0 a3=0", {"a0_name": ["0x3"]}),
    (X86, 272, b"a0=zz a1=0 a2=0 a3=0", {}),
]  # fmt: skip


@pytest.mark.parametrize(("arch", "number", "arguments", "names"), CALLS)
def test_arguments_of_calls(run: Run, arch: bytes, number: int, arguments: bytes, names: dict[str, Any]) -> None:
    found = call(run, arch, number, arguments)
    assert {
        name: value for name, value in found.items() if name in ("a0_name", "a1_name", "a2_name", "a3_name")
    } == names


RECORDS: list[tuple[bytes, bytes, dict[str, Any]]] = [
    (b"PATH", b'item=0 name="/x" mode=0104755 cap_fp=2000 cap_fi=0',
     {"mode_name": "-rwsr-xr-x", "cap_fp_name": ["CAP_NET_RAW"]}),
    (b"PATH", b'item=0 name="/tmp" mode=041777', {"mode_name": "drwxrwxrwt"}),
    (b"PATH", b'item=0 name="/tmp" mode=0102640', {"mode_name": "-rw-r-S---"}),
    (b"CAPSET", b"pid=7 cap_pi=0 cap_pp=3fffffffff cap_pe=200000 cap_pa=0",
     {"cap_pe_name": ["CAP_SYS_ADMIN"]}),
    (b"BPRM_FCAPS", b"fver=0 fp=3000 fi=0 fe=0 old_pp=0 pp=1 pi=0 pe=1",
     {"fp_name": ["CAP_NET_ADMIN", "CAP_NET_RAW"], "pp_name": ["CAP_CHOWN"], "pe_name": ["CAP_CHOWN"]}),
    (b"SECCOMP", b'auid=0 pid=7 comm="x" exe="/x" sig=31 arch=c00000b7 syscall=56 compat=0 ip=0x7f code=0x80000000',
     {"sig_name": "SIGSYS", "code_name": "SECCOMP_RET_KILL_PROCESS", "syscall": "openat"}),
    (b"ANOM_ABEND", b'auid=0 uid=0 pid=7 comm="x" exe="/x" sig=11 res=1', {"sig_name": "SIGSEGV"}),
    (b"NETFILTER_CFG", b"table=filter:2 family=2 entries=5 op=nft_register_rule", {"family_name": "IPV4"}),
    (b"CONFIG_CHANGE", b'auid=0 op=add_rule key="x" list=4 res=1', {"list_name": "EXIT"}),
    (b"URINGOP", b"uring_op=18 success=yes exit=0 items=0 ppid=1 pid=7", {"uring_op_name": "IORING_OP_OPENAT"}),
    (b"MMAP", b"fd=3 flags=0x2", {"flags_name": ["MAP_PRIVATE"]}),
    (b"OPENAT2", b"oflag=0100002 mode=0644 resolve=0x8",
     {"oflag_name": ["O_RDWR", "O_LARGEFILE"], "mode_name": "0644", "resolve_name": ["RESOLVE_BENEATH"]}),
    (b"TTY", b"tty pid=7 uid=0 auid=0 ses=1 major=4 minor=1 comm=\"sh\" data=6C73201B5B410D7F04",
     {"data_name": "ls <up><ret><backspace><^D>"}),
    (b"AVC", b'avc:  denied  { sys_admin } for  pid=7 comm="x" capability=21 scontext=a:b:c:s0 tclass=capability',
     {"capability_name": "CAP_SYS_ADMIN"}),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "body", "names"), RECORDS)
def test_fields_of_records(run: Run, type_: bytes, body: bytes, names: dict[str, Any]) -> None:
    found = record_of(run, type_, body)
    assert {name: found.get(name) for name in names} == names


ADDRESSES: list[tuple[str, dict[str, Any]]] = [
    ("0300" + bytes(byte << 1 for byte in b"N0CALL").hex() + "1E" + "00" * 4, {"family": "ax25", "call": "N0CALL-15"}),
    ("0400" + "0451" + "00000102" + "00aabbccddee" + "00",
     {"family": "ipx", "port": 1105, "network": "0x102", "node": "00aabbccddee"}),
    ("0900" + b"234567".hex() + "00" * 10, {"family": "x25", "x25": "234567"}),
    ("1F00" + "1900" + "665544332211" + "0400" + "0100",
     {"family": "bluetooth", "bdaddr": "11:22:33:44:55:66", "psm": 25, "cid": 4}),
    ("1F00" + "665544332211" + "0300", {"family": "bluetooth", "bdaddr": "11:22:33:44:55:66", "channel": 3}),
    ("1F00" + "665544332211", {"family": "bluetooth", "bdaddr": "11:22:33:44:55:66"}),
    ("1F00" + "0100" + "0100", {"family": "bluetooth", "device": 1, "channel": 1}),
    ("2600" + b"skcipher".hex() + "00" * 14 + b"cbc(aes)".hex() + "00" * 8,
     {"family": "alg", "algorithm_type": "skcipher", "algorithm": "cbc(aes)"}),
    ("2600" + "00" * 4, {"family": "alg"}),
]  # fmt: skip


@pytest.mark.parametrize(("address", "parts"), ADDRESSES)
def test_rare_socket_families(run: Run, address: str, parts: dict[str, Any]) -> None:
    """They keep their bytes too; `records` leaves them as they came."""
    found = record_of(run, b"SOCKADDR", b"saddr=" + address.upper().encode())["saddr"]
    assert found == {**parts, "raw": address.lower()}
    line = b"type=SOCKADDR " + HEAD + b"saddr=" + address.upper().encode() + b"\n"
    assert "SADDR" not in run(line, format="records", translate="universal")[0]["SOCKADDR"][0]


def test_all_capabilities_fit(run: Run) -> None:
    found = record_of(run, b"CAPSET", b"pid=7 cap_pe=ffffffffffffffff")
    assert len(found["cap_pe_name"]) == 42
    assert found["cap_pe_name"][-1] == "0xfffffe0000000000"


def test_what_says_nothing_has_no_name(run: Run) -> None:
    found = record_of(run, b"PATH", b'item=0 name="/x" mode=0 cap_fp=0 cap_fi=?')
    assert not [name for name in found if name.endswith("_name")]
