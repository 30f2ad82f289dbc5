# SPDX-License-Identifier: Apache-2.0
"""Secrets taken out of raw lines, and so out of every format."""

from __future__ import annotations

import time
from typing import Any, Callable

import pytest
from collector_support import parse
from hypothesis import given
from hypothesis import strategies as st

from auditpack_collector.config import Redact
from auditpack_collector.implementation import Pipeline
from auditpack_collector.options import Stream
from auditpack_collector.redact import Redactor

ON = Redact(enabled=True, patterns=("ticket-(?P<secret>[0-9]+)", "zz+"))
GONE = b"[REDACTED]"


def words(text: str) -> list[bytes]:
    return [word.encode() for word in text.split()]


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("tool --password=s3cret x", "tool --password=[REDACTED] x"),
        ("tool --db-password s3cret x", "tool --db-password [REDACTED] x"),
        ("tool --password --next", "tool --password --next"),
        ("tool --password-file /run/x", "tool --password-file /run/x"),
        ("tool -token abc", "tool -token [REDACTED]"),
        ("env PGPASSWORD=x API_KEY=y psql", "env PGPASSWORD=[REDACTED] API_KEY=[REDACTED] psql"),
        ("env PATH=/bin PWD=/x", "env PATH=/bin PWD=/x"),
        ("mysql -ps3cret -u root", "mysql -p[REDACTED] -u root"),
        ("/usr/bin/mysql -p db", "/usr/bin/mysql -p db"),
        ("sshpass -p s3cret ssh host", "sshpass -p [REDACTED] ssh host"),
        ("curl -u me:s3cret https://h/", "curl -u me:[REDACTED] https://h/"),
        ("curl -H x https://me:s3cret@h/p?q=1", "curl -H x https://me:[REDACTED]@h/p?q=1"),
        ("git clone ssh://h:22/x@y", "git clone ssh://h:22/x@y"),
        ("docker run -p 80:80 x", "docker run -p 80:80 x"),
        ("x AKIAABCDEFGHIJKLMNOP y", "x [REDACTED] y"),
        ("x ghp_" + "a" * 36, "x [REDACTED]"),
        ("x eyJhbGciOiJIUzI1.eyJzdWIiOiIx.abc", "x [REDACTED]"),
        ("open ticket-123", "open ticket-[REDACTED]"),
        ("ls -l /etc", "ls -l /etc"),
    ],
)
def test_arguments(given_: str, expected: str) -> None:
    assert Redactor(ON).arguments(words(given_)) == words(expected)


def test_command_lines() -> None:
    redactor = Redactor(ON)
    assert redactor.arguments([b"tool", b"--password=two words"])[1] == b"--password=[REDACTED]"
    assert redactor.arguments([b"sh", b"-c", b"tool --password s3cret; PGPASSWORD=x psql"])[2] == (
        b"tool --password [REDACTED]; PGPASSWORD=[REDACTED] psql"
    )
    assert redactor.arguments([b"curl", b"-H", b"Authorization: Bearer abcdefgh1234"])[2] == (
        b"Authorization: Bearer [REDACTED]"
    )


def hexadecimal(text: str) -> bytes:
    return text.encode().hex().upper().encode()


SECRET = "hunter2-hunter2"  # noqa: S105 - what must not come out
LINES = (
    b"type=SYSCALL msg=audit(1.000:1): arch=c000003e syscall=59 success=yes exit=0 items=0 pid=2 uid=0 comm=\"cmd\"\n"
    b"type=EXECVE msg=audit(1.000:1): argc=4 a0=\"tool\" a1=\"--password=" + SECRET.encode() + b"\" a2_len=60 a2[0]="
    + hexadecimal("--token=" + SECRET[:7]) + b" a2[1]=" + hexadecimal(SECRET[7:] + "       ") + b" a3=\"plain\"\n"
    b"type=PROCTITLE msg=audit(1.000:1): proctitle=" + hexadecimal(f"tool\0--password={SECRET}\0plain") + b"\n"
    b"type=EOE msg=audit(1.000:1): \n"
    b"type=USER_CMD msg=audit(1.000:2): pid=3 uid=0 msg='cwd=\"/\" cmd=" + hexadecimal(f"tool --secret {SECRET}")
    + b" terminal=pts/0 res=success'\x1dUID=\"root\"\n"
    b"type=USER_CMD msg=audit(1.000:3): pid=3 uid=0 msg='cmd=\"ls\" res=success'\n"
)  # fmt: skip


