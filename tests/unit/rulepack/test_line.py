# SPDX-License-Identifier: Apache-2.0
"""A line of auditctl text is read in every spelling and written in one."""

from __future__ import annotations

import pytest
from auditpack.fields import Compare, Filter
from auditpack.line import Control, Line, format_line, parse_controls, parse_line, parse_rules
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("-w /etc/passwd -p wa -k id", "-a always,exit -F path=/etc/passwd -F perm=wa -F key=id"),
        ("-w /etc/pam.d/ -p aw -k id", "-a always,exit -F path=/etc/pam.d -F perm=wa -F key=id"),
        ("-w /etc/group", "-a always,exit -F path=/etc/group -F perm=rwxa"),
        ("-a exit,always -S mount -S umount2 -k m", "-a always,exit -S mount,umount2 -F key=m"),
        ("-a always,exit -S all -F arch=b32 -k x -k y", "-a always,exit -F arch=b32 -S all -F key=x -F key=y"),
        ("-a always,exit -F arch=i386 -S open,open", "-a always,exit -F arch=b32 -S open"),
        ("-a never,task -F uid=3", "-a never,task -F uid=3"),
        ("-a always,exit -C euid!=uid -F auid!=-1 -S execve", "-a always,exit -S execve -F auid!=unset -C euid!=uid"),
        ("-a always,exclude -F msgtype=CWD", "-a always,exclude -F msgtype=1307"),
    ],
)
def test_spellings(text: str, written: str) -> None:
    assert str(parse_line(text)) == written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("-S open", "neither -a nor -w"),
        ("-a always,exit -w /x -k y", "after `-a`"),
        ("-a always,exti -S open", "malformed"),
        ("-a always,exit,exit", "malformed"),
        ("-a always,exit -S", "has no value"),
        ("-a always,exit -X y", "unknown option"),
        ("-a always,exit -F arch=b64 -F arch=b32", "one `arch=` a rule"),
        ("-a always,exit -F name=x", "unknown field"),
        ("-b", "takes one value"),
        ("-D now", "takes no value"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="—") as caught:
        parse_line(text)
    assert message in str(caught.value)


def test_a_file_is_parted_into_rules_and_controls() -> None:
    text = "# comment\n-D\n\n-b 8192\n-w /etc/passwd -p wa -k id\n--loginuid-immutable\n-e 2\n"
    assert [str(line) for line in parse_rules(text)] == ["-a always,exit -F path=/etc/passwd -F perm=wa -F key=id"]
    assert [str(control) for control in parse_controls(text)] == ["-D", "-b 8192", "--loginuid-immutable", "-e 2"]
    assert parse_rules("No rules\n") == []


def test_a_bad_line_is_named_by_number() -> None:
    with pytest.raises(ValueError, match="line 3: unknown option `-Z`"):
        parse_rules("# x\n-w /a -p w\n-a always,exit -Z 1\n")


_ids = st.sampled_from(["auid", "uid", "euid", "gid"])
_numbers = st.one_of(st.just("unset"), st.integers(0, 2**32 - 2).map(str))
_filters = st.one_of(
    st.builds(Filter, _ids, st.sampled_from(["=", "!=", "<", ">", "<=", ">="]), _numbers),
    st.builds(Filter, st.just("a0"), st.sampled_from(["=", "&", "&="]), st.integers(0, 2**32 - 1).map(str)),
    st.builds(Filter, st.just("exe"), st.sampled_from(["=", "!="]), st.sampled_from(["/usr/bin/id", "/bin/x"])),
    st.builds(Filter, st.just("exit"), st.just("="), st.integers(-133, 0).map(str)),
    st.builds(Filter, st.just("dir"), st.just("="), st.sampled_from(["/etc", "/home/x"])),
    st.builds(Filter, st.just("perm"), st.just("="), st.sampled_from(["r", "wa", "rwxa"])),
)
_compares = st.builds(Compare, st.just("uid"), st.sampled_from(["=", "!="]), st.sampled_from(["euid", "auid"]))
_lines = st.builds(
    Line,
    action=st.sampled_from(["always", "never"]),
    arch=st.sampled_from([None, "b64", "b32"]),
    syscalls=st.lists(st.sampled_from(["open", "openat", "execve"]), unique=True).map(tuple),
    fields=st.lists(_filters, max_size=4).map(tuple),
    compares=st.lists(_compares, max_size=2).map(tuple),
    keys=st.lists(st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True), max_size=2).map(tuple),
)


@given(_lines)
def test_written_and_read_back(line: Line) -> None:
    assert parse_line(format_line(line)) == line


@given(st.sampled_from(["-b", "-f", "-e", "--backlog_wait_time"]), st.integers(0, 10**6).map(str))
def test_a_control_is_written_and_read_back(option: str, value: str) -> None:
    assert parse_line(str(Control(option, value))) == Control(option, value)
