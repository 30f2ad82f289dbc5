# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditpack_collector.scan import MAX_LINE, Malformed, Record, scan, scan_fields


def record(line: bytes) -> Record:
    scanned = scan(line)
    assert isinstance(scanned, Record), scanned
    return scanned


def test_header() -> None:
    scanned = record(b"node=web 1 type=X msg=audit(1.000:2): a=b".replace(b"web 1", b"web"))
    assert (scanned.node, scanned.type, scanned.id) == (b"web", b"X", b"1.000:2")
    assert (scanned.sec, scanned.ms, scanned.serial) == (1, 0, 2)
    assert record(b"type=UNKNOWN[1399] msg=audit(1.000:2):").fields == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'a="x y" b=z', [(b"a", b'"x y"'), (b"b", b"z")]),
        (b"a= b=", [(b"a", b""), (b"b", b"")]),
        (b'a="" b=1', [(b"a", b'""'), (b"b", b"1")]),
        (b"op=change password id=1", [(b"op", b"change password"), (b"id", b"1")]),
        (b"text=a  b c res=1", [(b"text", b"a  b c"), (b"res", b"1")]),
        (b"login pid=1", [(b"", b"login"), (b"pid", b"1")]),
        (b'a="open b=1', [(b"a", b'"open'), (b"b", b"1")]),
        (b'a="x"y b=1', [(b"a", b'"x"y'), (b"b", b"1")]),
        (b"=x y=1", [(b"", b"=x"), (b"y", b"1")]),
        (b"a=b=c d=1", [(b"a", b"b=c"), (b"d", b"1")]),
        (
            b" avc:  denied  { read write } for  pid=1",
            [(b"seresult", b"denied"), (b"seperms", b"{ read write }"), (b"pid", b"1")],
        ),
    ],
)
def test_fields(body: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    assert scan_fields(body) == fields


def test_message_and_tail() -> None:
    scanned = record(
        b'type=USER_CMD msg=audit(1.000:2): pid=1 msg=\'acct="o\'brien" res=success\'\x1dUID="root" AUID="a"'
    )
    assert scanned.fields == [(b"pid", b"1")]
    assert scanned.message == [(b"acct", b'"o\'brien"'), (b"res", b"success")]
    assert scanned.tail == [(b"UID", b'"root"'), (b"AUID", b'"a"')]


def test_a_socket_path_forges_no_name() -> None:
    scanned = record(b'type=SOCKADDR msg=audit(1.000:2): saddr=00\x1dSADDR={ saddr_fam=local path=/x } AUID="root" }')
    assert scanned.tail == [(b"SADDR", b'{ saddr_fam=local path=/x } AUID="root" }')]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "empty"),
        (b" \t\r", "empty"),
        (b"hello", "no-header"),
        (b"type=X msg=audit(1.2)", "no-header"),
        (b"type=X msg=audit(1.000:99999999999999999999): a=b", "no-header"),
        (b"x" * (MAX_LINE + 1), "too-long"),
    ],
)
def test_malformed(line: bytes, reason: str) -> None:
    scanned = scan(line)
    assert isinstance(scanned, Malformed)
    assert scanned.reason == reason


@given(st.binary(max_size=300))
def test_never_raises(data: bytes) -> None:
    scan(data)
    scan(b"type=SYSCALL msg=audit(1.000:2): " + data)


@given(st.binary(max_size=200).filter(lambda data: b"\n" not in data))
def test_fields_keep_every_byte_but_spaces_between(data: bytes) -> None:
    joined = b"".join(name + b"=" + token if name else token for name, token in scan_fields(data))
    assert joined.replace(b" ", b"") == data.replace(b" ", b"") or b"avc:" in data