def test_no_format_and_no_raw_line_has_the_secret(pipeline: Callable[..., Pipeline]) -> None:
    streams = (Stream(original=True), Stream("records", "all", True))
    made = pipeline(streams=streams, redact=ON)
    first = made.feed(LINES, 0.0)
    (second,) = made.others()
    for output in (first, second):
        assert SECRET.encode() not in output
        assert SECRET.encode().hex().upper().encode() not in output
        assert hexadecimal(SECRET[:7]) not in output
        assert output.count(b"plain") > 1
    ecs, records = parse(first), parse(second)
    assert [event["auditd"].get("redacted") for event in ecs] == [3, 1, None]
    assert [event.get("REDACTED") for event in records] == [3, 1, None]
    assert ecs[0]["process"]["args"] == ["tool", "--password=[REDACTED]", "--token=[REDACTED]", "plain"]
    assert "incomplete" not in ecs[0]["auditd"]
    assert ecs[0]["process"]["title"] == "tool --password=[REDACTED] plain"
    assert ecs[1]["process"]["command_line"] == "tool --secret [REDACTED]"
    assert records[1]["USER_CMD"]["UID"] == "root"
    assert made.counters()["redacted"] == 4
    assert made.counters()["no_memory"] == 0


def test_without_it_nothing_changes(pipeline: Callable[..., Pipeline]) -> None:
    out = pipeline().feed(LINES, 0.0)
    assert out.count(SECRET.encode()) > 3
    assert b"redacted" not in out


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_arguments_keep_their_number(vector: list[bytes]) -> None:
    redactor = Redactor(ON)
    after = redactor.arguments(vector)
    assert len(after) == len(vector)
    assert redactor.arguments(after) == redactor.arguments(redactor.arguments(after))


@given(st.binary(max_size=200))
def test_any_line_is_a_line_again(body: bytes) -> None:
    line = b"type=EXECVE msg=audit(1.000:1): " + body.replace(b"\n", b" ")
    changed, lines = Redactor(ON).lines([line])
    assert len(lines) == 1
    assert lines[0].startswith(b"type=EXECVE msg=audit(1.000:1): ")
    assert b"\n" not in lines[0]
    assert changed or lines == [line]


@pytest.mark.parametrize(
    "piece", [b"eyJ-", b"a", b"a.", b"x://", b"bearer ", b"--password ", b"token=", b"-----BEGIN ", b"xoxb-", b"a:b@"]
)
def test_hostile_text_takes_linear_time(piece: bytes) -> None:
    """Twice the bytes take about twice the time; a bound far above that, for busy machines."""
    redactor = Redactor(Redact(enabled=True))

    def seconds(count: int) -> float:
        text = piece * count
        started = time.process_time()
        redactor.text(text)
        redactor.arguments([b"x", text])
        return time.process_time() - started

    seconds(100)
    small, large = (max(seconds(size // len(piece)), 0.002) for size in (20_000, 160_000))
    assert large < small * 40


def test_the_callback_that_fails_keeps_the_event_back(pipeline: Callable[..., Any], monkeypatch: Any) -> None:
    made = pipeline(redact=ON)
    if made.implementation != "native":
        return  # Python raises, and the process ends

    def fail(self: Redactor, lines: list[bytes]) -> tuple[int, list[bytes]]:
        raise ValueError("no")

    monkeypatch.setattr(Redactor, "lines", fail)
    monkeypatch.setattr("sys.unraisablehook", lambda _: None)
    out = made.feed(LINES, 0.0)
    assert SECRET.encode() not in out
    assert made.counters()["no_memory"] == 3
