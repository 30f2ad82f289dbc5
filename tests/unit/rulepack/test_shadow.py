# SPDX-License-Identifier: Apache-2.0
"""A rule is called dead when it is, and only then: by table, and against a small model of the kernel's first match."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from auditpack.dead import find_dead
from auditpack.fields import Compare, Filter
from auditpack.line import Line, parse_line, parse_rules
from auditpack.model import Place
from auditpack.shadow import Placed, contradiction, find_shadowed
from hypothesis import given, settings
from hypothesis import strategies as st

X = "-a always,exit -F arch=b64"


def rule(text: str) -> Line:
    line = parse_line(text)
    assert isinstance(line, Line)
    return line


@pytest.mark.parametrize(
    ("early", "late"),
    [
        (f"{X} -S ptrace -k tracing", f"{X} -S ptrace -F a0=0x4 -k code-injection"),
        ("-a always,exit -F arch=b32 -S all -k abi", "-a always,exit -F arch=b32 -S mount -F auid>=1000 -k mounts"),
        (f"{X} -S chmod,fchmod -k a", f"{X} -S chmod -k b"),
        ("-a always,exit -S all -F auid!=unset -k a", f"{X} -S mount -F auid>=1000 -F auid!=unset -k b"),
        (f"{X} -S mount -F auid>=1000 -k a", f"{X} -S mount -F auid>1000 -k b"),
        (f"{X} -S mount -F auid!=0 -k a", f"{X} -S mount -F auid=1000 -k b"),
        (f"{X} -S mount -F uid<1000 -k a", f"{X} -S mount -F uid=0 -k b"),
        (f"{X} -S mount -F exit!=-13 -k a", f"{X} -S mount -F exit=-1 -k b"),
        (f"{X} -F dir=/etc -F perm=wa -k a", f"{X} -F path=/etc/passwd -F perm=wa -k b"),
        (f"{X} -F dir=/etc -F perm=wa -k a", f"{X} -F dir=/etc/pam.d -F perm=a -k b"),
        (f"{X} -F dir=/ -F perm=wa -k a", f"{X} -F dir=/etc -F perm=w -k b"),
        (f"{X} -F path=/etc/passwd -F perm=wa -k a", f"{X} -F path=/etc/passwd -F perm=w -k b"),
        (f"{X} -F path=/etc/passwd -F perm=wa -k a", f"{X} -S chmod -F path=/etc/passwd -k b"),
        ("-w /etc/passwd -p wa -k a", f"{X} -F path=/etc/passwd -F perm=wa -k b"),
        (f"{X} -S execve,execveat -k exec", f"{X} -F path=/usr/bin/su -F perm=x -k su"),
        (f"{X} -S execve -C uid!=euid -k a", f"{X} -S execve -C euid!=uid -F auid!=unset -k b"),
        (f"{X} -S execve -C uid!=euid -k a", f"{X} -S execve -F uid=1000 -F euid=0 -k b"),
        (f"{X} -S execve -C uid=euid -k a", f"{X} -S execve -F uid=0 -F euid=0 -k b"),
        (f"{X} -S socket -F a0&2 -k a", f"{X} -S socket -F a0=10 -k b"),
        (f"{X} -S socket -F a1&=2 -k a", f"{X} -S socket -F a1&=3 -k b"),
        (f"{X} -S socket -F a1&6 -k a", f"{X} -S socket -F a1&2 -k b"),
        (f"{X} -S openat -F exe!=/usr/bin/id -k a", f"{X} -S openat -F exe=/usr/bin/ls -k b"),
        (f"{X} -S openat -F obj_uid<1000 -k a", f"{X} -S openat -F obj_uid=0 -k b"),
        ("-a never,exit -F dir=/home -F uid=0", "-a always,exit -F dir=/home/x -F uid=0 -F auid=1000 -k home"),
        (f"{X} -S mount -k a\n-a always,exit -F arch=b32 -S mount -k a", "-a always,exit -S all -F dir=/x -k b"),
        ("-a always,exclude -F msgtype>=1300 -F msgtype<1310", "-a never,exclude -F msgtype=CWD"),
        ("-a never,user -F uid=1", "-a always,user -F uid=1 -F auid=unset"),
    ],
)
def test_dead(early: str, late: str) -> None:
    lines = parse_rules(f"{early}\n{late}")
    whole = [shadow for shadow in find_shadowed(lines) if not shadow.partly]
    if "\n" in early:  # two rules of one call each do not cover a rule of all calls
        assert whole == []
        return
    assert [(shadow.line, shadow.by, shadow.other) for shadow in whole] == [(1, (0,), True)]


@pytest.mark.parametrize(
    ("early", "late"),
    [
        (f"{X} -S ptrace -F a0=0x4 -k code-injection", f"{X} -S ptrace -k tracing"),
        ("-a always,exit -F arch=b32 -S all -k abi", f"{X} -S mount -k mounts"),
        (f"{X} -S mount -F auid>=1000 -F auid!=unset -k a", f"{X} -S mount -F auid>=1000 -k b"),
        (f"{X} -F path=/etc/passwd -F perm=wa -k a", f"{X} -F dir=/etc -F perm=wa -k b"),
        (f"{X} -F dir=/etc -F perm=wa -k a", f"{X} -F path=/etcetera -F perm=wa -k b"),
        (f"{X} -F dir=/etc -F perm=wa -k a", f"{X} -F path=/etc/passwd -F perm=rwa -k b"),
        (f"{X} -F path=/etc/passwd -F perm=wa -k a", f"{X} -S openat -F path=/etc/passwd -k b"),
        (f"{X} -F path=/etc/passwd -F perm=wa -k a", f"{X} -S fchmodat2 -F path=/etc/passwd -k b"),
        (f"{X} -F path=/etc/passwd -F perm=wa -k a", "-w /etc/passwd -p wa -k b"),
        (f"{X} -F path=/bin/su -F perm=x -k a", f"{X} -S execve,execveat -F path=/bin/su -F perm=x -k b"),
        (f"{X} -F path=/etc/passwd -F perm=wa -k a", f"{X} -F path=/etc/passwd -k b"),
        (f"{X} -S execve -C uid!=euid -k a", f"{X} -S execve -C uid!=auid -k b"),
        (f"{X} -S execve -C uid!=obj_uid -k a", f"{X} -S execve -F uid=0 -F obj_uid=5 -k b"),
        (f"{X} -S openat -F obj_uid!=0 -k a", f"{X} -S openat -F obj_uid>=0 -k b"),
        (f"{X} -S socket -F a1&=3 -k a", f"{X} -S socket -F a1&3 -k b"),
        (f"{X} -S openat -F exe=/usr/bin/id -k a", f"{X} -S openat -F exe!=/usr/bin/ls -k b"),
        (f"{X} -S openat -F success=1 -k a", f"{X} -S openat -F exit=-13 -k b"),
        ("-a always,exit -S open -k a", "-a always,exit -F arch=b32 -S open -k b"),
        ("-a never,user -F uid=1", "-a never,exit -F uid=1 -F arch=b64 -S open"),
        (f"{X} -F path=/usr/bin/su -F perm=x -F auid>=1000 -k a", f"{X} -S execve -C uid!=euid -k b"),
    ],
)
def test_alive(early: str, late: str) -> None:
    assert [shadow for shadow in find_shadowed(parse_rules(f"{early}\n{late}")) if not shadow.partly] == []


def test_several_rules_cover_one_together() -> None:
    lines = parse_rules(f"{X} -S chmod -k a\n{X} -S chown -k b\n{X} -S chmod,chown -F auid=1000 -k c\n")
    assert [(shadow.line, shadow.by, shadow.partly) for shadow in find_shadowed(lines)] == [(2, (0, 1), False)]


def test_a_part_is_told_apart() -> None:
    lines = parse_rules(f"{X} -S chmod -k a\n{X} -S chmod,chown -k c\n")
    assert [(shadow.line, shadow.partly) for shadow in find_shadowed(lines)] == [(1, True)]


def test_the_same_key_is_superfluous_not_dead() -> None:
    lines = parse_rules(f"{X} -F dir=/etc -F perm=wa -k a\n{X} -F path=/etc/passwd -F perm=w -k a\n")
    assert [(shadow.partly, shadow.other) for shadow in find_shadowed(lines)] == [(False, False)]


def test_the_error_names_both_places_and_a_remedy() -> None:
    placed = [
        Placed(rule(f"{X} -S mount -k a"), "one.mount", "one", Place("one/rules.yml", 4)),
        Placed(rule(f"{X} -S mount -F auid=0 -k b"), "two.mount", "two", Place("two/rules.yml", 9)),
    ]
    (problem,) = find_dead(placed)
    assert str(problem).startswith(
        "two/rules.yml:9: rule `two.mount` (key b) can never win: the earlier rule `one.mount`"
    )
    assert "(one/rules.yml:4, key a)" in str(problem)
    assert "— load it first" in str(problem)


@pytest.mark.parametrize(
    "text",
    [
        f"{X} -S mount -F auid=0 -F auid>=1000",
        f"{X} -S mount -F uid=0 -F uid=1000",
        f"{X} -S mount -F uid<0",
        f"{X} -S mount -F auid>=1000 -F auid!=unset -F auid<1000",
        f"{X} -S mount -F exit<0",
        f"{X} -S mount -F a0&0",
        f"{X} -S mount -F a0=4 -F a0&2",
        f"{X} -S mount -F a0=4 -F a0&=5",
        f"{X} -S mount -C uid=euid -C euid!=uid",
        f"{X} -S mount -C uid!=euid -F uid=0 -F euid=0",
        f"{X} -S mount -C uid=euid -F uid=0 -F euid>0",
        f"{X} -S mount -F exe=/a -F exe=/b",
        f"{X} -S mount -F subj_type=a -F subj_type!=a",
        f"{X} -S mount -F path=/etc/passwd -F perm=wa",
        f"{X} -S mount -F success=1 -F success=0",
    ],
)
def test_contradictions(text: str) -> None:
    assert contradiction(rule(text))


@pytest.mark.parametrize(
    "text",
    [
        f"{X} -S mount -F auid>=1000 -F auid!=unset",
        f"{X} -S mount -F exit=-13 -F success=0",
        f"{X} -S mount -F exit>=-13",
        f"{X} -S mount -F obj_uid=0 -F obj_uid=1000",
        f"{X} -S mount -C uid!=obj_uid -F uid=0 -F obj_uid=0",
        f"{X} -S openat,chmod -F path=/etc/passwd -F perm=w",
    ],
)
def test_no_contradiction(text: str) -> None:
    assert contradiction(rule(text)) == ""


@pytest.mark.parametrize(
    "text",
    ["-a always,exclude -F msgtype>0", "-a always,exclude -F msgtype=SYSCALL", "-a never,task"],
)
def test_what_silences_every_rule_is_refused(text: str) -> None:
    (problem,) = find_dead([Placed(rule(text), "p.x", "p", Place("p/rules.yml", 1))])
    assert "makes no sense" in problem.message


class Event(NamedTuple):
    abi: str
    syscall: str
    mode: str
    auid: int
    uid: int
    euid: int
    path: str


CALLS = [("openat", "read"), ("openat", "write"), ("chmod", ""), ("unlink", ""), ("execve", ""), ("mount", "")]
IDS = (0, 1000, 2000, 4294967295)
EVENTS = [
    Event(abi, call, mode, auid, uid, euid, path)
    for abi, (call, mode), auid, uid, euid, path in itertools.product(
        ("b64", "b32"), CALLS, IDS, (0, 1000), (0, 1000), ("/etc/passwd", "/etc/x/y", "/home/z")
    )
]
FIRES = {
    "r": {("openat", "read")},
    "w": {("openat", "write"), ("unlink", "")},
    "x": {("execve", "")},
    "a": {("chmod", "")},
}
OPS = {
    "=": int.__eq__,
    "!=": int.__ne__,
    "<": int.__lt__,
    ">": int.__gt__,
    "<=": int.__le__,
    ">=": int.__ge__,
    "&": lambda a, b: bool(a & b),
    "&=": lambda a, b: a & b == b,
}


def holds(item: Filter, event: Event) -> bool:
    if item.field == "path":
        return event.path == item.value
    if item.field == "dir":
        return event.path.startswith(f"{item.value}/")
    if item.field == "perm":
        return any((event.syscall, event.mode) in FIRES[letter] for letter in item.value)
    have: int = getattr(event, item.field)
    return bool(OPS[item.op](have, 4294967295 if item.value == "unset" else int(item.value)))


def matches(line: Line, event: Event) -> bool:
    if line.arch not in (None, event.abi) or (line.syscalls and event.syscall not in line.syscalls):
        return False
    pairs = [(getattr(event, item.left), item.op, getattr(event, item.right)) for item in line.compares]
    return all(holds(item, event) for item in line.fields) and all(OPS[op](a, b) for a, op, b in pairs)


def winners(lines: list[Line]) -> Iterator[int]:
    """For each event the index of the first rule that matches."""
    for event in EVENTS:
        first = next((index for index, line in enumerate(lines) if matches(line, event)), None)
        if first is not None:
            yield first


_ids = st.builds(
    Filter,
    st.sampled_from(["auid", "uid", "euid"]),
    st.sampled_from(["=", "!=", "<", ">", "<=", ">="]),
    st.sampled_from(["0", "1000", "2000", "unset"]),
)
_places = st.sampled_from(
    [
        (),
        (Filter("path", "=", "/etc/passwd"),),
        (Filter("dir", "=", "/etc"),),
        (Filter("dir", "=", "/etc/x"), Filter("perm", "=", "rw")),
        (Filter("path", "=", "/etc/passwd"), Filter("perm", "=", "wa")),
        (Filter("dir", "=", "/etc"), Filter("perm", "=", "w")),
        (Filter("dir", "=", "/etc"), Filter("perm", "=", "rwxa")),
    ]
)
_compares = st.builds(
    Compare, st.sampled_from(["uid", "auid"]), st.sampled_from(["=", "!="]), st.sampled_from(["euid"])
)
_rules = st.builds(
    lambda action, arch, calls, place, ids, compares, key: Line(
        "exit", action, arch, tuple(calls) if arch else (), (*place, *ids), tuple(compares), (key,)
    ),
    st.sampled_from(["always", "always", "never"]),
    st.sampled_from(["b64", "b32", None]),
    st.lists(st.sampled_from(["openat", "chmod", "unlink", "execve", "mount"]), unique=True, max_size=3),
    _places,
    st.lists(_ids, max_size=2),
    st.lists(_compares, max_size=1),
    st.sampled_from(["a", "b", "c"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(_rules, min_size=2, max_size=4))
def test_what_is_called_dead_never_wins(lines: list[Line]) -> None:
    won = set(winners(lines))
    dead = {shadow.line for shadow in find_shadowed(lines) if not shadow.partly}
    assert not won & dead
    assert not any(contradiction(lines[index]) for index in won)


@settings(max_examples=100, deadline=None)
@given(_rules, _rules)
def test_a_narrower_rule_is_dead_after_the_wider_one(wide: Line, narrow: Line) -> None:
    """A rule after itself, narrowed and with another key, is dead."""
    late = Line(
        wide.list, wide.action, wide.arch, wide.syscalls, (*wide.fields, *narrow.fields[-1:]), wide.compares, ("late",)
    )
    fields = [item.field for item in late.fields]
    if len({name for name in fields if name in ("path", "dir", "perm")}) != sum(
        name in ("path", "dir", "perm") for name in fields
    ):
        return
    if contradiction(late):
        return
    assert [(shadow.line, shadow.partly) for shadow in find_shadowed([wide, late])] == [(1, False)]


def test_partial_losses_are_told_once_for_each_rule_that_takes_them() -> None:
    def at(number: int, text: str) -> Placed:
        return Placed(rule(text), f"p.{number}", "p", Place("p/rules.yml", number))

    late = [at(number, f"{X} -S chmod,chown -F auid={number} -k k{number}") for number in range(2, 8)]
    (problem,) = find_dead([at(1, f"{X} -S chmod -k a"), *late])
    assert problem.level == "warning"
    assert "`p.2` (key k2) and 5 others lose some of their system calls to the earlier rule `p.1`" in problem.message
    assert problem.message.endswith("`p.3` (p/rules.yml:3), `p.4` (p/rules.yml:4), `p.5` (p/rules.yml:5) and 2 more")


def test_calls_that_perm_brings_along_are_no_loss() -> None:
    texts = (f"{X} -S swapon -k swap", f"{X} -F path=/etc/x -F perm=wa -k x", f"{X} -F path=/etc/x -F perm=r -k y")
    placed = [Placed(rule(text), f"p.{n}", "p", Place("p/rules.yml", n + 1)) for n, text in enumerate(texts)]
    assert any(shadow.partly and shadow.other for shadow in find_shadowed([one.line for one in placed]))
    assert find_dead(placed) == []
    opens = Placed(rule(f"{X} -S openat -k all"), "p.9", "p", Place("p/rules.yml", 9))
    assert [problem.level for problem in find_dead([opens, placed[1]])] == ["warning"]
