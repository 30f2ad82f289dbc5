# SPDX-License-Identifier: Apache-2.0
"""Format `records` against LAUREL's output, event by event. Only the differences of docs/collector/laurel.md pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from collector_support import Run, corpus

LOCAL_PREFIX = "%01%00"


def difference(path: str, ours: Any, laurel: Any) -> str:
    """The heading of docs/collector/laurel.md that covers this difference, or "" for none."""
    if path == "SYSCALL.UID_GROUPS" and ours is None:
        return "UID_GROUPS"
    if path.endswith(".msg.id") and isinstance(ours, int) and isinstance(laurel, str):
        return "id="
    if path == "SOCKADDR[].saddr" and ours is None and laurel.startswith(LOCAL_PREFIX):
        return "local sockets"
    if path == "SOCKADDR[].SADDR" and laurel is None:
        return "local sockets" if isinstance(ours, dict) else "SADDR"
    return ""


def differences(ours: Any, laurel: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(laurel, dict):
        return [
            found
            for name in ours.keys() | laurel.keys()
            for found in differences(ours.get(name), laurel.get(name), f"{path}.{name}" if path else name)
            if name not in ours or name not in laurel or ours[name] != laurel[name]
        ]
    if isinstance(ours, list) and isinstance(laurel, list) and len(ours) == len(laurel):
        return [found for a, b in zip(ours, laurel) for found in differences(a, b, path + "[]")]
    return [] if ours == laurel and type(ours) is type(laurel) else [(path, ours, laurel)]


@pytest.mark.parametrize("source", ["enriched", "raw"])
@pytest.mark.parametrize(("oracle", "translate"), [("plain", "none"), ("universal", "universal")])
def test_equal_to_laurel(run: Run, source: str, oracle: str, translate: str) -> None:
    events = run(corpus(f"debian13-{source}.log"), format="records", translate=translate)
    ours = {event["ID"]: event for event in events}
    laurel = {
        event["ID"]: event for event in map(json.loads, corpus(f"debian13-{source}.laurel-{oracle}.jsonl").splitlines())
    }
    assert len(ours) == len(events)
    assert ours.keys() == laurel.keys()
    unexpected = [
        (identity, *found)
        for identity in ours
        for found in differences(ours[identity], laurel[identity])
        if not difference(*found)
    ]
    assert unexpected == []


def test_the_comparison_can_fail() -> None:
    assert differences({"A": {"b": 1}}, {"A": {"b": "1"}}) == [("A.b", 1, "1")]
    assert difference("A.b", 1, "1") == ""


def one(run: Run, body: str, type_: str = "X", **options: Any) -> Any:
    (event,) = run(f"type={type_} msg=audit(1.002:3): {body}\n".encode(), format="records", **options)
    value = event[type_]
    return value[0] if isinstance(value, list) else value


def test_values(run: Run) -> None:
    assert one(
        run, 'pid=1 arch=c000003e mode=0100644 name=(null) tty=? comm="a b" exit=-13 cap_fp=00400 dev=08:01'
    ) == {
        "pid": 1,
        "arch": "0xc000003e",
        "mode": "0o100644",
        "name": None,
        "tty": None,
        "comm": "a b",
        "exit": -13,
        "cap_fp": "0x400",
        "dev": "08:01",
    }
    assert one(run, "pid=007 uid=x inode=99999999999999999999 mode=9") == {
        "pid": "007",
        "uid": "x",
        "inode": "99999999999999999999",
        "mode": "9",
    }


def test_strings(run: Run) -> None:
    raw = "caf\u00e9%+\u007f\u0001\ufeff".encode() + b"\xff"
    assert one(run, f"name={raw.hex().upper()}") == {"name": "caf\u00e9%25%2b%7f%01%ef%bb%bf%ff"}
    assert one(run, "comm=beef")["comm"] == "beef"  # lower case is no hex of the kernel's


def test_two_keys(run: Run) -> None:
    assert one(run, "key=" + b"a\x01b".hex().upper())["key"] == "a%01b"


def test_execve_forms(run: Run) -> None:
    prefix = "type=EXECVE msg=audit(1.002:3): "
    lines = [
        "argc=13 " + " ".join(f'a{n}="v{n}"' for n in (0, 1, 10, 11, 2, 3, 4, 5)) + ' a6="" a7_len=8',
        "a7[1]=4344 a7[0]=4142 a9=0A",
        'a12="end"',
    ]
    (event,) = run("".join(prefix + body + "\n" for body in lines).encode(), format="records")
    assert event["EXECVE"] == {
        "argc": 13,
        "ARGV": ["v0", "v1", "v2", "v3", "v4", "v5", "", "ABCD", None, "%0a", "v10", "v11", "end"],
    }


def test_a_few_bytes_claim_no_long_vector(run: Run) -> None:
    execve = one(run, 'argc=4000000000 a1048575="x" a99999999999="y"', "EXECVE")
    assert len(execve["ARGV"]) < 5000
    assert execve["a1048575"] == "x"
    assert execve["a99999999999"] == "y"


def test_repeated_names_and_types(run: Run) -> None:
    assert one(run, "op=a op=b op=c")["op"] == ["a", "b", "c"]
    data = b"".join(b'type=CWD msg=audit(1.002:3): cwd="/%d"\n' % number for number in range(2))
    (event,) = run(data, format="records")
    assert event["CWD"] == [{"cwd": "/0"}, {"cwd": "/1"}]


def test_node_and_malformed(run: Run) -> None:
    events = run(b"node=web type=USER msg=audit(1.002:3): pid=1\nrubbish\xff\n", format="records")
    assert events[0] == {"ID": "1.002:3", "NODE": "web", "USER": {"pid": 1}}
    assert events[1] == {"MALFORMED": {"reason": "no-header", "raw": "rubbish%ff"}}


@pytest.mark.parametrize(
    ("saddr", "expected"),
    [
        ("020000357F000001" + "00" * 8, {"saddr_fam": "inet", "addr": "127.0.0.1", "port": 53}),
        ("0A0000160000000000000000000000000000000000000001" + "02000000",
         {"saddr_fam": "inet6", "addr": "::1", "port": 22, "flowinfo": 0, "scope_id": 2}),
        ("01002F7800", {"saddr_fam": "local", "path": "/x"}),
        ("0100006162", {"saddr_fam": "local", "abstract": "ab"}),
        ("100000000700000001000000", {"saddr_fam": "netlink", "pid": 7, "groups": "0x1"}),
        ("28000000E803000002000000", {"saddr_fam": "vsock", "port": 1000, "cid": 2}),
    ],
)  # fmt: skip
def test_sockaddr(run: Run, saddr: str, expected: dict[str, Any]) -> None:
    assert one(run, f"saddr={saddr}", "SOCKADDR", translate="universal") == {"SADDR": expected}


@pytest.mark.parametrize("saddr", ["", "02", "0A00", "FF", "0100", "0000", "1000"])
def test_short_sockaddr_stays_raw(run: Run, saddr: str) -> None:
    assert "saddr" in one(run, f"saddr={saddr}", "SOCKADDR", translate="universal")


@pytest.mark.parametrize(
    ("arch", "number", "names"),
    [
        ("c000003e", 59, ("x86_64", "execve")), ("40000003", 11, ("i386", "execve")),
        ("c00000b7", 221, ("aarch64", "execve")), ("40000028", 11, ("arm", "execve")),
        ("c00000f3", 221, ("riscv64", "execve")), ("c0000015", 11, ("ppc64le", "execve")),
        ("80000016", 11, ("s390x", "execve")), ("c000003e", 452, ("x86_64", "fchmodat2")),
    ],
)  # fmt: skip
def test_syscall_names(run: Run, arch: str, number: int, names: tuple[str, str]) -> None:
    event = one(run, f"arch={arch} syscall={number}", "SYSCALL", translate="universal")
    assert (event["ARCH"], event["SYSCALL"]) == names
