# SPDX-License-Identifier: Apache-2.0
"""What is loaded is compared with what was wanted by meaning; the listings beside this file are of real hosts."""

from __future__ import annotations

from pathlib import Path

import pytest
from auditpack.line import parse_rules
from auditpack.normalise import compare, compare_text, normalise

B64 = "-a always,exit -F arch=b64"
LISTINGS = Path(__file__).parent / "listings"
LOADED = (LISTINGS / "loaded.rules").read_text()


@pytest.mark.parametrize("name", ["audit-3.0.9.txt", "audit-4.0.2.txt"])
def test_a_real_listing_equals_what_was_loaded(name: str) -> None:
    difference = compare_text(LOADED, (LISTINGS / name).read_text())
    assert not difference, str(difference)


@pytest.mark.parametrize("name", ["audit-3.0.9.txt", "audit-4.0.2.txt"])
def test_every_rule_of_a_real_listing_counts(name: str) -> None:
    listing = (LISTINGS / name).read_text().splitlines()
    for number, line in enumerate(listing):
        if line.startswith("#"):
            continue
        without = "\n".join([*listing[:number], *listing[number + 1 :]])
        difference = compare_text(LOADED, without)
        assert (len(difference.missing), difference.extra, difference.moved) == (1, [], []), line


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-w /etc/passwd -p wa -k a", "-a always,exit -F perm=aw -F path=/etc/passwd -k a"),
        ("-w /etc/pam.d/ -p wa -k a", "-a always,exit -S all -F dir=/etc/pam.d -F perm=wa -F key=a"),
        (
            "-a always,exit -F arch=b64 -S execve -C euid!=uid -F auid!=unset -k a",
            "-a always,exit -F arch=b64 -S execve -F auid!=-1 -C uid!=euid -F key=a",
        ),
        ("-a always,exit -F arch=b64 -S chmod,chown -k a", "-a always,exit -F arch=b64 -S chown -S chmod -F key=a"),
        ("-a always,exit -F arch=b64 -S mount -F exit=-EPERM", "-a exit,always -F arch=b64 -S mount -F exit=-1"),
        (
            "-a always,exit -F arch=b64 -F path=/usr/bin/su -F perm=x -k a",
            "-a always,exit -F arch=b64 -S execve -F path=/usr/bin/su -F perm=x -F key=a",
        ),
    ],
)
def test_the_same(one: str, other: str) -> None:
    assert not compare_text(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-w /etc/passwd -p wa -k a", "-w /etc/passwd -p wa -k b"),
        ("-w /etc/passwd -p wa -k a", "-w /etc/passwd -p w -k a"),
        ("-w /etc/passwd -p wa -k a", "-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=wa -k a"),
        ("-a always,exit -F arch=b64 -S open", "-a always,exit -F arch=b32 -S open"),
        ("-a always,exit -F arch=b64 -S open", "-a never,exit -F arch=b64 -S open"),
        ("-a always,exit -F arch=b64 -S open", "-a always,exit -F arch=b64 -S open,openat"),
        ("-a always,exit -F arch=b64 -S open -F auid>1000", "-a always,exit -F arch=b64 -S open -F auid>=1000"),
        ("-a always,exit -S all -F dir=/a", "-a always,exit -S all -F path=/a"),
        (f"{B64} -F dir=/a -F perm=w", f"{B64} -F path=/a -F perm=w"),
        (
            "-a always,exit -F arch=b64 -S execve,execveat -F path=/usr/bin/su -F perm=x",
            "-a always,exit -F arch=b64 -S execve -F path=/usr/bin/su -F perm=x",
        ),
        (
            "-a always,exit -F arch=b64 -S openat -F path=/etc/passwd -F perm=wa",
            "-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=wa",
        ),
    ],
)
def test_not_the_same(one: str, other: str) -> None:
    assert compare_text(one, other)


def test_a_difference_names_the_rules() -> None:
    wanted = parse_rules("-w /a -p w -k a\n-w /b -p w -k b\n-w /c -p w -k c\n-w /d -p w -k d\n")
    loaded = parse_rules("-w /d -p w -k d\n-w /a -p w -k a\n-w /x -p w -k x\n-w /c -p w -k c\n")
    difference = compare(wanted, loaded, ["p.a", "p.b", "p.c", "p.d"])
    assert [entry.rule for entry in difference.missing] == ["p.b"]
    assert [entry.text for entry in difference.extra] == ["-a always,exit -F path=/x -F perm=w -F key=x"]
    assert [entry.rule for entry in difference.moved] == ["p.d"]
    assert "p.b: not loaded" in str(difference)


def test_order_counts_within_a_list_only() -> None:
    wanted = "-w /a -p w -k a\n-a never,user -F uid=1\n-a always,exclude -F msgtype=CWD\n"
    loaded = "-a never,user -F uid=1\n-a always,exclude -F msgtype=CWD\n-w /a -p w -k a\n"
    assert not compare_text(wanted, loaded)


def test_a_rule_loaded_twice_is_seen() -> None:
    difference = compare_text("-w /a -p w -k a\n", "-w /a -p w -k a\n-w /a -p w -k a\n")
    assert len(difference.extra) == 1


def test_audit_3_lists_another_operator_of_exe() -> None:
    line = "-a always,exit -F arch=b64 -S openat -F exe{}=/usr/bin/ls -F key=e3\n"
    assert not compare_text(line.format("!"), line.format(""))


def test_a_name_must_be_resolved_first() -> None:
    (line,) = parse_rules("-a always,exit -S openat -F uid=alice")
    with pytest.raises(KeyError, match="alice"):
        normalise(line)
