# SPDX-License-Identifier: Apache-2.0
"""Values have one canonical form each; what auditctl or the kernel refuses is refused with a remedy."""

from __future__ import annotations

import pytest
from auditpack.fields import canonical, parse_compare, parse_filter


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("auid!=unset", "unset"),
        ("auid!=-1", "unset"),
        ("auid!=4294967295", "unset"),
        ("loginuid=0", "0"),
        ("uid=alice", "1000"),
        ("egid=adm", "4"),
        ("exit=-EACCES", "-13"),
        ("exit=-13", "-13"),
        ("a0=0x10", "16"),
        ("a0=-100", "4294967196"),
        ("a1&=010", "8"),
        ("perm=aw", "wa"),
        ("exe=/usr//bin/id", "/usr/bin/id"),
        ("dir=/etc/pam.d/", "/etc/pam.d"),
        ("dir=/", "/"),
        ("arch=x86_64", "b64"),
        ("msgtype=CWD", "1307"),
        ("msgtype=1307", "1307"),
        ("filetype=file", "32768"),
        ("fstype=tracefs", "tracefs"),
        ("sessionid=unset", "unset"),
        ("success=1", "1"),
    ],
)
def test_one_canonical_value(text: str, value: str) -> None:
    item = canonical(parse_filter(text), {"alice": 1000}, {"adm": 4})
    assert item.value == value
    assert canonical(item) == item


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("auid", "not a filter"),
        ("name=x", "unknown field `name`"),
        ("exe>/bin/id", "cannot be compared with `>`"),
        ("auid&1", "cannot be compared with `&`"),
        ("uid=", "has no value"),
        ("exit=-EWHAT", "unknown errno"),
        ("perm=q", "malformed"),
        ("path=etc/passwd", "not absolute"),
        ("path=/a b", "white space"),
        ("msgtype=NOPE", "unknown record type"),
        ("success=yes", "write 1 or 0"),
        ("filetype=pipe", "unknown file type"),
        ("a0=ten", "needs a number"),
        ("a0=0x100000000", "out of range"),
        ("uid=4294967296", "out of range"),
        ("uid=1000x", "needs an id or a name"),
        ("arch=mips", "unknown arch"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="—") as caught:
        canonical(parse_filter(text))
    assert message in str(caught.value)


def test_unknown_user_is_told_by_name() -> None:
    with pytest.raises(KeyError, match="mallory"):
        canonical(parse_filter("uid=mallory"), {"alice": 1000})


@pytest.mark.parametrize("text", ["uid!=gid", "uid>euid", "uid=uid", "exe!=uid", "uid!=1000"])
def test_comparison_refused(text: str) -> None:
    with pytest.raises(ValueError, match="—"):
        parse_compare(text)
